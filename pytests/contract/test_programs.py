"""HY-SWAP: real programs do the same whatever serves their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.contract.programs import PYTHON, TOOLS, Program, difference, is_here, names
from heapyard.contract.replacement import require_replaceable
from heapyard.rules import SHOULD, NotApplicable, Trial, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "users run their programs on it: LD_PRELOAD, ld.so(8)"


def _same(trial: Trial, programs: Sequence[Program]) -> None:
    require_replaceable(trial)
    if trial.target.path is None:
        raise NotApplicable("it is the libc, with which programs run anyway")
    present = [program for program in programs if is_here(program)]
    missing = [program for program in programs if not is_here(program)]
    if not present:
        raise NotApplicable(f"this machine has none of {names(programs)}")
    trial.figure("programs", len(present), missing=names(missing))
    for program in present:
        outcome = difference(program, trial.target)
        if outcome is not None:
            trial.fail(outcome.expected, outcome.seen, outcome=outcome)


@rule("HY-SWAP-10", level=SHOULD, source=SOURCE, bug="isoalloc issue 56: espresso aborted on it")
def test_tools_do_the_same(trial: Trial) -> None:
    """awk, sort, perl, sqlite3, git and gcc write the same files and end the same.

    Each is run once with the libc's malloc and once with the target preloaded, in an empty folder
    with a clean environment; a program that the machine lacks is left out.
    """
    _same(trial, TOOLS)


@rule("HY-SWAP-11", level=SHOULD, source=SOURCE)
def test_python_does_the_same(trial: Trial) -> None:
    """Python compiles modules to the same bytes, and a slice of its own tests ends the same.

    With PYTHONMALLOC=malloc, so that every object goes through the target.
    """
    _same(trial, PYTHON)
