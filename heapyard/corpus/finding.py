"""What the rules said of one defect."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heapyard.corpus.defects import Defect

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A defect is caught where its rule sees it, as what it is, and passes the sound build."""

    defect: Defect
    seen: str
    """What the rule meant for it saw: the kind, "pass" or "skip"."""
    text: str
    """The same for people."""
    sound: str
    """What that rule says of the sound build: "pass", or it proves nothing."""
    others: tuple[str, ...] | None = None
    """Which other rules fail too; None: they were not asked."""
    seconds: float = 0.0

    @property
    def is_caught(self) -> bool:
        """By its own rule, and with the right kind."""
        return self.seen == self.defect.shows and self.sound == "pass"

    @property
    def answer(self) -> str:
        """In a word or a few."""
        if self.sound != "pass":
            return f"no proof: the sound build gives {self.sound}"
        if self.is_caught:
            return f"caught: {self.seen}"
        if self.seen in ("pass", "skip"):
            return f"MISSED: {self.seen}"
        return f"MISSED: {self.seen}, not {self.defect.shows}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **asdict(self.defect),
            "caught": self.is_caught,
            "seen": self.seen,
            "text": self.text,
            "sound": self.sound,
            "others": None if self.others is None else list(self.others),
            "seconds": round(self.seconds, 3),
        }
