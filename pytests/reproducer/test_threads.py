"""Plans with threads, children, handlers and signals as C programs: real ones, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heapyard.reproducer import Failure, NoProgramError, c_program, listing, program
from heapyard.trial import Check, Plan, Target, resolve_target
from pytests.reproducer.programs import Run, compiled, run
from pytests.support.compilers import with_each_compiler

ANY = Failure()
CHECKS = Check.DEFAULT

Build = Callable[[Plan], None]


@pytest.fixture(autouse=True)
def _short_races(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "RACE_SECONDS", 1)


@pytest.fixture(scope="module")
def libc() -> Target:
    return resolve_target("libc")


def in_turn(plan: Plan) -> None:
    """Blocks go from thread to thread; one ends in between, and begins anew."""
    block = plan.malloc(100)
    plan.on_thread(1)
    plan.realloc(block, 300)
    other = plan.malloc(24)
    plan.on_thread(2)
    plan.free(block)
    plan.join(1)
    plan.on_thread(1)
    plan.free(other)
    plan.malloc(10)


def at_once(plan: Plan) -> None:
    """Main and three threads; one resizes what main made, one forks."""
    block = plan.malloc(100)
    with plan.parallel(50):
        plan.on_thread(0)
        plan.free(plan.calloc(3, 30))
        plan.on_thread(1)
        first = plan.malloc(24)
        plan.realloc(first, 2000, may_fail=True)
        plan.free(first)
        plan.on_thread(2)
        plan.realloc(block, 500)
        plan.on_thread(3)
        with plan.fork():
            plan.free(plan.malloc(5000))
    plan.check_all()


def ending(plan: Plan) -> None:
    """Calls in each kind of destructor, and blocks that outlive their thread."""
    for thread, turn in enumerate((0, 1, 4), start=1):
        plan.on_thread(thread)
        block = plan.malloc(50)
        with plan.in_destructor(turn):
            plan.free(block)
            plan.malloc(40)
    plan.join(2)
    plan.malloc(7)


def forked(plan: Plan) -> None:
    """Children of main and of a thread change their own copies; handlers of fork allocate."""
    plan.atfork()
    block, other = plan.malloc(100), plan.malloc(20)
    for thread in (0, 1):
        plan.on_thread(thread)
        with plan.fork():
            plan.realloc(block, 4000)
            plan.free(other)
        plan.check_all()


def interrupted(plan: Plan) -> None:
    """Signals for main, then for a thread, and a handler that forks.

    Not while the thread is inside of malloc: fork takes malloc's locks in glibc, and one program in
    two thousand would wait for itself there.
    """
    plan.signals(200)
    plan.free(plan.malloc(100))
    plan.signals(0)
    plan.on_thread(1)
    block = plan.malloc(3000)
    plan.signals(500, forks=True)
    plan.check(block)
    plan.free(None)
    plan.signals(0)
    plan.free(block)


def at_exit(plan: Plan) -> None:
    """Two handlers, of which the one registered last is called first."""
    with plan.at_exit():
        plan.free(plan.malloc(30))
    block = plan.malloc(60)
    with plan.at_exit():
        plan.free(block)
        plan.malloc(5)


def early(plan: Plan) -> None:
    """Blocks from before main."""
    blocks = [plan.early(number) for number in range(4)]
    plan.realloc(blocks[1], 3000)
    plan.free(blocks[0])


def early_of_many(plan: Plan) -> None:
    """Blocks from before main in a program that has arrays and loops."""
    early(plan)
    for size in range(40):
        plan.malloc(1 + size * size)


SCENES: tuple[Build, ...] = (
    in_turn,
    at_once,
    ending,
    forked,
    interrupted,
    at_exit,
    early,
    early_of_many,
)

ONCE = (at_exit, early, early_of_many)
"""What can be done once a process."""


@with_each_compiler
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_section_compiles_and_holds_on_libc(
    compiler: str, scene: Build, libc: Target, tmp_path: Path
) -> None:
    plan = Plan(scene.__name__, checks=CHECKS)
    scene(plan)
    assert run(compiled(c_program(plan, ANY, libc), tmp_path, compiler=compiler)) == Run(0, "")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("status", ["crash", "overlap"])
def test_what_is_looked_for_in_every_section_is_not_there(
    status: str, scene: Build, libc: Target, tmp_path: Path
) -> None:
    plan = Plan(scene.__name__, checks=CHECKS, repeat=1 if scene in ONCE else 3)
    scene(plan)
    seen = Failure(status="crash", op=2)
    if status != "crash":
        seen = Failure(status="violation", kind=status, op=2, expected="x", seen="y")
    assert run(compiled(c_program(plan, seen, libc), tmp_path)) == Run(0, "")


def test_a_thread_makes_its_calls_itself(libc: Target, tmp_path: Path) -> None:
    """errno is a thread's own: one that fails to allocate leaves main's alone."""
    plan = Plan("errno", checks=Check.ERRNO)
    plan.on_thread(1)
    plan.malloc((1 << 64) - 64, fails=True)
    plan.on_thread(0, errno_kept=True)
    text = c_program(plan, ANY, libc)
    assert run(compiled(text, tmp_path)) == Run(0, "")
    by_main = text.replace("on_thread(1, part_1);", "part_1();")
    ran = run(compiled(by_main.replace("static void on_thread", "void on_thread"), tmp_path))
    assert (ran.code, ran.text) == (1, "expected: errno of thread 0 as it left it: 0; seen: 12\n")


def test_a_race_is_run_again_and_again_and_counted(libc: Target, tmp_path: Path) -> None:
    plan = Plan("race")
    at_once(plan)
    seen = Failure(status="violation", kind="overlap", op=3, expected="x", seen="y")
    text = c_program(plan, seen, libc)
    once = "        if (child <= 0) {\n"
    assert once in text
    every_other = f'{once}            if (runs % 2 == 0) failed("odd\\n");\n'
    ran = run(compiled(text.replace(once, every_other), tmp_path))
    first, last = ran.text.splitlines()
    shown, runs = (int(word) for word in last.split() if word.isdigit())
    assert (ran.code, first) == (1, "odd")
    assert shown == (runs + 1) // 2


def test_a_child_that_fails_fails_the_program(libc: Target, tmp_path: Path) -> None:
    plan = Plan("forked", checks=Check.CONTENT)
    forked(plan)
    text = c_program(plan, ANY, libc)
    for what, expected in (("abort()", "signal 6"), ("_exit(3)", "")):
        broken = text.replace("        _exit(0);", f"        {what};")
        ran = run(compiled(broken, tmp_path))
        assert (ran.code, expected in ran.text) == (1, True)


def test_threads_that_do_the_same_share_a_function(libc: Target) -> None:
    plan = Plan("alike", checks=Check.NONE)
    for _ in range(6):
        plan.on_thread(1)
        plan.free(plan.malloc(100))
        plan.join(1)
    text = listing(c_program(plan, ANY, libc))
    assert text.count("static void part_") == 1
    assert "for (int n = 0; n < 6; n++) {" in text


def test_what_another_thread_freed_is_not_asked_for_twice(libc: Target, tmp_path: Path) -> None:
    """A slot that is empty is NULL to free, as in a plan, whatever its variable still holds."""
    plan = Plan("twice", checks=CHECKS)
    block = plan.malloc(10)
    plan.free(block)
    free = next(call for call in plan.calls if call.name == "free")
    plan = plan.with_calls([*plan.calls, free, free])
    assert run(compiled(c_program(plan, ANY, libc), tmp_path)) == Run(0, "")


def test_blocks_from_before_main_need_a_malloc_that_is_replaced() -> None:
    plan = Plan("early")
    early(plan)
    with pytest.raises(NoProgramError, match="only what replaces malloc is called before main"):
        c_program(plan, ANY, resolve_target("heap"))
