"""The prototype table is what the headers declare, the libraries export and the compiler built.

The figures come from the libraries' own symbol tables and debug information, never from a second
list in Python.
"""

from __future__ import annotations

import re
from ctypes import (
    POINTER,
    Structure,
    c_bool,
    c_int,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import TYPE_CHECKING, Any, get_args

import pytest

from heapyard._native.build import current_build
from heapyard._native.prototypes import PARTS, LibraryName
from heapyard._native.prototypes._table import function
from heapyard._native.prototypes.bump import BumpMarkStruct, CleanupFunction
from pytests.bindings.drift import function_drift, struct_drift
from pytests.bindings.dwarf import Symbols, read_symbols
from pytests.support.children import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard._native.prototypes import Part, Prototype

HEADERS = CHECKOUT / "native" / "include" / "heapyard"
LIBRARIES = sorted({part.library for part in PARTS})
ROWS = [(part.library, row) for part in PARTS for row in part.functions]
STRUCTS = [(part.library, name) for part in PARTS for name in part.structs]
ALL_STRUCTS = {name: struct for part in PARTS for name, struct in part.structs.items()}
DECLARATION = re.compile(r"^HY_API\b[^;{(]*?\b(hy_\w+)\(", re.MULTILINE)


def library_path(name: LibraryName) -> Path:
    build = current_build()
    return build.libheapyard if name == "libheapyard" else build.libheapyard_trial


def symbols_of(name: LibraryName) -> Symbols:
    symbols = read_symbols(library_path(name))
    if not symbols.functions:
        pytest.skip("the library was built without debug information")
    return symbols


def declared_in(header: str) -> set[str]:
    text = re.sub(r"/\*.*?\*/", "", (HEADERS / header).read_text(), flags=re.DOTALL)
    text = re.sub(r"\b__attribute__\(\(.*?\)\)|HY_(?:NODISCARD|MALLOC_LIKE)\b", "", text)
    return set(DECLARATION.findall(text))


def headers_of(name: LibraryName) -> set[str]:
    return {header for part in PARTS if part.library == name for header in part.headers}


def test_every_header_belongs_to_one_part() -> None:
    headers = [header for part in PARTS for header in part.headers]
    assert sorted(headers) == sorted(path.name for path in HEADERS.glob("*.h"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.headers[0])
def test_headers_declare_exactly_the_rows_of_their_part(part: Part) -> None:
    declared = set().union(*(declared_in(header) for header in part.headers))
    assert declared == {row.name for row in part.functions}


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_exports_exactly_what_headers_declare(name: LibraryName) -> None:
    exported = read_symbols(library_path(name)).exported
    sanitizers = {symbol for symbol in exported if symbol.startswith(("__asan", "__odr_asan"))}
    assert exported - sanitizers == set().union(*map(declared_in, headers_of(name)))


def test_no_function_has_two_rows() -> None:
    names = [row.name for _, row in ROWS]
    assert len(names) == len(set(names))


def test_every_library_that_is_named_is_known() -> None:
    assert set(LIBRARIES) <= set(get_args(LibraryName))


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[row.name for _, row in ROWS])
def test_row_is_what_the_compiler_built(name: LibraryName, row: Prototype) -> None:
    assert function_drift(row, symbols_of(name).functions[row.name], ALL_STRUCTS) == []


@pytest.mark.parametrize(("name", "struct"), STRUCTS, ids=[name for _, name in STRUCTS])
def test_struct_is_laid_out_as_the_compiler_did(name: LibraryName, struct: str) -> None:
    assert struct_drift(ALL_STRUCTS[struct], symbols_of(name).structs[struct], ALL_STRUCTS) == []


DRIFTED = [
    function("hy_bump_alloc", c_void_p, c_void_p),
    function("hy_bump_alloc", c_void_p, c_void_p, c_size_t, c_size_t),
    function("hy_bump_alloc", c_void_p, c_void_p, c_uint32),
    function("hy_bump_alloc", c_void_p, c_void_p, c_int),
    function("hy_bump_alloc", c_void_p, c_size_t, c_size_t),
    function("hy_bump_alloc", None, c_void_p, c_size_t),
    function("hy_bump_alloc", c_size_t, c_void_p, c_size_t),
    function("hy_bump_alloc", POINTER(c_void_p), c_void_p, c_size_t),
    function("hy_bump_delete", c_void_p, c_void_p),
    function("hy_bump_contains", c_uint8, c_void_p, c_void_p),
    function("hy_bump_rewind", c_bool, c_void_p, POINTER(BumpMarkStruct)),
    function("hy_bump_add_cleanup", c_bool, CleanupFunction, c_void_p, c_void_p),
    function("hy_misuse_set_handler", None, CleanupFunction, c_void_p, c_void_p, c_void_p),
]


@pytest.mark.parametrize("row", DRIFTED, ids=range(len(DRIFTED)))
def test_drifted_row_is_found(row: Prototype) -> None:
    native = symbols_of("libheapyard").functions[row.name]
    assert function_drift(row, native, ALL_STRUCTS) != []


DRIFTED_FIELDS: list[tuple[str, list[tuple[str, Any]]]] = [
    ("one_missing", [("record", c_void_p)]),
    ("one_more", [("record", c_void_p), ("serial", c_uint64), ("more", c_uint64)]),
    ("renamed", [("record", c_void_p), ("number", c_uint64)]),
    ("narrower", [("record", c_void_p), ("serial", c_uint32)]),
    ("not_a_pointer", [("record", c_uint64), ("serial", c_uint64)]),
    ("swapped", [("serial", c_uint64), ("record", c_void_p)]),
    ("moved", [("record", c_uint32), ("serial", c_uint64)]),
]


@pytest.mark.parametrize(
    "layout", [layout for _, layout in DRIFTED_FIELDS], ids=[name for name, _ in DRIFTED_FIELDS]
)
def test_drifted_struct_is_found(layout: list[tuple[str, Any]]) -> None:
    drifted = type("Drifted", (Structure,), {"_fields_": layout})
    native = symbols_of("libheapyard").structs["hy_bump_mark"]
    assert struct_drift(drifted, native, ALL_STRUCTS) != []
