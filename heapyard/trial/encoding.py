"""A plan's two written forms: packed bytes for the runner, JSON for people and other tools.

Packed (little-endian, <heapyard/plan.h>): a header of 64 bytes, the operands, 16 bytes a call.
JSON (schema `heapyard.plan/1`): each call is a list, `["malloc", slot, size, {options}]`, its
fields in the order of `operations.OPERATIONS`.
"""

import errno
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from heapyard.trial.checks import Check
from heapyard.trial.header import MAX_SLOTS, MAX_STRAY, SIZE_MAX, Header, PlanError
from heapyard.trial.operations import (
    ARGUMENTS,
    BY_CODE,
    BY_NAME,
    CHOICES,
    Call,
    Expect,
    Operation,
    read_kinds,
)

__all__ = [
    "SCHEMA",
    "expect_of",
    "pack",
    "read_json",
    "slot_count",
    "unpack",
    "with_checks",
    "write_json",
]

SCHEMA = "heapyard.plan/1"

_MAGIC = b"HYPLAN1\0"
_VERSION = 1
_HEADER = struct.Struct("<8sIIIIQQQIIQ")
_CALL = struct.Struct("<BBHIQ")
_CHECKS_AT = 12

CALL_SIZE = _CALL.size
"""Bytes of one packed call; the first is its operation code."""

_NO_SLOT = 0xFFFFFFFF
_NO_ARG = 0xFFFF
_WEAK_ALIGN = 1

_ERRNOS = ((Expect.ENOMEM, errno.ENOMEM, "ENOMEM"), (Expect.EINVAL, errno.EINVAL, "EINVAL"))


def slot_count(calls: Iterable[Call]) -> int:
    """One more than the highest slot that these calls name."""
    return max((_highest_slot(call) for call in calls), default=-1) + 1


def _highest_slot(call: Call) -> int:
    """The highest slot that the call names; -1: none."""
    operation, slot = call.operation, -1 if call.slot is None else call.slot
    if operation.many and slot >= 0:
        slot = call.slots[-1]
    return max(slot, call.size) if operation.has_other else slot


# --- packed ---


def pack(header: Header, calls: Sequence[Call]) -> bytes:
    """The bytes that the runner reads. Raises PlanError where there are too many operands."""
    operands: dict[int, int] = {}
    body = [_pack_call(call, operands) for call in calls]
    slots = slot_count(calls)
    if slots > MAX_SLOTS:
        raise PlanError(f"Too many slots: {slots} of at most {MAX_SLOTS}; free some earlier")
    if len(operands) >= _NO_ARG:
        raise PlanError(
            f"Too many different counts and alignments: {len(operands)} of at most {_NO_ARG - 1};"
            " split the plan"
        )
    head = _HEADER.pack(
        _MAGIC,
        _VERSION,
        header.checks.value,
        slots,
        len(operands),
        len(calls),
        header.repeat,
        header.seed,
        header.alignment,
        _WEAK_ALIGN if header.weak_alignment else 0,
        0,
    )
    return head + struct.pack(f"<{len(operands)}Q", *operands) + b"".join(body)


def with_checks(data: bytes, checks: Check) -> bytes:
    """The same packed plan, verifying other things."""
    return data[:_CHECKS_AT] + struct.pack("<I", checks.value) + data[_CHECKS_AT + 4 :]


def _pack_call(call: Call, operands: dict[int, int]) -> bytes:
    code, slot, size, arg, expect = call
    index = _NO_ARG if arg is None else operands.setdefault(arg, len(operands)) & 0xFFFF
    return _CALL.pack(code, expect, index, _NO_SLOT if slot is None else slot, size)


def body_of(data: bytes) -> tuple[int, int]:
    """Where the calls of a packed plan begin, and how many there are. Raises PlanError."""
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise PlanError("Not a packed plan: it does not start with HYPLAN1")
    version, _, _, operand_count, count = _HEADER.unpack_from(data)[1:6]
    body = _HEADER.size + 8 * operand_count
    if version != _VERSION or len(data) != body + _CALL.size * count:
        raise PlanError(
            f"Not a whole packed plan of version {_VERSION}: version {version}, {len(data)} bytes,"
            f" {body + _CALL.size * count} announced"
        )
    return body, count


def unpack(data: bytes) -> tuple[Header, list[Call]]:
    """The inverse of `pack`; a packed plan has no name. Raises PlanError for anything else."""
    body, _ = body_of(data)
    _, checks, _, operand_count, _, repeat, seed, alignment, flags = _HEADER.unpack_from(data)[1:10]
    operands = struct.unpack_from(f"<{operand_count}Q", data, _HEADER.size)
    header = Header(
        checks=Check(checks),
        seed=seed,
        alignment=alignment,
        weak_alignment=bool(flags & _WEAK_ALIGN),
        repeat=repeat,
    )
    return header, [_unpack_call(row, operands) for row in _CALL.iter_unpack(data[body:])]


def _unpack_call(row: tuple[int, ...], operands: Sequence[int]) -> Call:
    code, expect, index, slot, size = row
    if code not in BY_CODE or (index != _NO_ARG and index >= len(operands)):
        raise PlanError(f"Damaged packed plan: operation {code} with operand {index}")
    return Call(
        code,
        None if slot == _NO_SLOT else slot,
        size,
        None if index == _NO_ARG else operands[index],
        expect,
    )


# --- JSON ---


def write_json(header: Header, calls: Sequence[Call]) -> str:
    """The JSON text, one call a line, ending in a newline."""
    settings: dict[str, object] = {
        "schema": SCHEMA,
        "name": header.name,
        "checks": list(header.checks.kinds),
        "seed": header.seed,
        "alignment": header.alignment,
        "weak_alignment": header.weak_alignment,
        "repeat": header.repeat,
    }
    if header.origin:
        settings["origin"] = dict(header.origin)
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in settings.items()]
    body = ",\n".join(f"  {json.dumps(call_to_json(call))}" for call in calls)
    return "\n".join(["{", *lines, ' "ops": [', *([body] if body else []), " ]", "}", ""])


def call_to_json(call: Call) -> list[object]:
    """`[name, fields..., {options}]`, the options only where there are any."""
    options = _options(call.expect)
    return [call.name, *call.values, *([options] if options else [])]


def _options(expect: int) -> dict[str, object]:
    options: dict[str, object] = {}
    names = [name for bit, _, name in _ERRNOS if expect & bit]
    if names:
        options["fails"] = names[0] if len(names) == 1 else names
    elif expect & Expect.FAILURE:
        options["fails"] = True
    for key, bit in _FLAGS.items():
        if expect & bit:
            options[key] = True
    return options


_FLAGS = {
    "may_fail": Expect.EITHER,
    "errno_kept": Expect.ERRNO_KEPT,
    "in_place": Expect.IN_PLACE,
    "memptr_kept": Expect.MEMPTR_KEPT,
}


def read_json(text: str | bytes) -> tuple[Header, list[Call]]:
    """Header and calls of a JSON plan. Raises PlanError that names the line or the field."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PlanError(f"Not JSON: {error}; a plan is a file that heapyard saved") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        seen = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise PlanError(f"Not a plan: schema is {seen!r}, must be {SCHEMA!r}")
    ops = document.get("ops")
    if not isinstance(ops, list):
        raise PlanError('Field "ops" must be a list of calls')
    return _read_header(document), [_read_call(number, row) for number, row in enumerate(ops)]


_TYPES: dict[str, type] = {
    "name": str,
    "seed": int,
    "alignment": int,
    "weak_alignment": bool,
    "repeat": int,
    "origin": dict,
}


def _read_header(document: Mapping[str, Any]) -> Header:
    settings: dict[str, Any] = {}
    for key, kind in _TYPES.items():
        if key in document:
            value = document[key]
            if type(value) is not kind:
                raise PlanError(f'Field "{key}" is {value!r}: must be {kind.__name__}')
            settings[key] = value
    if "checks" in document:
        settings["checks"] = _read_checks(document["checks"])
    return Header(**settings)


def _read_checks(kinds: object) -> Check:
    try:
        if isinstance(kinds, list):
            return Check.of(kinds)
    except (KeyError, TypeError):
        pass
    known = ", ".join(Check.ALL.kinds)
    raise PlanError(f'Field "checks" is {kinds!r}: must be a list of {known}')


def _read_call(number: int, row: object) -> Call:
    try:
        return call_from_json(row)
    except PlanError as error:
        raise PlanError(f"Call {number} of the plan: {error}") from None


def call_from_json(row: object) -> Call:
    """The inverse of `call_to_json`. Raises PlanError that names the field."""
    if not isinstance(row, list) or not row or row[0] not in BY_NAME:
        raise PlanError(f"{json.dumps(row)}: must be [operation, fields...] of a known operation")
    operation = BY_NAME[row[0]]
    values, options = row[1:], {}
    if values and isinstance(values[-1], dict):
        values, options = values[:-1], values[-1]
    if len(values) != len(operation.fields):
        wanted = ", ".join(operation.fields) or "nothing"
        raise PlanError(f"{json.dumps(row)}: {operation.name} takes {wanted}")
    fields = {
        field: _field(operation, field, value)
        for field, value in zip(operation.fields, values, strict=True)
    }
    return _assemble(operation, fields, _read_options(operation, options))


def _field(operation: Operation, field: str, value: object) -> int | None:
    if field == "slot?" and value is None:
        return None
    if field in CHOICES or field == "kinds":
        return _word(operation, field, value)
    least, most = _bounds(field)
    if type(value) is int and least <= value <= most:
        return value & SIZE_MAX
    raise _wrong(operation, field, value, f"{least} to {most}")


def _word(operation: Operation, field: str, value: object) -> int:
    """A field that is written as a word."""
    if field == "kinds":
        kinds = read_kinds(str(value))
        if kinds is None:
            raise _wrong(operation, field, value, "names of system calls, as in mmap+brk")
        return kinds
    if value not in CHOICES[field]:
        raise _wrong(operation, field, value, f"one of {', '.join(CHOICES[field])}")
    return CHOICES[field].index(str(value))


def _wrong(operation: Operation, field: str, value: object, wanted: str) -> PlanError:
    return PlanError(f"{operation.name}: {field.rstrip('?')} is {value!r}, must be {wanted}")


def _bounds(field: str) -> tuple[int, int]:
    if field in ("slot", "slot?", "other"):
        return 0, MAX_SLOTS - 1
    if field in _STRAY:
        return _STRAY[field]
    return 0, SIZE_MAX


_STRAY = {"offset": (-MAX_STRAY, MAX_STRAY), "bytes": (0, MAX_STRAY)}


def _assemble(operation: Operation, fields: Mapping[str, int | None], expect: int) -> Call:
    slot = fields.get("slot", fields.get("slot?"))
    arg = next((fields[name] for name in ARGUMENTS if name in fields), None)
    sizes = [fields[name] for name in fields if name not in ("slot", "slot?", *ARGUMENTS)]
    return Call(operation.code, slot, (sizes[0] or 0) if sizes else 0, arg, expect)


def _read_options(operation: Operation, options: Mapping[str, object]) -> int:
    expect = expect_of(options.get("fails"))
    for key, bit in _FLAGS.items():
        expect |= bit if options.get(key) is True else 0
    if expect & Expect.EITHER:
        expect &= ~Expect.FAILURE
    unknown = next((key for key in options if key not in ("fails", *_FLAGS)), None)
    if unknown is not None or expect & ~operation.expects:
        raise PlanError(f"{operation.name}: it can't have the options {json.dumps(options)}")
    return expect


def expect_of(fails: object) -> int:
    """The expect bits of `fails`: None (succeeds), True, an errno or its name, or several.

    Raises PlanError for any other errno: ENOMEM and EINVAL are the ones that the standards give to
    allocation functions.
    """
    if fails is None or fails is False:
        return Expect.SUCCESS.value
    if fails is True:
        return Expect.FAILURE.value
    expect = Expect.FAILURE.value
    for item in fails if isinstance(fails, (list, tuple, set, frozenset)) else (fails,):
        bits = [bit for bit, value, name in _ERRNOS if item in (value, name)]
        if not bits:
            raise PlanError(f"Invalid fails={item!r}: must be True, ENOMEM, EINVAL or both")
        expect |= bits[0].value
    return expect
