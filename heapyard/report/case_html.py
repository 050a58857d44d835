"""What the page says of each failure: in words, as calls, as a C program, and as a drawing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from heapyard.report.details import alike
from heapyard.report.heap_svg import draw_heap, nearest
from heapyard.rules import MUST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heapyard.report.budget import Budget
    from heapyard.report.evidence import Evidence
    from heapyard.report.lines import Line
    from heapyard.report.result import Result

__all__ = ["case_sections"]


def case_sections(line: Line, budget: Budget) -> Iterator[str]:
    """A section for each way in which the rule was broken."""
    failed = [result for result in line.results if result and result.failed]
    for same in alike(failed):
        yield from _case(same[0], [each.target for each in same[1:]], budget)


def _case(result: Result, others: list[str], budget: Budget) -> Iterator[str]:
    css = "case" if result.level is MUST else "case should"
    known = " (known)" if result.known else ""
    yield f'<section class="{css}"><h4>{escape(result.target)}{known}</h4>'
    yield budget.text("".join(_facts(result, others)))
    if result.evidence is not None:
        yield from _evidence(result.evidence, budget)
    yield "</section>"


def _facts(result: Result, others: list[str]) -> Iterator[str]:
    yield "<dl>"
    for label, text in result.explanation:
        shown = escape(text)
        is_command = label in ("again", "in C")
        yield f"<dt>{label}</dt><dd>{f'<code>{shown}</code>' if is_command else shown}</dd>"
    if others:
        yield f"<dt>also</dt><dd>{escape(', '.join(others))}</dd>"
    yield "</dl>"


def _evidence(evidence: Evidence, budget: Budget) -> Iterator[str]:
    if evidence.calls:
        yield budget.text(_calls(evidence))
    if evidence.program:
        yield budget.drawing(
            "<details><summary>the same as a C program</summary>"
            f"<pre>{escape(evidence.program)}</pre></details>"
        )
    if evidence.blocks or (evidence.fault and evidence.fault.address):
        yield budget.drawing(_heap(evidence))


def _calls(evidence: Evidence) -> str:
    """The plan's calls; the one that failed is marked."""
    lines = []
    for number, call in enumerate(evidence.calls, evidence.first_call):
        text = escape(f"{number:>5}  {call}")
        lines.append(f"<mark>{text}</mark>" if number == evidence.failing_call else text)
    before = evidence.first_call
    after = evidence.call_count - before - len(evidence.calls)
    if before:
        lines.insert(0, f"       ({before} calls before)")
    if after > 0:
        lines.append(f"       ({after} calls after)")
    return f"<pre>{chr(10).join(lines)}</pre>"


def _heap(evidence: Evidence) -> str:
    dropped = (
        f" The first {evidence.blocks_dropped:,} comings and goings are left out."
        if evidence.blocks_dropped
        else ""
    )
    shown = draw_heap(evidence.blocks, evidence.fault)
    drawn = len(nearest(evidence.blocks, evidence.fault))
    some = ""
    if drawn < len(evidence.blocks):
        some = f" Drawn are the {drawn} blocks nearest to the fault."
    return (
        f'<figure class="heap"><div class="scroll">{shown}</div><figcaption>The heap while the'
        " plan ran once more, with the addresses of that run: a box is a block, from"
        " the call that made it to the one that freed it; heights grow with the logarithm of the"
        " size, gaps between blocks are left out. Red: bytes that two live blocks share. Dashed:"
        f" the block that was complained about.{some}{dropped}</figcaption></figure>"
    )
