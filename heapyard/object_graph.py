"""The graph of a space's objects as text in the DOT language, for Graphviz to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapyard.objects import ObjectSpace

__all__ = ["dot"]

MOST = 2000
"""Objects that are drawn unless it is said: more can't be read."""


def dot(space: ObjectSpace, most: int = MOST) -> str:
    """What lives in `space`: a node for each object, with its type; an edge for each field.

    Beyond `most` objects a last node says how many were left out.
    """
    objects = space.objects()
    shown = {address: f"n{number}" for number, address in enumerate(objects[:most])}
    lines = ["digraph objects {", "  node [shape=box, fontname=monospace];"]
    for address, name in shown.items():
        count = space.reference_count(address)
        lines.append(f'  {name} [label="{_escaped(space.type_of(address).name)}\\n{count} refs"];')
    for address, name in shown.items():
        lines += [
            f"  {name} -> {shown[child]};" for child in space.references(address) if child in shown
        ]
    if len(objects) > most:
        lines.append(f'  more [label="{len(objects) - most} more", style=dashed];')
    return "\n".join([*lines, "}", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
