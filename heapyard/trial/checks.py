"""Which properties a plan verifies: the check mask, bit for bit that of <heapyard/plan.h>."""

from enum import IntFlag

__all__ = ["Check"]


class Check(IntFlag):
    """Kinds of violation. One that is not in a plan's mask is neither computed nor reported.

    ENGINE alone is in force whatever the mask says.
    """

    NONE = 0
    NULL = 1 << 0
    """NULL (or an error code) where the call must succeed."""
    REFUSE = 1 << 1
    """A block where the call must fail."""
    ALIGN = 1 << 2
    """A block at an address that is no multiple of what was promised (C17 7.22.3)."""
    OVERLAP = 1 << 3
    """A block that shares a byte with a live one, or wraps around the address space."""
    CONTENT = 1 << 4
    """Bytes of a live block that changed, or that realloc did not carry over."""
    ZERO = 1 << 5
    """A byte of calloc's that is not zero (C17 7.22.3.2)."""
    ERRNO = 1 << 6
    """errno other than the call's contract says."""
    USABLE = 1 << 7
    """A usable size below what was asked for."""
    RETURN_CODE = 1 << 8
    """posix_memalign's return value other than 0, EINVAL or ENOMEM as the case demands."""
    MAPPED = 1 << 9
    """A block outside the memory that the process has mapped."""
    IN_PLACE = 1 << 10
    """A realloc that moved where the plan says that it must not."""
    MEMPTR = 1 << 11
    """posix_memalign failed and yet wrote *memptr."""
    SELF_CHECK = 1 << 12
    """The target's own `check` found its structure damaged."""
    ENGINE = 1 << 13
    """A block in the engine's own memory: no live one's, but not the target's either. Told in
    every plan, before the block is written."""
    MISUSE = 1 << 16
    """A misuse that the target was to tell, and did not: see `Plan.untold`."""

    ALL = (1 << 14) - 1 | MISUSE
    DEFAULT = ALL & ~SELF_CHECK & ~MISUSE

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the single kinds in this mask, as verdicts and JSON spell them."""
        return tuple(kind for kind, bit in _BITS.items() if self & bit)

    @classmethod
    def of(cls, kinds: list[str] | tuple[str, ...]) -> "Check":
        """The mask of these kinds. Raises KeyError for a name that is none."""
        mask = cls.NONE
        for kind in kinds:
            mask |= _BITS[kind]
        return mask


_BITS: dict[str, Check] = {
    str(bit.name).lower(): bit for bit in Check if bit.value.bit_count() == 1
}
