"""A graph of objects as text in the DOT language, for Graphviz to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Node", "draw_graph"]


class Node(NamedTuple):
    """One object."""

    address: int
    label: str
    """Its lines, joined by newlines."""
    references: tuple[int, ...]
    """The addresses of the objects that it refers to."""


def draw_graph(nodes: Sequence[Node], total: int) -> str:
    """A box for each node, an arrow for each reference among them.

    Of more than these nodes, `total` in all, a last box says how many were left out.
    """
    names = {node.address: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["digraph objects {", "  node [shape=box, fontname=monospace];"]
    lines += [f'  {names[node.address]} [label="{_escaped(node.label)}"];' for node in nodes]
    for node in nodes:
        name = names[node.address]
        lines += [f"  {name} -> {names[one]};" for one in node.references if one in names]
    if total > len(nodes):
        lines.append(f'  more [label="{total - len(nodes)} more", style=dashed];')
    return "\n".join([*lines, "}", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
