"""HY-SWAP, continued: what an allocator tells of itself, by functions of glibc, where it has them.

mallinfo2, or mallinfo where that is all there is; malloc_info. One whose figures are all 0 tells
nothing, and is not asked.
"""

from heapyard.contract.replacement import holds_as_malloc
from heapyard.rules import MUST, SHOULD, Trial, rule

MALLINFO = "mallinfo(3)"


@rule("HY-SWAP-12", level=SHOULD, source=f"{MALLINFO}: bytes used by in-use allocations")
def test_mallinfo_follows_what_is_live(trial: Trial) -> None:
    """What mallinfo says is in use rises with blocks that are made, and falls when they are freed.

    uordblks + hblkhd, for 16 MiB of blocks of 100 bytes to 2 MiB: a rise of three quarters to twice
    of what is live (size classes, headers, caches); freed by the thread that made them or by
    another, as before to 8 MiB (a quarantine).
    """
    holds_as_malloc(trial, "in_use")


@rule("HY-SWAP-13", level=MUST, source=f"{MALLINFO}: each figure is a number or an amount")
def test_mallinfo_never_wraps(trial: Trial) -> None:
    """No figure of mallinfo is negative, or larger than the process's address space.

    After blocks have grown, shrunk, been aligned, and been freed by another thread or after the end
    of theirs. Far less than 2 GiB is live, so that mallinfo's int is wide enough.
    """
    holds_as_malloc(trial, "sane")


@rule("HY-SWAP-14", level=SHOULD, source=f"{MALLINFO}: the total amount of memory allocated")
def test_mallinfo_agrees_with_the_system(trial: Trial) -> None:
    """The memory that mallinfo says came from the system covers what is in use, and is mapped.

    arena + hblkhd, at least uordblks + hblkhd, at most the address space of the process; after 4
    GiB of large blocks have come and gone too.
    """
    holds_as_malloc(trial, "system")


@rule("HY-SWAP-15", level=MUST, source="malloc_info(3)")
def test_malloc_info_writes_a_document(trial: Trial) -> None:
    """malloc_info(0, stream) answers 0 and writes one XML element; other options are refused."""
    holds_as_malloc(trial, "info")
