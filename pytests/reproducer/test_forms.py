"""Every operation and every form of a program: it compiles without a warning, and finds nothing
where the allocator is sound."""

from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.reproducer import Failure, NoProgramError, c_program, listing
from heapyard.reproducer.calls import WRITERS
from heapyard.reproducer.script import SCRIPTED
from heapyard.reproducer.signatures import SIGNATURES, known_functions
from heapyard.rules import Growth
from heapyard.trial import Check, Plan, Target, resolve_target
from heapyard.trial.operations import OPERATIONS
from pytests.reproducer.programs import Run, compiled, run
from pytests.support.compilers import COMPILER, with_each_compiler

ANY = Failure()
LIBC_CHECKS = Check.DEFAULT


@pytest.fixture(scope="module")
def libc() -> Target:
    return resolve_target("libc")


def everything() -> Plan:
    """Each operation that the libc can do."""
    plan = Plan("everything", checks=LIBC_CHECKS)
    first = plan.malloc(100, errno_kept=True)
    array = plan.calloc(10, 30)
    plan.realloc(first, 300)
    plan.realloc(first, (1 << 64) - 1, fails="ENOMEM")
    plan.reallocarray(array, 20, 30)
    plan.reallocarray(array, 1 << 40, 1 << 40, fails="ENOMEM")
    aligned = [plan.aligned_alloc(64, 128), plan.memalign(256, 100), plan.valloc(10)]
    aligned += [plan.posix_memalign(1 << 20, 5), plan.pvalloc(10)]
    plan.posix_memalign(24, 5, fails="EINVAL")
    plan.set_errno(12)
    plan.usable_size(first)
    plan.usable_size(None)
    plan.fill_usable(first)
    plan.write(array)
    plan.check(array)
    plan.check_all()
    plan.measure("rss")
    plan.trim(0)
    plan.forget(aligned.pop())
    plan.malloc((1 << 63) + 1, fails=True)
    plan.malloc(3 << 20)
    plan.free(None)
    for block in aligned:
        plan.free(block)
    plan.free_all()
    return plan


def misused() -> Plan:
    """Each misuse, of blocks that are gone: no program with all of them lives to its end."""
    plan = Plan("misused", checks=LIBC_CHECKS | Check.MISUSE)
    kept, block = plan.malloc(100), plan.malloc(100)
    pointer = plan.alias(block)
    plan.free(block)
    plan.read_stale(pointer, 8)
    plan.usable_stale(pointer)
    plan.write_stale(pointer, 8, offset=16)
    plan.link_stale(pointer, kept)
    plan.write_past(kept, 1)
    plan.write_at(kept, -1, 1)
    for kind in ("static", "stack", "mapping", "other"):
        plan.free_at(plan.foreign(kind, 64))
    plan.free_at(kept, -16)
    plan.free_at(kept, 16)
    plan.free_address(16)
    plan.free_stale(pointer)
    plan.realloc_stale(pointer, 10)
    plan.untold()
    return plan


def many(plan: Plan) -> Plan:
    """So many calls, alike in none of three, that they become a table."""
    for turn in range(90):
        block = plan.malloc(turn * turn % 97, may_fail=True)
        if turn % 3:
            plan.realloc(block, turn * turn % 89, may_fail=True)
        if turn % 7 == 1:
            plan.free(block)
    return plan


def regular() -> Plan:
    """Runs of calls that become loops."""
    plan = Plan("regular")
    kept = [plan.malloc(48) for _ in range(50)]
    for size in range(20):
        plan.free(plan.malloc(size * 16 + 16))
    for block in reversed(kept):
        plan.free(block)
    return plan


@with_each_compiler
def test_every_operation_compiles_and_holds_on_libc(
    compiler: str, libc: Target, tmp_path: Path
) -> None:
    text = c_program(everything(), ANY, libc)
    assert run(compiled(text, tmp_path, compiler=compiler)) == Run(0, "")


@with_each_compiler
@pytest.mark.parametrize("form", ["variables", "table"])
def test_every_misuse_compiles_and_a_process_that_ends_is_right(
    compiler: str, form: str, libc: Target, tmp_path: Path
) -> None:
    plan = misused() if form == "variables" else many(misused())
    text = c_program(plan, ANY, libc)
    assert ("struct step steps[] = {" in text) is (form == "table")
    assert run(compiled(text, tmp_path, compiler=compiler)).code == 0


@pytest.mark.parametrize("between", [0, 60])
def test_misuse_that_is_not_told_fails_the_program(
    between: int, libc: Target, tmp_path: Path
) -> None:
    plan = Plan("untold", checks=Check.MISUSE)
    others = [plan.malloc(50 + number) for number in range(between)]
    block = plan.malloc(100)
    for other in others:
        plan.free(other)
    plan.write_past(block, 1)
    plan.untold()
    seen = Failure(status="violation", kind="misuse", op=len(plan) - 1, expected="x", seen="y")
    ran = run(compiled(c_program(plan, seen, libc), tmp_path))
    assert (ran.code, ran.text.split("; seen: ")[1]) == (1, "the program went on\n")


@with_each_compiler
def test_many_calls_become_a_table_of_steps(compiler: str, libc: Target, tmp_path: Path) -> None:
    text = c_program(many(everything()), ANY, libc)
    assert "struct step steps[] = {" in text
    assert run(compiled(text, tmp_path, compiler=compiler)) == Run(0, "")


def test_runs_of_calls_become_loops(libc: Target, tmp_path: Path) -> None:
    text = c_program(regular(), ANY, libc)
    assert "for (size_t i = 0; i < 50; i++) {" in text
    assert "b[49 - i]" in text or "leave(49 - i)" in text
    assert run(compiled(text, tmp_path)) == Run(0, "")


def test_rounds_become_a_loop_around_all(libc: Target, tmp_path: Path) -> None:
    plan = Plan("rounds", repeat=30)
    plan.free(plan.malloc(10))
    plan.malloc(100)
    text = c_program(plan, ANY, libc)
    assert "round < 30" in text
    assert run(compiled(text, tmp_path)) == Run(0, "")


@pytest.mark.parametrize("others", [1, 100], ids=["variables", "table"])
def test_memory_from_the_break_is_looked_at_and_never_freed(
    others: int, libc: Target, tmp_path: Path
) -> None:
    plan = Plan("break", checks=Check.OVERLAP | Check.CONTENT)
    taken = plan.foreign("break", 100)
    for number in range(others):
        plan.malloc(1 + number * number % 97)
    plan.check(taken)
    text = c_program(plan, ANY, libc)
    assert ("play(" in text) == (others > 1)
    assert run(compiled(text, tmp_path)) == Run(0, "")


def test_a_figure_among_others_is_noted_where_it_is_measured(libc: Target, tmp_path: Path) -> None:
    """Their numbers step as the sizes of a loop do."""
    plan = Plan("figures", checks=Check.NULL)
    for _ in range(2):
        for figure in ("rss", "live_bytes", "usable_bytes", "extent", "mapped"):
            plan.measure(figure)
        plan.malloc(64 << 20)
    growth = Growth(figure="mapped", most=32 << 20)
    grown = c_program(plan, Failure(growth=growth), libc)
    assert grown.count("note(mapped_bytes())") >= 1
    plan.measure("mapped")
    seen = run(compiled(c_program(plan, Failure(growth=growth), libc), tmp_path))
    assert (seen.code, seen.text.split(";")[0]) == (
        1,
        "expected: at most 33554432 more bytes in use",
    )


def test_damage_that_ends_the_process_is_a_verdict(libc: Target, tmp_path: Path) -> None:
    """Here the program's own: a pointer that was never set."""
    plan = Plan("damage", checks=Check.CONTENT)
    plan.check(plan.malloc(100))
    failure = Failure(status="violation", kind="content", op=1)
    text = c_program(plan, failure, libc).replace("p0 = call_malloc(100)", "p0 = (void *)4096")
    seen = run(compiled(text, tmp_path))
    assert seen == Run(1, "expected: blocks that can be used; seen: signal 11\n")


def test_short_program_is_shown_whole(libc: Target) -> None:
    plan = Plan("short")
    plan.free(plan.malloc(10))
    assert listing(c_program(plan, ANY, libc)).startswith("int main(void)")
    assert listing(c_program(many(plan), ANY, libc)) == ""


def test_only_the_check_that_failed_is_made() -> None:
    plan = Plan("two")
    plan.malloc(10)
    plan.malloc(20)
    seen = Failure(status="violation", kind="align", op=1, slot=1, expected="x", seen="y")
    text = listing(c_program(plan, seen, resolve_target("libc")))
    assert text.count("if (") == 1
    assert "(uintptr_t)p1 % 16 != 0" in text


@pytest.mark.parametrize("kind", [kind for kind in Check.ALL.kinds if kind != "self_check"])
def test_every_kind_of_violation_can_be_looked_for(kind: str, libc: Target, tmp_path: Path) -> None:
    plan = everything()
    last = len(plan) - 1
    for op in (0, 1, 2, last):
        seen = Failure(status="violation", kind=kind, op=op)
        assert run(compiled(c_program(plan, seen, libc), tmp_path)).code == 0


@pytest.mark.parametrize("status", ["crash", "hang", "exit", "runaway"])
def test_what_ends_a_process_is_watched_for(status: str, libc: Target, tmp_path: Path) -> None:
    plan = Plan("dies")
    plan.free(plan.malloc(10))
    text = c_program(plan, Failure(status=status, op=1), libc)
    assert run(compiled(text, tmp_path)) == Run(0, "")


@pytest.mark.parametrize("name", ["heap", "region:fast", "bump", "domain:mem"])
def test_table_of_a_library_is_opened(name: str, tmp_path: Path) -> None:
    if current_build().sanitizer:
        pytest.skip("a sanitized library can't be opened by a plain program")
    target = resolve_target(name)
    plan = Plan("table")
    first, _ = plan.malloc(100), plan.malloc(40)
    if target.capabilities.has("realloc"):
        plan.realloc(first, 300)
    if target.capabilities.has("free"):
        plan.free(first)
    program = compiled(c_program(plan, ANY, target), tmp_path)
    assert run(program, str(target.path)) == Run(0, "")
    assert run(program).code == 2


def test_functions_with_a_prefix_are_looked_up(tmp_path: Path) -> None:
    source = tmp_path / "my.c"
    source.write_text(
        "#include <stdlib.h>\nvoid *my_malloc(size_t n) { return malloc(n + (n == 7)); }\n"
        "void my_free(void *p) { free(p); }\n",
        encoding="utf-8",
    )
    library = tmp_path / "libmy.so"
    _link(source, library)
    target = resolve_target(str(library), prefix="my_")
    plan = Plan("prefix")
    plan.free(plan.malloc(10))
    program = compiled(c_program(plan, ANY, target), tmp_path)
    assert run(program, str(library)) == Run(0, "")
    plan.reallocarray(None, 3, 4)
    program = compiled(c_program(plan, ANY, target), tmp_path)
    lacking = run(program, str(library))
    assert (lacking.code, lacking.text.startswith("not applicable: ")) == (0, True)


def _link(source: Path, library: Path) -> None:
    import subprocess  # noqa: PLC0415

    subprocess.run([COMPILER, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)


def test_allocators_of_python_have_no_program() -> None:
    with pytest.raises(NoProgramError, match="python:raw is no allocator that a C program"):
        c_program(Plan("raw"), ANY, resolve_target("python:raw"))


def test_every_operation_has_its_c_text() -> None:
    calls = {each.name for each in OPERATIONS if not (each.structures and each.name in SCRIPTED)}
    assert calls == set(WRITERS)


def test_every_entry_point_has_its_signature() -> None:
    assert known_functions() == set(SIGNATURES)
