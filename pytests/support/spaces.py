"""Object spaces that are verified when their test ends: sound, and given back whole."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from heapyard import ObjectSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from heapyard import FaultyPages

    MakeSpace = Callable[..., ObjectSpace]

__all__ = ["verified_spaces"]


@contextmanager
def verified_spaces(source: FaultyPages, **fixed: Any) -> Iterator[MakeSpace]:
    """Makes spaces over `source`; takes what ObjectSpace takes, beside what is `fixed`."""
    made: list[ObjectSpace] = []

    def make(**config: Any) -> ObjectSpace:
        made.append(ObjectSpace(source=source, **fixed, **config))
        return made[-1]

    yield make
    source.fail_from(0)
    for space in made:
        space.check()
        space.close()
    assert source.counts.mapped_bytes == 0
