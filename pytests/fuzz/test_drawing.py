"""Random plans: each follows from its seed and number, and asks for nothing that may be refused."""

from collections import Counter

import pytest

from heapyard.fuzz import Request
from heapyard.trial import Check, Target, resolve_target, run_plan

PLAIN = frozenset({"malloc", "calloc", "realloc", "free", "posix_memalign", "usable_size"})


@pytest.fixture(scope="module")
def libc() -> Target:
    return resolve_target("libc")


def request_of(functions: frozenset[str] = PLAIN, *, seed: int = 1) -> Request:
    return Request(
        seed=seed, first=0, count=1, functions=functions, flags=frozenset({"errno"}),
        checks=Check.DEFAULT,
    )  # fmt: skip


def test_a_number_gives_the_same_plan_again() -> None:
    assert request_of().draw(7).to_bytes() == request_of().draw(7).to_bytes()


def test_numbers_and_seeds_give_other_plans() -> None:
    drawn = {request_of(seed=seed).draw(number).to_bytes() for seed in (1, 2) for number in (1, 2)}
    assert len(drawn) == 4


def test_plans_hold_one_by_one_on_a_sound_allocator(libc: Target) -> None:
    request = Request.of(libc, seed=3, first=0, count=1, checks=Check.DEFAULT)
    outcomes = [run_plan(libc, request.draw(number)) for number in range(60)]
    assert [str(outcome) for outcome in outcomes if not outcome.held] == []


@pytest.mark.parametrize(
    "functions",
    [{"malloc"}, {"malloc", "free"}, {"malloc", "memalign", "free"}, PLAIN, PLAIN | {"trim"}],
    ids=lambda names: "+".join(sorted(names)),
)
def test_plans_call_only_what_there_is(functions: set[str]) -> None:
    request = request_of(frozenset(functions))
    for number in range(40):
        assert request.draw(number).functions <= functions


def test_all_that_there_is_is_called_somewhere() -> None:
    functions = frozenset(
        {"malloc", "calloc", "realloc", "reallocarray", "free", "free_sized", "aligned_alloc"}
        | {"free_aligned_sized", "posix_memalign", "memalign", "valloc", "pvalloc", "usable_size"}
        | {"trim"}
    )
    request = request_of(functions)
    called = frozenset[str]().union(*(request.draw(number).functions for number in range(200)))
    assert called == functions


def test_plans_differ_in_what_they_are_made_of() -> None:
    names: Counter[str] = Counter()
    for number in range(60):
        names.update({call.name for call in request_of().draw(number).calls})
    for name in ("calloc", "realloc", "posix_memalign", "usable_size", "check_all"):
        assert 5 < names[name] < 55, f"{name} in {names[name]} of 60 plans"


def test_sized_frees_say_what_was_asked_for() -> None:
    functions = PLAIN | {"free_sized"}
    for number in range(30):
        asked: dict[int | None, int] = {}
        for call in request_of(functions).draw(number).calls:
            if call.slot is None:
                continue
            if call.name == "free_sized":
                assert call.size == asked[call.slot]
            elif call.operation.allocates and not call.expect & 1:
                asked[call.slot] = call.size * (call.arg or 1 if call.name == "calloc" else 1)
