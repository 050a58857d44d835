"""A function that a program may need: its text, and what it takes."""

from dataclasses import dataclass

__all__ = ["Helper"]


@dataclass(frozen=True)
class Helper:
    """One function's C text, what it needs, and the headers for it."""

    text: str
    needs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
