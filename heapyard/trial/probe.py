"""Finding out what a target can do, by asking a child that loads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heapyard.trial.capabilities import Capabilities
from heapyard.trial.child import Ended, Limits, run_child
from heapyard.trial.signals import ending, last_words
from heapyard.trial.targets import TargetError

__all__ = ["Probe", "probe"]

_SCHEMA = "heapyard.capabilities/1"
_LIMITS = Limits(seconds=10.0)


@dataclass(frozen=True)
class Probe:
    """What came of loading a target: its capabilities, or why there are none."""

    capabilities: Capabilities | None
    cause: str = ""
    """"load": it can't be loaded; "symbol": it has no malloc; "died": its child did; "refused":
    its child ended by itself, with a word."""
    reason: str = ""


_cache: dict[object, Probe] = {}


def probe(program: tuple[str, ...], environment: Mapping[str, str], path: Path | None) -> Probe:
    """Ask once per file (by its time and size), command and environment.

    Raises TargetError where the runner itself does not start.
    """
    key = (program, tuple(sorted(environment.items())), _stamp(path), _stamp(Path(program[0])))
    if key not in _cache:
        _cache[key] = _ask(program, environment)
    return _cache[key]


def _stamp(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size


def _ask(program: tuple[str, ...], environment: Mapping[str, str]) -> Probe:
    try:
        ended = run_child(
            lambda files: (*program, "--capabilities", "--result", str(files.result)),
            environment,
            limits=_LIMITS,
        )
    except OSError as error:
        raise TargetError(
            f"{program[0]}: the runner does not start ({error.strerror}); build again"
        ) from error
    clean = ended.reason == "itself" and ended.status == 0
    answer = ended.answer(_SCHEMA) if clean else None
    if answer is None:
        return _dead(ended)
    try:
        if "functions" in answer:
            return Probe(Capabilities.from_json(answer))
        return Probe(None, answer["cause"], answer["reason"])
    except (LookupError, TypeError):  # no words of the runner's
        return _dead(ended)


def _dead(ended: Ended) -> Probe:
    """What ended a child: a status that it chose and explained, or else a defect."""
    words = last_words(ended.stderr.decode(errors="replace"))
    chosen = ended.reason == "itself" and os.WIFEXITED(ended.status)
    cause = "refused" if chosen and words else "died"
    return Probe(None, cause, f"{ending(ended)} while it was loaded{words}")
