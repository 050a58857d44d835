"""`heapyard targets`: the allocators that can be put on trial on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heapyard._defendants import default_targets
from heapyard._native.build import use_build
from heapyard.cli._parser import PASSED, add_library
from heapyard.errors import HeapyardError
from heapyard.report.style import style_for

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from heapyard.cli._parser import Verbs
    from heapyard.trial import Target

__all__ = ["add", "run"]

_DESCRIPTION = """\
List the allocators that are found on this machine: those built in, and the malloc replacements that
the loader knows. Any other shared library can be named by its path."""

_BUILT_IN = ("musl", "python:raw", "python:mem", "python:obj")
_KNOWN = re.compile(
    r"\s(lib(?:jemalloc|mimalloc|tcmalloc|hoard|rpmalloc|snmalloc|scudo|tbbmalloc_proxy|mesh"
    r"|hardened_malloc|ltalloc|supermalloc|lockless|dlmalloc|isoalloc)[\w.+-]*\.so[.0-9]*) .*=> "
)


@dataclass(frozen=True, kw_only=True)
class _Found:
    typed: str
    target: Target | None
    reason: str = ""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "targets", help="list the allocators of this machine", description=_DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="as JSON, with their capabilities")
    add_library(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the list."""
    if options.lib:
        use_build(options.lib)
    found = [_resolve(text) for text in (*default_targets(), *_BUILT_IN, *_libraries())]
    if options.json:
        facts = [_facts(each) for each in found if each.target]
        print(json.dumps({"schema": "heapyard.targets/1", "targets": facts}, indent=1))
        return PASSED
    for line in _lines(found):
        print(line)
    return PASSED


def _resolve(text: str) -> _Found:
    from heapyard.trial import resolve_target  # noqa: PLC0415

    try:
        return _Found(typed=text, target=resolve_target(text))
    except HeapyardError as error:
        return _Found(typed=text, target=None, reason=str(error))


def _libraries() -> list[str]:
    """Sonames of malloc replacements in the loader's cache; none where there is no ldconfig."""
    for command in ("ldconfig", "/sbin/ldconfig"):
        try:
            listing = subprocess.run([command, "-p"], capture_output=True, text=True, check=False)
        except OSError:
            continue
        return sorted(set(_KNOWN.findall(listing.stdout)))
    return []


def _facts(found: _Found) -> dict[str, Any]:
    target = found.target
    assert target is not None
    return {
        "target": found.typed,
        "path": None if target.path is None else str(target.path),
        "mode": str(target.mode),
        "capabilities": target.capabilities.to_json(),
    }


def _lines(found: list[_Found]) -> Iterator[str]:
    style = style_for(sys.stdout)
    width = max(len(each.typed) for each in found)
    for each in found:
        name = f"{each.typed:<{width}}"
        if each.target is None:
            yield style(f"{name}  not here: {each.reason}", "dim")
            continue
        functions = f"{len(each.target.capabilities.functions):>2} functions"
        where = each.target.path or ""
        yield f"{style(name, 'bold')}  {each.target.mode:<7}  {functions}  {where}".rstrip()
    yield ""
    yield "Any shared library with malloc is a target too: heapyard check ./libmine.so"
