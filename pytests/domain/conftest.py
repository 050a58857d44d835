"""The domains of this process, put back as they were after each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from heapyard.debug import declare_lock, set_lock_check
from heapyard.domain import DOMAINS, OBJ, Domain
from pytests.domain.stacks import Reusing, stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def tables_come_back() -> Iterator[None]:
    """Whatever a test sets, the next one finds the tables of the start."""
    before = [domain.allocator for domain in DOMAINS]
    yield
    set_lock_check(None)
    declare_lock(held=True)
    for domain, table in zip(DOMAINS, before, strict=True):
        domain.set_allocator(table)


@pytest.fixture(params=DOMAINS, ids=lambda domain: domain.name)
def domain(request: pytest.FixtureRequest) -> Domain:
    """Each domain."""
    value: Domain = request.param
    return value


@pytest.fixture
def below() -> Reusing:
    """A user's allocator, fresh, for hooks to stand on: what it does can be seen."""
    return Reusing()


@pytest.fixture
def hooked(below: Reusing) -> Iterator[Domain]:
    """obj with hooks around that allocator."""
    with OBJ.using(stack_on(below.table, OBJ, "hooks")):
        yield OBJ
    assert below.errors == []


@pytest.fixture
def counting() -> None:
    """For tests of counters."""
    if not current_build().counters:
        pytest.skip("needs a build with HEAPYARD_COUNTERS=ON")
