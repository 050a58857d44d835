"""Numbers as a reader of C expects them."""

import re

__all__ = ["atom", "number"]

_SIZE_MAX = (1 << 64) - 1
_PTRDIFF_MAX = (1 << 63) - 1
_NEAR = 1 << 17


def number(value: int) -> str:
    """A size_t's value as C text.

    >>> [number(each) for each in (100, 1 << 30, (1 << 64) - 1, (1 << 63) + 1)]
    ['100', '(size_t)1 << 30', 'SIZE_MAX', '(size_t)PTRDIFF_MAX + 2']
    """
    for name, base in (("SIZE_MAX", _SIZE_MAX), ("(size_t)PTRDIFF_MAX", _PTRDIFF_MAX)):
        if value == base:
            return name
        if abs(value - base) < _NEAR:
            return f"{name} {'+' if value > base else '-'} {abs(value - base)}"
    if value >= 1 << 20 and value & (value - 1) == 0:
        return f"(size_t)1 << {value.bit_length() - 1}"
    return f"{value}u" if value > _PTRDIFF_MAX else str(value)


def atom(text: str) -> str:
    """The expression, in brackets unless it is one word.

    >>> atom("s->size"), atom("a + b")
    ('s->size', '(a + b)')
    """
    return text if re.fullmatch(r"[\w.>\[\]-]+", text) else f"({text})"
