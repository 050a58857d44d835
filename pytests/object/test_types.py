"""Registering types: what fits is taken over, what does not is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from heapyard import Kind, ObjectSpace
from heapyard.errors import HeapyardError
from heapyard.misuse import MisuseKind, recorded_misuse


def nothing(_address: int) -> None:
    """A function of a type."""


def no_children(_address: int) -> list[int]:
    return []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "small": ({"size": 8}, "is smaller than the header of its objects"),
    "small_with_items": ({"size": 16, "item_size": 8}, "is smaller than the header of its objects"),
    "huge": ({"size": 2**63}, "is larger than any block"),
    "kind": ({"kind": 4}, "is of no kind that there is"),
    "plain_finalize": ({"finalize": nothing}, "is plain and has a finalizer"),
    "plain_dealloc": ({"dealloc": nothing}, "is plain and has a dealloc"),
    "plain_legacy": ({"legacy": nothing}, "is plain and has a legacy function"),
    "no_dealloc": ({"kind": Kind.DEALLOC}, "is of the kind dealloc and has none"),
    "dealloc_finalize": (
        {"kind": Kind.DEALLOC, "dealloc": nothing, "finalize": nothing},
        "is of the kind dealloc and has a finalizer",
    ),
    "dealloc_legacy": (
        {"kind": Kind.DEALLOC, "dealloc": nothing, "legacy": nothing},
        "is of the kind dealloc and has a legacy function",
    ),
    "no_finalize": (
        {"kind": Kind.FINALIZE, "dealloc": nothing},
        "is of the kind finalize and has no finalizer",
    ),
    "finalize_legacy": (
        {"kind": Kind.FINALIZE, "finalize": nothing, "legacy": nothing},
        "is of the kind finalize and has a legacy function",
    ),
    "no_legacy": ({"kind": Kind.LEGACY}, "is of the kind legacy and has no function for it"),
    "legacy_finalize": (
        {"kind": Kind.LEGACY, "legacy": nothing, "finalize": nothing},
        "is of the kind legacy and has a finalizer",
    ),
    "legacy_dealloc": (
        {"kind": Kind.LEGACY, "legacy": nothing, "dealloc": nothing},
        "is of the kind legacy and has a dealloc",
    ),
    "references_traverse": (
        {"kind": Kind.DEALLOC, "references": True, "traverse": no_children},
        "holds references only and has a traverse",
    ),
    "references_clear": (
        {"kind": Kind.DEALLOC, "references": True, "clear": nothing},
        "holds references only and has a clear",
    ),
    "references_dealloc": (
        {"kind": Kind.DEALLOC, "references": True, "dealloc": nothing},
        "holds references only and has a dealloc",
    ),
    "references_odd": (
        {"kind": Kind.DEALLOC, "references": True, "size": 36},
        "holds references and other bytes too",
    ),
    "plain_clear": ({"clear": nothing}, "has clear and is not a container"),
    "plain_container": (
        {"traverse": no_children},
        "is a container and plain: nothing would drop its fields",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_type_that_contradicts_itself_is_refused_by_name(space: ObjectSpace, fault: str) -> None:
    options, text = REFUSED[fault]
    with recorded_misuse() as reports, pytest.raises(HeapyardError, match="refused"):
        space.type("crooked", **options)
    assert [(one.kind, one.part, one.detail) for one in reports] == [
        (MisuseKind.BAD_ARGUMENT, "object", f"(type crooked {text})")
    ]
    counters = space.counters()
    assert counters is None or counters.types == 0


def test_a_container_without_traverse_is_refused_by_name(space: ObjectSpace) -> None:
    base = space.type("base", kind=Kind.DEALLOC, dealloc=nothing, traverse=no_children)
    assert space._native.hy_type_get(base.handle).contents.flags == 1
    spec = space._native.hy_type_get(base.handle).contents
    copy = type(spec).from_buffer_copy(spec)
    copy.traverse = type(copy.traverse)()
    with recorded_misuse() as reports:
        assert space._native.hy_type_new(space.handle, copy) is None
    assert [one.detail for one in reports] == ["(type base is a container and has no traverse)"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 24}, "is smaller than its base"),
        ({"size": 32, "item_size": 8}, "has items of another size than its base"),
        ({"size": 32}, "is plain and has a dealloc"),
    ],
    ids=["smaller", "items", "forgets_dealloc"],
)
def test_an_heir_that_does_not_fit_its_base_is_refused(
    space: ObjectSpace, options: dict[str, Any], text: str
) -> None:
    base = space.type("base", size=32, kind=Kind.DEALLOC, dealloc=nothing)
    with recorded_misuse() as reports, pytest.raises(HeapyardError):
        space.type("heir", base=base, **options)
    assert [one.detail for one in reports] == [f"(type heir {text})"]


def test_a_base_of_another_space_is_refused(space: ObjectSpace) -> None:
    with ObjectSpace() as other:
        base = other.type("base")
        with recorded_misuse() as reports, pytest.raises(HeapyardError):
            space.type("heir", base=base)
    assert [one.detail for one in reports] == ["(type heir has a base of another space)"]


def test_a_larger_heir_runs_the_functions_of_its_base(space: ObjectSpace) -> None:
    seen: list[int] = []
    base = space.type("base", size=32, kind=Kind.DEALLOC, dealloc=seen.append)
    heir = space.type("heir", size=64, kind=Kind.DEALLOC, base=base)
    one = space.new(heir)
    space.decref(one)
    assert seen == [one]


def test_a_legacy_type_may_inherit_from_a_plain_one(space: ObjectSpace) -> None:
    seen: list[int] = []

    def end(address: int) -> None:
        seen.append(address)
        space.free(address)

    plain = space.type("plain", size=32)
    heir = space.type("heir", size=48, kind=Kind.LEGACY, base=plain, legacy=end)
    one = space.new(heir)
    space.decref(space.new(plain))
    space.decref(one)
    assert seen == [one]


def test_a_type_keeps_a_copy_of_its_name(space: ObjectSpace) -> None:
    kind = space.type("a name that may go away")
    assert space._native.hy_type_get(kind.handle).contents.name == b"a name that may go away"


def test_a_legacy_heir_takes_over_no_finalizer(space: ObjectSpace) -> None:
    base = space.type(
        "base", size=32, kind=Kind.FINALIZE, finalize=nothing, dealloc=nothing, traverse=no_children
    )
    heir = space.type("heir", size=32, kind=Kind.LEGACY, base=base, legacy=space.free)
    spec = space._native.hy_type_get(heir.handle).contents
    assert not spec.finalize
    assert not spec.dealloc
    assert spec.traverse
    space.decref(space.new(heir))
    assert space.objects() == []


def test_flags_that_there_are_not_are_refused(space: ObjectSpace) -> None:
    spec = space._native.hy_type_get(space.type("plain").handle).contents
    copy = type(spec).from_buffer_copy(spec)
    copy.flags = 16
    with recorded_misuse() as reports:
        assert space._native.hy_type_new(space.handle, copy) is None
    assert [one.detail for one in reports] == ["(type plain has flags that there are not)"]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("size", 8, "(a type described by another header)"),
        ("name", None, "(a type without a name)"),
    ],
)
def test_a_type_without_a_name_or_of_another_header_is_refused(
    space: ObjectSpace, field: str, value: object, text: str
) -> None:
    spec = space._native.hy_type_get(space.type("plain").handle).contents
    copy = type(spec).from_buffer_copy(spec)
    setattr(copy, field, value)
    with recorded_misuse() as reports:
        assert space._native.hy_type_new(space.handle, copy) is None
    assert [one.detail for one in reports] == [text]
