"""The machine's own libc as a reference: what it answers in corner cases.

Each question is one call in a process of its own; the answer is success, or failure with an errno.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from errno import EINVAL, ENOMEM
from functools import cache

from heapyard.contract.grids import PAGE, PTRDIFF_MAX, SIZE_MAX
from heapyard.trial import Check, Plan, resolve_target, run_plan

__all__ = ["Answer", "Question", "libc_answers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: success, or failure with this errno (None: any)."""

    success: bool
    errno: int | None = None

    def without_errno(self) -> "Answer":
        """The same, for a target that does not speak through errno."""
        return Answer(self.success)


@dataclass(frozen=True, slots=True)
class Question:
    """One call that makes a block: its name, and its arguments in the order of a plan's method."""

    name: str
    arguments: tuple[int | None, ...]

    def ask(self, plan: Plan, answer: Answer) -> None:
        """Add the call, with this answer expected."""
        fails = None if answer.success else answer.errno or True
        getattr(plan, self.name)(*self.arguments, fails=fails)


ANSWERS = (Answer(True), Answer(False, ENOMEM), Answer(False, EINVAL), Answer(False))
"""All answers that are told apart, the ones that say most first."""


@cache
def libc_answers() -> tuple[tuple[Question, Answer], ...]:
    """Every question with libc's answer; questions that it can't be asked are left out."""
    libc = resolve_target("libc")
    known = [question for question in _questions() if libc.capabilities.has(question.name)]
    return tuple((question, _libc_answer(question)) for question in known)


def _libc_answer(question: Question) -> Answer:
    libc = resolve_target("libc")
    for answer in ANSWERS:
        plan = Plan(checks=Check.NULL | Check.REFUSE | Check.ERRNO | Check.RETURN_CODE)
        question.ask(plan, answer)
        if run_plan(libc, plan).held:
            break
    return answer


def _questions() -> Iterator[Question]:
    for size in (0, 1, PTRDIFF_MAX, PTRDIFF_MAX + 1, SIZE_MAX - PAGE, SIZE_MAX):
        yield Question("malloc", (size,))
        yield Question("realloc", (None, size))
        yield Question("valloc", (size,))
        for alignment in (8, 64, PAGE):
            yield Question("posix_memalign", (alignment, size))
            yield Question("memalign", (alignment, size))
            yield Question("aligned_alloc", (alignment, size // alignment * alignment))
    for size in (1, PTRDIFF_MAX + 1, SIZE_MAX):
        yield Question("pvalloc", (size,))
    for count, size in ((0, 0), (0, 8), (8, 0), (0, SIZE_MAX), (1 << 32, 1 << 32), (3, 1 << 63)):
        yield Question("calloc", (count, size))
        yield Question("reallocarray", (None, count, size))
    for alignment in (0, 1, 4, 12, 24, 100):
        yield Question("posix_memalign", (alignment, 64))
