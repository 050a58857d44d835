"""The tables of the Python side say what the native side says: a drift fails here, not in a run."""

import ctypes
import errno
import re
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.trial import OPERATIONS, Check, Operation, _python_child
from heapyard.trial.header import MAX_ALIGNMENT, MAX_SLOTS
from heapyard.trial.operations import ARGUMENTS, COSTS, FIGURES, Expect, OsCalls

INCLUDE = Path(__file__).parents[2] / "native" / "include" / "heapyard"
PLAN_H = (INCLUDE / "plan.h").read_text()
FIELD_BITS = {"slot": 1, "slot?": 2} | dict.fromkeys(ARGUMENTS, 8)
FIELD_NAMES = {"HY_FIELD_SLOT": 1, "HY_FIELD_SLOT_OPT": 2, "HY_FIELD_SIZE": 4, "HY_FIELD_ARG": 8}


def names(function: str) -> list[str]:
    """What the engine's table of this kind answers, without the numbers that have no name."""
    answer = getattr(ctypes.CDLL(str(current_build().libheapyard_trial)), function)
    answer.restype = ctypes.c_char_p
    answer.argtypes = [ctypes.c_uint32]
    return [name.decode() for name in map(answer, range(256)) if name is not None]


def constant(name: str) -> str:
    """The text of a #define of plan.h."""
    match = re.search(rf"#define {name} +(\S.*?)(?:/\*|$)", PLAN_H, re.MULTILINE)
    assert match is not None, name
    return match[1].strip()


def rows() -> dict[str, tuple[int, str, str, str]]:
    """HY_PLAN_OPS: name to value, fields, expectations, entry point."""
    body = PLAN_H.split("#define HY_PLAN_OPS(X)")[1].split("typedef enum")[0].replace("\\\n", " ")
    pattern = r"X\((\d+),\s*\w+,\s*(\w+),\s*([^,]+),\s*(\w+),\s*(\w+)\)"
    return {
        name: (int(value), fields, expects, entry)
        for value, name, fields, expects, entry in re.findall(pattern, body)
    }


def test_operations_have_the_names_of_the_engine() -> None:
    assert [operation.name for operation in OPERATIONS] == names("hy_trial_op_name")


def test_checks_have_the_names_of_the_engine() -> None:
    assert list(Check.ALL.kinds) == names("hy_trial_check_name")


def test_figures_have_the_names_of_the_engine() -> None:
    assert list(FIGURES) == names("hy_trial_measure_name")


def test_kinds_of_system_calls_are_those_of_the_header() -> None:
    body = PLAN_H.split("#define HY_PLAN_OS_CALLS(X)")[1].split("typedef enum")[0]
    listed = {name: int(bit, 16) for bit, name in re.findall(r"X\((0x\w+), \w+, (\w+)\)", body)}
    assert listed == {str(kind.name).lower(): kind.value for kind in OsCalls}


def test_costs_are_those_of_the_header() -> None:
    assert [int(constant(f"HY_COST_{cost.upper()}").rstrip("u")) for cost in COSTS] == [0, 1]


def test_entry_points_have_the_names_of_the_engine() -> None:
    assert list(_python_child.FUNCTIONS) == names("hy_trial_function_name")


def test_every_function_of_an_operation_is_an_entry_point() -> None:
    functions = {operation.function for operation in OPERATIONS} - {None}
    assert functions <= set(names("hy_trial_function_name"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_has_the_row_of_the_header(operation: Operation) -> None:
    value, fields, _, entry = rows()[operation.name]
    assert value == operation.code
    expected = sum(FIELD_NAMES.get(field.strip(), 0) for field in fields.split("|"))
    assert expected == sum({FIELD_BITS.get(field, 4) for field in operation.fields})
    assert entry == (operation.function or "none")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_may_expect_what_the_header_says(operation: Operation) -> None:
    every = Expect.FAILURE | Expect.EITHER | Expect.ERRNO_KEPT | Expect.ENOMEM | Expect.EINVAL
    meant = {
        "HY__EXPECT_NONE": Expect.SUCCESS,
        "HY__EXPECT_ERRNO": Expect.ERRNO_KEPT,
        "HY__EXPECT_ALLOC": every,
        "HY__EXPECT_REALLOC": every | Expect.IN_PLACE,
        "HY__EXPECT_MEMALIGN": every | Expect.MEMPTR_KEPT,
    }
    assert operation.expects == meant[rows()[operation.name][2]]


@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("FAILURE", Expect.FAILURE),
        ("EITHER", Expect.EITHER),
        ("ERRNO_KEPT", Expect.ERRNO_KEPT),
        ("ENOMEM", Expect.ENOMEM),
        ("EINVAL", Expect.EINVAL),
        ("IN_PLACE", Expect.IN_PLACE),
        ("MEMPTR_KEPT", Expect.MEMPTR_KEPT),
    ],
)
def test_expectations_have_the_bits_of_the_header(name: str, bit: Expect) -> None:
    assert int(constant(f"HY_EXPECT_{name}").rstrip("u"), 16) == bit


def test_the_default_checks_are_those_of_the_header() -> None:
    assert f"HY_CHECK_DEFAULT = 0x{Check.DEFAULT:04x} " in PLAN_H
    assert f"HY_CHECK_ALL = 0x{Check.ALL:04x}," in PLAN_H


def test_bounds_are_those_of_the_header() -> None:
    assert constant("HY_PLAN_MAX_SLOTS") == "(UINT32_C(1) << 24)"
    assert MAX_SLOTS == 1 << 24
    assert constant("HY_PLAN_MAX_ALIGNMENT") == "(UINT32_C(1) << 20)"
    assert MAX_ALIGNMENT == 1 << 20


def test_an_interpreters_table_has_the_size_that_the_engine_wants() -> None:
    """Five fields and one pointer for each entry point, as <heapyard/trial.h> lays them out."""
    table = _python_child.functions_of("raw")
    assert table.size == 4 + 4 + 8 + 8 + 8 + 8 + 8 * len(_python_child.FUNCTIONS)
    assert table.malloc
    assert table.aligned_alloc is None


def test_errno_values_are_those_of_this_machine() -> None:
    assert (errno.ENOMEM, errno.EINVAL) == (12, 22)
