"""What threads do in rules: batches of blocks that one makes and another frees, and slopes.

A slope is what resident memory gains from one round to the next when all rounds are the same. It is
taken between two stretches of rounds, well after the start, by the lowest figure in each: what is
there at every look. So neither caches that fill up nor what the kernel does a moment late decide.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from heapyard.rules import Trial
from heapyard.trial import Plan, Slot

__all__ = [
    "First",
    "Take",
    "batch",
    "free_batch",
    "growth",
    "growth_a_quarter",
    "hand_on",
    "round_sizes",
    "turns",
]

Take = Callable[[list[Slot]], None]
"""What a thread does with the blocks that another one made."""

First = Callable[[Slot], object]
"""The first call of a thread, which gets a block of main's."""


def batch(plan: Plan, sizes: Iterable[int]) -> list[Slot]:
    """One block of each size, made by the current thread."""
    return [plan.malloc(size) for size in sizes]


def free_batch(plan: Plan, blocks: Iterable[Slot]) -> None:
    """Free the blocks, by the current thread."""
    for block in blocks:
        plan.free(block)


def hand_on(plan: Plan, sizes: Iterable[int], maker: int, other: int) -> None:
    """One thread makes the blocks, another one frees them."""
    plan.on_thread(maker)
    blocks = batch(plan, sizes)
    plan.on_thread(other)
    free_batch(plan, blocks)


@contextmanager
def turns(plan: Plan, thread: int) -> Iterator[None]:
    """Let a thread make the calls, then end it, and go on by main."""
    plan.on_thread(thread)
    yield
    plan.join(thread)


def round_sizes(trial: Trial, count: int, largest: int) -> list[int]:
    """Sizes up to `largest`, small ones more often; the same for each target."""
    return [int(2 ** trial.random.uniform(3, largest.bit_length() - 1)) for _ in range(count)]


def growth(figures: Sequence[int], *, since: int = 2) -> int:
    """Bytes gained from the second quarter of the rounds, or that number `since`, to the last."""
    quarter = len(figures) // 4
    return min(figures[-quarter:]) - min(figures[(since - 1) * quarter : since * quarter])


def growth_a_quarter(figures: Sequence[int]) -> int:
    """Bytes gained in a quarter of the rounds, and not once: in the last, and in the last two.

    A heap that takes something more now and then, an arena for a thread, say, gains in one of them.
    """
    return min(growth(figures, since=2) // 2, growth(figures, since=3))
