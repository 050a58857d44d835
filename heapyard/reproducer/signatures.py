"""The entry points of an allocator as C declares them, and how a program gets at each."""

from dataclasses import dataclass

from heapyard.trial.operations import OPERATIONS

__all__ = ["SIGNATURES", "Signature", "known_functions"]


@dataclass(frozen=True)
class Signature:
    """One function: its result, its parameters, its name in a library."""

    result: str
    parameters: tuple[tuple[str, str], ...]
    symbol: str
    header: str = "stdlib.h"
    """Where it is declared; empty: nowhere yet, so it is looked up when the program runs."""

    @property
    def types(self) -> str:
        """The parameters' types, as a function pointer has them."""
        return ", ".join(kind.rstrip() for kind, _ in self.parameters)

    @property
    def declared(self) -> str:
        """The parameters with their names."""
        return ", ".join(kind + name for kind, name in self.parameters) or "void"

    @property
    def names(self) -> str:
        """The parameters' names, for a call that passes them on."""
        return ", ".join(name for _, name in self.parameters)


_BLOCK = ("void *", "block")
_SIZE = ("size_t ", "size")
_COUNT = ("size_t ", "count")
_ALIGNMENT = ("size_t ", "alignment")


def _allocates(symbol: str, *parameters: tuple[str, str], header: str = "stdlib.h") -> Signature:
    return Signature("void *", parameters, symbol, header)


def _frees(symbol: str, *parameters: tuple[str, str], header: str = "stdlib.h") -> Signature:
    return Signature("void ", (_BLOCK, *parameters), symbol, header)


SIGNATURES: dict[str, Signature] = {
    "malloc": _allocates("malloc", _SIZE),
    "calloc": _allocates("calloc", _COUNT, _SIZE),
    "realloc": _allocates("realloc", _BLOCK, _SIZE),
    "reallocarray": _allocates("reallocarray", _BLOCK, _COUNT, _SIZE),
    "free": _frees("free"),
    "free_sized": _frees("free_sized", _SIZE, header=""),
    "free_aligned_sized": _frees("free_aligned_sized", _ALIGNMENT, _SIZE, header=""),
    "aligned_alloc": _allocates("aligned_alloc", _ALIGNMENT, _SIZE),
    "posix_memalign": Signature(
        "int ", (("void **", "block"), _ALIGNMENT, _SIZE), "posix_memalign"
    ),
    "memalign": _allocates("memalign", _ALIGNMENT, _SIZE, header="malloc.h"),
    "valloc": _allocates("valloc", _SIZE, header="malloc.h"),
    "pvalloc": _allocates("pvalloc", _SIZE, header="malloc.h"),
    "usable_size": Signature("size_t ", (_BLOCK,), "malloc_usable_size", "malloc.h"),
    "trim": Signature("int ", (("size_t ", "pad"),), "malloc_trim", "malloc.h"),
    "check": Signature("const char *", (), "", ""),
}
"""By the name that a plan's operations and a `heapyard_target` table have for them."""


def known_functions() -> frozenset[str]:
    """Entry points that some operation calls; a test holds them against this table."""
    return frozenset(each.function for each in OPERATIONS if each.function)
