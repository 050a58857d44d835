"""A packed plan that is run as it is: recordings have millions of calls."""

import functools
from collections.abc import Sequence

from heapyard.trial import encoding
from heapyard.trial.header import Header
from heapyard.trial.operations import BY_CODE, Call

__all__ = ["PackedPlan"]


class PackedPlan:
    """What running a plan needs of one, its calls taken apart only where asked for."""

    def __init__(self, data: bytes, name: str = "") -> None:
        """Take the bytes of a packed plan (<heapyard/plan.h>). Raises PlanError for others."""
        self._data = data
        self._body, self._count = encoding.body_of(data)
        self.header = Header(name=name)

    @property
    def name(self) -> str:
        """The name given at construction."""
        return self.header.name

    @property
    def functions(self) -> frozenset[str]:
        """The entry points that the target must have for this plan."""
        functions = (BY_CODE[code].function for code in self.codes)
        return frozenset(function for function in functions if function)

    @property
    def codes(self) -> frozenset[int]:
        """Which operations it has."""
        return frozenset(self._data[self._body :: encoding.CALL_SIZE])

    @functools.cached_property
    def calls(self) -> Sequence[Call]:
        """All calls, taken apart: about two seconds for a million."""
        return encoding.unpack(self._data)[1]

    def to_bytes(self) -> bytes:
        """The packed form."""
        return self._data

    def __len__(self) -> int:
        """How many calls."""
        return self._count

    def __bool__(self) -> bool:
        """A plan without calls is still a plan."""
        return True
