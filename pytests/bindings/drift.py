"""Where a prototype in Python and the function in C have drifted apart."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heapyard._native.prototypes import Prototype
    from pytests.bindings.dwarf import CFunction, CStruct, CType

UNSIGNED = "BHILQ"
SIGNED = "bhilqc"
FLOATS = "fdg"


def function_drift(row: Prototype, c: CFunction, structs: Mapping[str, Any]) -> list[str]:
    """What differs between a row of the table and the function; empty: nothing."""
    found = [f"result: {text}" for text in type_drift(row.result, c.result, structs)]
    if len(row.arguments) != len(c.arguments):
        return [*found, f"{len(row.arguments)} arguments, C has {len(c.arguments)}"]
    for number, (python, native) in enumerate(zip(row.arguments, c.arguments, strict=True), 1):
        found += [f"argument {number}: {t}" for t in type_drift(python, native, structs)]
    return found


def struct_drift(python: Any, c: CStruct, structs: Mapping[str, Any]) -> list[str]:
    """What differs between a ctypes struct and the C struct."""
    found = []
    if ctypes.sizeof(python) != c.size:
        found.append(f"size {ctypes.sizeof(python)}, C has {c.size}")
    names = [name for name, *_ in python._fields_]
    if names != [member.name for member in c.members]:
        return [*found, f"fields {names}, C has {[member.name for member in c.members]}"]
    for (name, ctype, *_), member in zip(python._fields_, c.members, strict=True):
        offset = getattr(python, name).offset
        if offset != member.offset:
            found.append(f"{name}: offset {offset}, C has {member.offset}")
        found += [f"{name}: {text}" for text in type_drift(ctype, member.type, structs)]
    return found


def type_drift(python: Any, c: CType, structs: Mapping[str, Any]) -> list[str]:
    """What differs between one ctypes type and one C type."""
    return list(_compare(python, c, structs))


def _compare(python: Any, c: CType, structs: Mapping[str, Any]) -> Iterator[str]:
    if python is None or c.kind == "void":
        if not (python is None and c.kind == "void"):
            yield f"{_text(python)}, C has {c}"
    elif issubclass(python, ctypes.Structure):
        yield from _compare_struct(python, c, structs)
    elif issubclass(python, ctypes._Pointer):
        yield from _compare_pointer(python, c, structs)
    elif hasattr(python, "_argtypes_"):
        yield from _compare_callback(python, c, structs)
    else:
        yield from _compare_simple(python, c)


def _compare_struct(python: Any, c: CType, structs: Mapping[str, Any]) -> Iterator[str]:
    if c.kind != "struct" or structs.get(c.name) is not python:
        yield f"struct {python.__name__}, C has {c}"


def _compare_pointer(python: Any, c: CType, structs: Mapping[str, Any]) -> Iterator[str]:
    if c.kind != "pointer" or c.target is None:
        yield f"{_text(python)}, C has {c}"
    elif not (python._type_ is ctypes.c_void_p and c.target.target is not None):
        yield from (f"behind a pointer: {t}" for t in _compare(python._type_, c.target, structs))


def _compare_callback(python: Any, c: CType, structs: Mapping[str, Any]) -> Iterator[str]:
    target = c.target
    if c.kind != "pointer" or target is None or target.kind != "function":
        yield f"a function pointer, C has {c}"
        return
    yield from _compare(python._restype_, target.target or c, structs)
    if len(python._argtypes_) != len(target.arguments):
        yield f"a callback of {len(python._argtypes_)}, C has {len(target.arguments)} arguments"
        return
    for mine, native in zip(python._argtypes_, target.arguments, strict=True):
        yield from (f"in a callback: {text}" for text in _compare(mine, native, structs))


def _compare_simple(python: Any, c: CType) -> Iterator[str]:
    code = python._type_
    if code in "Pz":
        is_text = c.target is not None and c.target.size == 1
        if c.kind != "pointer" or _depth(c) != 1 or (code == "z" and not is_text):
            yield f"{_text(python)}, C has {c}"
        return
    if ctypes.sizeof(python) != c.size or not _same_kind(code, c.kind):
        yield f"{_text(python)}, C has {c} of {c.size} bytes"


def _same_kind(code: str, kind: str) -> bool:
    if kind == "enum":
        return code in UNSIGNED or code in SIGNED
    kinds = {"unsigned": UNSIGNED, "signed": SIGNED, "bool": "?", "float": FLOATS}
    return code in kinds.get(kind, "")


def _depth(c: CType) -> int:
    depth = 0
    while c.kind == "pointer" and c.target is not None:
        depth += 1
        c = c.target
    return depth


def _text(python: Any) -> str:
    return "void" if python is None else str(python.__name__)
