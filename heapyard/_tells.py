"""The kinds of misuse that an allocator may promise to tell."""

from __future__ import annotations

__all__ = ["TELLS", "read_tells"]

TELLS = {
    "bad-free": "tells_bad_free",
    "bad-write": "tells_bad_write",
    "wrong-size": "tells_wrong_size",
}
"""As users type them, and as flags of a target (<heapyard/target.h> says what each means)."""


def read_tells(text: str) -> tuple[str, ...]:
    """The kinds in a list joined by commas, or all of "all". Raises ValueError for others."""
    kinds = tuple(TELLS) if text == "all" else tuple(filter(None, text.split(",")))
    for kind in kinds:
        if kind not in TELLS:
            raise ValueError(f"{kind!r} must be of {', '.join(TELLS)}, joined by commas, or all")
    return kinds
