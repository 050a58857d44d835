"""What every page has in common: its head, its colours in light and dark, and drawing in SVG.

A page is one file: no scripts, nothing fetched, well-formed as XML too.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from heapyard.report.json import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["page", "shortened", "svg", "write_page"]

_STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #5b636d; --paper: #fff; --line: #d8dde3;
  --soft: #f4f6f8; --bar: #2f6fb0; --base: #a9b3be; --bad: #b3261e; --bad-soft: #fbe3df;
  --warn: #8a5a00; --warn-soft: #fdf0d0; --good: #0b6e6e; --good-soft: #e0f1f0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --dim: #9aa4af; --paper: #14181d;
  --line: #333b45; --soft: #1c2229; --bar: #6aa5e0; --base: #5a6570; --bad: #f28b82;
  --bad-soft: #4a211e; --warn: #f2c063; --warn-soft: #40310f; --good: #6fcfc7;
  --good-soft: #12312f; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
p, figcaption { color: var(--dim); } figure { margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; } text { font: 13px system-ui, sans-serif;
  fill: var(--ink); } .dim { fill: var(--dim); } .bar { fill: var(--bar); }
.base { fill: var(--base); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; } th:first-child, td:first-child { text-align: left; }"""


_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What can't stand in a page, whoever said it."""


def page(title: str, style: str, body: Iterable[str]) -> str:
    """The whole document; `style` is what this page has of its own."""
    return _ODD.sub("\N{REPLACEMENT CHARACTER}", "\n".join(_lines(title, style, body)) + "\n")


def _lines(title: str, style: str, body: Iterable[str]) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>\n{_STYLE}\n{style}\n</style></head><body>"
    yield f"<h1>{escape(title)}</h1>"
    yield from body
    yield "</body></html>"


def svg(width: int, height: int, label: str, shapes: Iterable[str]) -> str:
    """A drawing with a label for those who can't see it."""
    inside = "".join(shapes)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
        f"{inside}</svg>"
    )


def shortened(name: str, letters: int) -> str:
    """The name, cut where it is too long, and safe to stand in a page."""
    return escape(name if len(name) <= letters else name[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}")


def write_page(text: str, path: Path) -> None:
    """Write the page. Raises HeapyardError where that can't be."""
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise unwritable(path, error) from None
