"""The parts of a plan: who makes the calls, and when. What each means stands in <heapyard/plan.h>.

plan.on_thread(1)
block = plan.malloc(100)
with plan.parallel(times=1000):
plan.on_thread(1)
plan.free(plan.malloc(24))
plan.on_thread(2)
with plan.fork():
plan.free(block)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from heapyard.trial.header import PlanError
from heapyard.trial.operations import BY_NAME, EARLY_SIZES, Call, Expect
from heapyard.trial.slots import Slot

__all__ = ["StructureCalls", "closed", "sections_of"]

MAX_THREADS = 256
LEAST_STACK = 16 << 10
LARGEST_STACK = 1 << 30


class StructureCalls:
    """What a Plan offers beside calls."""

    _vacant: list[int]
    """Slot numbers that can be used again."""
    _vacant_of: dict[int, list[int]] | None = None
    """In a parallel section: those of the other threads; each keeps to its own."""
    _late_vacant: dict[int, list[int]]
    """Those that a thread's calls in destructors leave, once it has ended."""
    _thread = 0

    def _add(
        self,
        name: str,
        slot: int | None = None,
        size: int = 0,
        arg: int | None = None,
        expect: int = 0,
    ) -> Call:
        raise NotImplementedError

    def _create(self, name: str, size: int, arg: int | None, expect: int) -> Slot:
        raise NotImplementedError

    def _copy_of_slots(self) -> "StructureCalls":
        raise NotImplementedError

    def _back_to(self, kept: "StructureCalls") -> None:
        raise NotImplementedError

    def on_thread(self, thread: int, *, errno_kept: bool = False) -> None:
        """Let this thread make the calls from here on (0: main's); the others wait.

        `errno_kept`: the thread finds errno as its own last call left it.
        """
        if not 0 <= thread < MAX_THREADS:
            raise PlanError(f"Invalid thread={thread}: must be 0 to {MAX_THREADS - 1}")
        if self._vacant_of is not None:
            self._vacant_of[self._thread] = self._vacant
            self._vacant = self._vacant_of.pop(thread, [])
        self._thread = thread
        self._add("on_thread", size=thread, expect=Expect.ERRNO_KEPT if errno_kept else 0)

    def stack(self, size: int) -> None:
        """Let threads that start from here on have a stack of so many bytes; 0: the usual."""
        if size and not LEAST_STACK <= size <= LARGEST_STACK:
            bounds = f"0, or {LEAST_STACK} to {LARGEST_STACK}"
            raise PlanError(f"Invalid size={size}: must be {bounds}")
        self._add("stack", size=size)

    def join(self, thread: int) -> None:
        """End the thread and wait for it."""
        self._add("join", size=thread)
        self._vacant.extend(self._late_vacant.pop(thread, ()))

    @contextmanager
    def parallel(self, times: int = 1) -> Iterator[None]:
        """Let the threads that `on_thread` names in the section run at the same time.

        Each makes its calls there in order, `times` times. A slot is used by one of them only.
        """
        self._add("parallel", size=times)
        thread, before = self._thread, self._vacant
        self._vacant, self._vacant_of = [], {}
        yield
        mine = [self._vacant, *self._vacant_of.values()]
        self._vacant, self._vacant_of = [*before, *chain.from_iterable(mine)], None
        self._thread = thread
        self._add("end_section")

    @contextmanager
    def in_destructor(self, turn: int) -> Iterator[None]:
        """Have the calls made when the current thread ends.

        `turn` 0: in the destructor of a C++ thread_local object; 1 to 4: in the destructor of a
        pthread key, the so-manieth time that it is called.
        """
        self._add("in_destructor", size=turn)
        with self._later() as left:
            yield
        self._late_vacant.setdefault(self._thread, []).extend(left)
        self._add("end_section")

    @contextmanager
    def _later(self) -> Iterator[list[int]]:
        """Calls that are made later than they stand here: until then no other uses their slots.

        Answers the slots that they leave, when they stand there.
        """
        before, self._vacant = self._vacant, []
        yield self._vacant
        self._vacant = before

    @contextmanager
    def fork(self) -> Iterator[None]:
        """Have the calls made by a forked child; the plan goes on with what was before."""
        self._add("fork")
        kept = self._copy_of_slots()
        yield
        self._back_to(kept)
        self._add("end_section")

    def signals(self, microseconds: int, *, forks: bool = False) -> None:
        """Send the current thread a signal again and again; 0 ends that.

        `forks`: its handler forks a child that ends at once.
        """
        self._add("signals", size=microseconds, arg=int(forks))

    @contextmanager
    def at_exit(self) -> Iterator[None]:
        """Have the calls made by a handler that atexit() registers here."""
        self._add("at_exit")
        with self._later():
            yield
        self._add("end_section")

    def early(self, number: int) -> Slot:
        """Take the block that a constructor made: 0 malloc, 1 calloc, 2 realloc, 3 a large one."""
        if not 0 <= number < len(EARLY_SIZES):
            raise PlanError(f"Invalid number={number}: must be 0 to {len(EARLY_SIZES) - 1}")
        return self._create("early", number, None, 0)

    def atfork(self) -> None:
        """Register handlers of fork that call malloc and free."""
        self._add("atfork")


def sections_of(calls: Sequence[Call]) -> list[tuple[int, int]]:
    """Where sections open and end; one that has no end is left out."""
    open_at: list[int] = []
    found = []
    for index, call in enumerate(calls):
        if call.operation.opens:
            open_at.append(index)
        elif call.code == _END and open_at:
            found.append((open_at.pop(), index))
    return found


def closed(calls: Sequence[Call]) -> list[Call]:
    """The calls, and an end for each section that has none."""
    depth = sum(call.operation.opens for call in calls) - sum(call.code == _END for call in calls)
    return [*calls, *[Call(_END)] * depth]


_END = BY_NAME["end_section"].code
