"""How much a page may hold: a page of two megabytes opens at once, one of twenty does not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Budget"]


@dataclass
class Budget:
    """Characters that are left, of texts and of drawings and programs.

    What stands first in the page is taken first; drawings never take the place of texts.
    """

    texts: int = 600_000
    drawings: int = 800_000
    left_out: int = 0
    """How many found no room."""

    def text(self, text: str) -> str:
        """The text, or nothing where there is no room."""
        if len(text) > self.texts:
            self.left_out += 1
            return ""
        self.texts -= len(text)
        return text

    def drawing(self, text: str) -> str:
        """The same for a drawing or a program."""
        if len(text) > self.drawings:
            self.left_out += 1
            return ""
        self.drawings -= len(text)
        return text

    def note(self) -> str:
        """For the end of the page."""
        if not self.left_out:
            return ""
        return (
            f"<p>{self.left_out} texts, programs and drawings are left out, since the page is"
            " large. Run fewer rules (-k) or fewer targets to see them.</p>"
        )
