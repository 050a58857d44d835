"""Figures side by side: in one unit that suits all of a row, and which of them is the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FigureRow", "figure_rows", "format_figure"]

Value = float | None

_SCALES: Mapping[str, tuple[tuple[str, float], ...]] = {
    "bytes": (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)),
    "ns": (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1)),
    "us": (("s", 1e6), ("ms", 1e3), ("us", 1)),
    "s": (("s", 1), ("ms", 1e-3), ("us", 1e-6)),
}


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One figure of several targets."""

    name: str
    unit: str
    values: tuple[Value, ...]
    """In this unit; None where a target has none."""
    words: tuple[str, ...]
    """What each value is called, where it is a place on a scale; else empty."""
    best: frozenset[int]
    """Who is best, where no more than half are."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Each value as text; empty for none."""
        return tuple(
            word or ("" if value is None else format_figure(value))
            for value, word in zip(self.values, self.words, strict=True)
        )


def figure_rows(figures: Sequence[Mapping[str, Any] | None]) -> Iterator[FigureRow]:
    """The rows of one rule: a figure of each target in, with those that stand under "more"."""
    first = next((each for each in figures if each is not None), None)
    if first is None:
        return
    named = [_by_name(each) for each in figures]
    names = list(dict.fromkeys(name for each in named for name in each))
    yield from (_row(name, [each.get(name) for each in named]) for name in names)


def _by_name(figure: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    if figure is None:
        return {}
    return {each["name"]: each for each in (figure, *figure.get("more", ()))}


def _row(name: str, figures: Sequence[Mapping[str, Any] | None]) -> FigureRow:
    known = next(each for each in figures if each is not None)
    values: list[Value] = [None if each is None else each["value"] for each in figures]
    unit, divisor = _scale(known["unit"], values)
    return FigureRow(
        name=name,
        unit=unit,
        values=tuple(None if value is None else value / divisor for value in values),
        words=tuple("" if each is None else str(each.get("word", "")) for each in figures),
        best=_best(values, known.get("better", "")),
    )


def _scale(unit: str, values: Sequence[Value]) -> tuple[str, float]:
    """The largest unit in which the largest value is at least 1."""
    largest = max((abs(each) for each in values if each is not None), default=0)
    scales = _SCALES.get(unit, ())
    fitting = (scale for scale in scales if largest >= scale[1])
    return next(fitting, scales[-1] if scales else (unit, 1))


def _best(values: Sequence[Value], better: str) -> frozenset[int]:
    """Whoever has the best value, unless most have it, or nothing says what is better."""
    known = [value for value in values if value is not None]
    if len(set(known)) < 2 or better not in ("less", "more"):
        return frozenset()
    best = min(known) if better == "less" else max(known)
    found = frozenset(index for index, value in enumerate(values) if value == best)
    return found if 2 * len(found) <= len(known) else frozenset()


def format_figure(value: float) -> str:
    """Three significant digits, with thousands as k, M, G.

    >>> [format_figure(each) for each in (1.0732, 12345, 0.00421, 64)]
    ['1.07', '12.3k', '0.00421', '64']
    """
    if value == int(value) and abs(value) < 10_000:
        return str(int(value))
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= bound:
            return f"{value / bound:.3g}{letter}"
    return f"{value:.3g}"
