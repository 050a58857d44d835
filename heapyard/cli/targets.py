"""`heapyard targets`: the allocators that can be put on trial on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from heapyard._native.build import use_build
from heapyard.cli._parser import PASSED, add_library
from heapyard.report.style import style_for

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from heapyard.cli._parser import Verbs
    from heapyard.trial import FoundTarget, Target

__all__ = ["add", "run"]

_DESCRIPTION = """\
List the allocators that are found on this machine: those built in, and the malloc replacements that
the loader knows. Any other shared library can be named by its path."""


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
    from heapyard.trial import list_targets  # noqa: PLC0415  (it asks each one: a child apiece)

    if options.lib:
        use_build(options.lib)
    found = list_targets()
    if options.json:
        facts = [_facts(each.text, each.target) for each in found if each.target]
        print(json.dumps({"schema": "heapyard.targets/1", "targets": facts}, indent=1))
        return PASSED
    for line in _lines(found):
        print(line)
    return PASSED


def _facts(text: str, target: Target) -> dict[str, Any]:
    return {
        "target": text,
        "path": None if target.path is None else str(target.path),
        "mode": target.mode,
        "capabilities": target.capabilities.to_json(),
    }


def _lines(found: Sequence[FoundTarget]) -> Iterator[str]:
    style = style_for(sys.stdout)
    width = max(len(each.text) for each in found)
    for each in found:
        name = f"{each.text:<{width}}"
        if each.target is None:
            yield f"{name}  {style(each.problem, 'yellow')}"
            continue
        functions = f"{len(each.target.capabilities.functions):>2} functions"
        where = each.target.path or each.target.version
        yield f"{style(name, 'bold')}  {each.target.mode:<7}  {functions}  {where}".rstrip()
    yield ""
    yield "Any shared library with malloc is a target too: heapyard check ./libmine.so"
