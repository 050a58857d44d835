"""What Python repeats of the C headers (enumerations, constants, counters) is what C has."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from heapyard import bump, debug, heap, pages
from heapyard.block import BlockState
from heapyard.counters import (
    BumpCounters,
    Counters,
    DomainCounters,
    HeapCounters,
    RegionCounters,
)
from heapyard.heap import PoolState, Purge
from heapyard.misuse import MisuseKind
from heapyard.region import Engine, Status, Violation
from pytests.bindings.test_prototypes import HEADERS, symbols_of

if TYPE_CHECKING:
    from enum import IntEnum

ENUMS: list[tuple[type[IntEnum], str, str]] = [
    (BlockState, "hy_block_state", "HY_BLOCK_"),
    (MisuseKind, "hy_misuse_kind", "HY_MISUSE_"),
    (Engine, "hy_region_engine", "HY_REGION_"),
    (Status, "hy_region_status", "HY_REGION_"),
    (Violation, "hy_region_violation", "HY_REGION_"),
    (Purge, "hy_heap_purge", "HY_HEAP_PURGE_"),
    (PoolState, "hy_heap_pool_state", "HY_HEAP_POOL_"),
    (heap.Violation, "hy_heap_check_code", "HY_HEAP_CHECK_"),
]

CONSTANTS = [
    (bump.ALIGNMENT, "bump.h", "HY_BUMP_ALIGNMENT"),
    (bump.MAX_ALIGNMENT, "bump.h", "HY_BUMP_MAX_ALIGNMENT"),
    (bump.BIG, "bump.h", "HY_BUMP_BIG"),
    (heap.ALIGNMENT, "heap.h", "HY_HEAP_ALIGNMENT"),
    (heap.MAX_ALIGNMENT, "heap.h", "HY_HEAP_MAX_ALIGNMENT"),
    (heap.MAX_SMALL, "heap.h", "HY_HEAP_MAX_SMALL"),
    (heap.CLASSES, "heap.h", "HY_HEAP_CLASSES"),
    (heap.FINE_CLASSES, "heap.h", "HY_HEAP_FINE_CLASSES"),
    (heap.MIN_ARENA_SIZE, "heap.h", "HY_HEAP_MIN_ARENA_SIZE"),
    (heap.MAX_ARENA_SIZE, "heap.h", "HY_HEAP_MAX_ARENA_SIZE"),
    (heap.DEFAULT_ARENA_SIZE, "heap.h", "HY_HEAP_DEFAULT_ARENA_SIZE"),
    (heap.MAX_POOL_SIZE, "heap.h", "HY_HEAP_MAX_POOL_SIZE"),
    (pages.PAGE_SIZE, "pages.h", "HY_PAGE_SIZE"),
    (debug.DEFAULT_GUARD, "debug.h", "HY_DEBUG_DEFAULT_GUARD"),
    (debug.MAX_GUARD, "debug.h", "HY_DEBUG_MAX_GUARD"),
    (debug.HISTORY, "debug.h", "HY_DEBUG_HISTORY"),
]

LISTS: list[tuple[type[Counters], str, str]] = [
    (BumpCounters, "bump.h", "HY_BUMP_COUNTERS"),
    (RegionCounters, "region.h", "HY_REGION_COUNTERS"),
    (HeapCounters, "heap.h", "HY_HEAP_COUNTERS"),
    (DomainCounters, "domain.h", "HY_DOMAIN_COUNTERS"),
]


@pytest.mark.parametrize(("enum", "name", "prefix"), ENUMS, ids=[name for _, name, _ in ENUMS])
def test_enumeration_has_the_members_of_c(enum: type[IntEnum], name: str, prefix: str) -> None:
    native = symbols_of("libheapyard").enums[name]
    expected = {key.removeprefix(prefix): value for key, value in native.items()}
    for count in ("KIND_COUNT", "STATUS_COUNT", "VIOLATION_COUNT"):
        expected.pop(count, None)
    assert {member.name: member.value for member in enum} == expected


@pytest.mark.parametrize("kind", MisuseKind, ids=lambda kind: kind.name.lower())
def test_every_kind_of_misuse_has_a_text_of_its_own(kind: MisuseKind) -> None:
    assert kind.text not in ("", "unknown misuse")
    assert [other for other in MisuseKind if other.text == kind.text] == [kind]


@pytest.mark.parametrize(("value", "header", "name"), CONSTANTS, ids=[c[2] for c in CONSTANTS])
def test_constant_has_the_value_of_the_header(value: int, header: str, name: str) -> None:
    text = (HEADERS / header).read_text()
    found = re.search(rf"#define {name}\s+(?:\(\(size_t\))?(\d+)(?: << (\d+))?\)?", text)
    assert found
    number, shift = found.groups()
    assert value == int(number) << int(shift or 0)


@pytest.mark.parametrize(("counters", "header", "name"), LISTS, ids=[c[2] for c in LISTS])
def test_counters_are_the_lines_of_the_c_list(
    counters: type[Counters], header: str, name: str
) -> None:
    text = (HEADERS / header).read_text()
    lines = re.search(rf"#define {name}\(X\)((?:.*\\\n)*.*)", text)
    assert lines
    assert counters.names() == tuple(re.findall(r"X\(\w+, (\w+),", lines[1]))


@pytest.mark.parametrize(("counters", "_header", "name"), LISTS, ids=[c[2] for c in LISTS])
def test_counters_become_json_and_a_table_of_the_same_lines(
    counters: type[Counters], _header: str, name: str
) -> None:
    values = counters(*range(1000, 1000 + len(fields(counters))))
    decoded = json.loads(json.dumps(values.to_json()))
    assert tuple(decoded) == counters.names(), name
    rows = [line.split() for line in values.table().splitlines()]
    assert [(key, int(value.replace(",", ""))) for key, value in rows] == list(decoded.items())
