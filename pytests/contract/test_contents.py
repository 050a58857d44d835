"""HY-DATA: live blocks don't overlap, keep their contents, and lie in memory that is there."""

from heapyard.contract.grids import BORDERS, KIB, MIB, PAGE, SMALL, STEPS, entry_paths, powers
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, NotApplicable, Trial, rule
from heapyard.trial import Check, Slot

KEPT = Check.CONTENT
DISJOINT = "C17 7.22.3p1: disjoint from any other object"
LIFETIME = "C17 6.2.4p2: an object retains its last-stored value throughout its lifetime"


@rule("HY-DATA-01", level=MUST, source=LIFETIME, needs={"free"})
def test_free_changes_no_other_block(trial: Trial) -> None:
    """free changes no byte of a block that is live.

    Every second, then every third block of twelve sizes goes; then the others are verified.
    """
    plan = trial.plan(KEPT)
    for size in (8, 16, 24, 40, 64, 100, 256, 500, 1000, 3000, 10_000, 50_000):
        blocks = [plan.malloc(size) for _ in range(48)]
        for block in blocks[::2]:
            plan.free(block)
        plan.check_all()
        for block in blocks[1::6]:
            plan.free(block)
        plan.check_all()
    trial.holds(plan)


@rule("HY-DATA-02", level=MUST, source=DISJOINT)
def test_blocks_never_overlap(trial: Trial) -> None:
    """No two live blocks share a byte.

    Four of each size up to 1 KiB, two on both sides of each eighth of an octave up to 64 KiB, and
    the borders up to 4 MiB, all live at once.
    """
    plan = trial.plan(Check.OVERLAP)
    for sizes, copies in ((SMALL, 4), (STEPS, 2), (BORDERS, 1)):
        for size in sizes:
            for _ in range(copies):
                plan.malloc(size)
    trial.holds(plan)


@rule("HY-DATA-03", level=MUST, source=DISJOINT)
def test_thousands_of_blocks_of_a_size_are_distinct(trial: Trial) -> None:
    """Seventy thousand live blocks of one size have as many addresses.

    More than a number of 16 bits can count.
    """
    plan = trial.plan(Check.OVERLAP)
    for size, count in ((48, 10_000), (16, 70_000)):
        for _ in range(count):
            plan.malloc(size)
    trial.holds(plan)


@rule("HY-DATA-04", level=MUST, source=LIFETIME)
def test_writing_one_block_changes_no_other(trial: Trial) -> None:
    """What is written into one block is seen in no other, whatever their addresses.

    Pages can be mapped twice; only the contents tell. Each block is written again after all were
    made, then all are verified.
    """
    plan = trial.plan(KEPT)
    blocks = [plan.malloc(size) for size in (24, 500, 5000, 40_000, 70_000, 200_000, MIB) * 6]
    for block in blocks:
        plan.write(block)
    plan.check_all()
    for block in blocks[::3]:
        plan.write(block)
    plan.check_all()
    trial.holds(plan)


@rule("HY-DATA-05", level=MUST, source="C17 6.2.4p2: an object has storage")
def test_blocks_lie_in_mapped_memory(trial: Trial) -> None:
    """Each page of a block is mapped.

    Large blocks above all: their last page is where a rounding goes wrong.
    """
    plan = trial.plan(Check.MAPPED)
    for size in (1, 100, 5000, *BORDERS, 10 * MIB + 1):
        plan.malloc(size)
    trial.holds(plan)


@rule(
    "HY-DATA-06",
    level=MUST,
    source=DISJOINT,
    needs={"memalign"},
    bug="musllibc of seL4, issue 17: two calls of memalign(0x40, 0x1000) gave one address",
)
def test_aligned_blocks_never_overlap(trial: Trial) -> None:
    """Blocks of memalign overlap neither each other nor those of malloc.

    The same request again and again, and then with others in between.
    """
    plan = trial.plan(Check.OVERLAP)
    for alignment in powers(16, 8 * KIB):
        for size in (16, alignment, PAGE):
            for _ in range(6):
                plan.memalign(alignment, size)
            for _ in range(3):
                plan.malloc(size)
                plan.memalign(alignment, size)
    trial.holds(plan)


@rule(
    "HY-DATA-07",
    level=MUST,
    source=DISJOINT,
    needs={"memalign", "free"},
    bug="rpmalloc issue 20: after memalign and free, malloc followed a bad pointer",
)
def test_freed_aligned_blocks_are_used_again_whole(trial: Trial) -> None:
    """What was an aligned block is used again without harm to what lies around it.

    Aligned and plain blocks are freed and asked for again, in turns and in sizes that share their
    memory.
    """
    plan = trial.plan(APART)
    for alignment in powers(32, 4 * KIB):
        for size in (24, 100, alignment, 1000):
            aligned = [plan.memalign(alignment, size) for _ in range(6)]
            for block in aligned[::2]:
                plan.free(block)
            for extra in (0, 16, alignment // 2, alignment - 1, alignment):
                plan.malloc(size + extra)
                plan.malloc(size + extra)
    plan.check_all()
    trial.holds(plan)


@rule("HY-DATA-08", level=MUST, source=DISJOINT, needs={"free"})
def test_any_order_of_freeing_is_right(trial: Trial) -> None:
    """Blocks freed forwards, backwards, odd ones first or at random leave the others whole.

    A third of the blocks stays live. Then the memory is used again, for the same size and for
    twice as much.
    """
    plan = trial.plan(APART)
    for size in (16, 100, 480, 2000, 9000):
        for order in ("forward", "backward", "odd first", "random"):
            blocks = [plan.malloc(size) for _ in range(60)]
            for block in _ordered(trial, blocks[10:30] + blocks[40:60], order):
                plan.free(block)
            for _ in range(20):
                plan.malloc(size)
                plan.malloc(2 * size)
            plan.check_all()
    trial.holds(plan)


@rule("HY-DATA-09", level=MUST, source=DISJOINT, needs={"free"})
def test_large_blocks_come_and_go_without_harm(trial: Trial) -> None:
    """Large blocks of changing sizes never overlap, and each is there to its last page.

    A larger request right after a free of a smaller block: caches of large blocks serve it.
    """
    plan = trial.plan(APART | Check.MAPPED)
    kept: list[Slot] = []
    for turn in range(60):
        size = trial.random.randrange(34 * KIB, 600 * KIB)
        kept.append(plan.malloc(size))
        plan.free(plan.malloc(size))
        kept.append(plan.malloc(size + size // 6))
        if turn % 3:
            plan.free(kept.pop(trial.random.randrange(len(kept))))
    plan.check_all()
    trial.holds(plan)


@rule("HY-DATA-10", level=MUST, source=DISJOINT)
def test_blocks_at_the_end_of_a_chunk_are_whole(trial: Trial) -> None:
    """The last block of each page run, chunk or arena lies wholly inside.

    Eight megabytes of each of five sizes that divide no power of two: many ends are met.
    """
    plan = trial.plan(Check.MAPPED | APART)
    for size in (1000, 6000, 12_000, 24_000, 31_000):
        for _ in range(8 * MIB // size if size > 5000 else 3000):
            plan.malloc(size)
        plan.free_all()
    trial.holds(plan)


@rule("HY-DATA-11", level=MUST, source=LIFETIME)
def test_making_a_block_changes_no_other(trial: Trial) -> None:
    """No call that makes a block changes a byte of a live one.

    By every entry point, in sizes up to 100,000 bytes; all are verified after each size.
    """
    plan = trial.plan(KEPT)
    for size in (8, 16, 40, 100, 500, 1000, 4000, 20_000, 100_000):
        for _ in range(3):
            for path in entry_paths(trial):
                path.ask(plan, size)
        plan.check_all()
    trial.holds(plan)


def _ordered(trial: Trial, blocks: list[Slot], order: str) -> list[Slot]:
    if order == "backward":
        return blocks[::-1]
    if order == "odd first":
        return blocks[1::2] + blocks[::2]
    return trial.random.sample(blocks, len(blocks)) if order == "random" else blocks


@rule("HY-DATA-12", level=MUST, source=LIFETIME, needs={"free"})
def test_any_of_many_blocks_of_one_size_can_be_replaced(trial: Trial) -> None:
    """Of five thousand live blocks of one size any may be freed, and another takes its place.

    Each of 16, 48, 100 and 400 bytes; five thousand times a random one. What an allocator keeps of
    a run of so many blocks, a bit or an index each, has to be right for all of them.
    """
    for size in (16, 48, 100, 400):
        plan = trial.plan(APART)
        blocks = [plan.malloc(size) for _ in range(5000)]
        for _ in range(5000):
            index = trial.random.randrange(len(blocks))
            plan.free(blocks[index])
            blocks[index] = plan.malloc(size)
        trial.holds(plan)


@rule("HY-DATA-13", level=MUST, source=LIFETIME, needs={"free"})
def test_blocks_are_whole_after_gigabytes_have_come_and_gone(trial: Trial) -> None:
    """Blocks are as whole after 4 GiB of others have come and gone as at the start.

    More than 32 bits can count, and than any region that is gone through once and then again.
    Eleven hundred blocks of 4 MiB, eight of them live; with each one some of 24 to 60,000 bytes, of
    which a few hundred are live. An allocator that uses no memory again runs out of it before: that
    is for other rules to say.
    """
    plan = trial.plan(APART)
    large: list[Slot] = []
    small: list[Slot] = []
    for _ in range(1100):
        large.append(plan.malloc(4 * MIB, may_fail=True))
        small += [plan.malloc(size, may_fail=True) for size in (24, 300, 5000, 60_000)]
        if len(large) > 8:
            plan.free(large.pop(0))
        if len(small) > 300:
            for _ in range(4):
                plan.free(small.pop(trial.random.randrange(280)))
    plan.check_all()
    outcome = trial.run(plan, time_limit=25)
    if outcome.status == "runaway":
        raise NotApplicable("what is freed is not used again: it never comes to 4 GiB")
    if not outcome.held:
        trial.holds(plan, time_limit=25)


@rule(
    "HY-DATA-14",
    level=SHOULD,
    source="sbrk(2): any library of the program may call it; glibc's malloc allows for that",
)
def test_memory_that_the_program_takes_by_sbrk_stays_its_own(trial: Trial) -> None:
    """What the program takes by sbrk between requests overlaps no block and keeps its contents.

    An allocator on the break must look whether the break is where it left it. Eight times 4 KiB of
    the break, each after a MiB of blocks of 100 to 20,000 bytes.
    """
    plan = trial.plan(APART)
    for _ in range(8):
        for size in (100, 3000, 20_000):
            blocks = [plan.malloc(size) for _ in range(350 * KIB // size)]
            if trial.target.capabilities.has("free"):
                for block in blocks[::3]:
                    plan.free(block)
        plan.foreign("break", PAGE)
    plan.check_all()
    trial.holds(plan)
