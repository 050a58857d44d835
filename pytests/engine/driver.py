"""Drives the runner with plans packed by hand, so that nothing of heapyard's Python is in between.

    held = run([op("malloc", 0, 32), op("free", 0)])
    violation = run([op("malloc", 0, 32), op("malloc", 1, 32)], script="0 16")

`script` is what the allocator of scripted.c answers, word by word.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heapyard._native.build import current_build

OPS = {
    "nop": 0,
    "malloc": 1,
    "calloc": 2,
    "realloc": 3,
    "reallocarray": 4,
    "free": 5,
    "free_sized": 6,
    "free_aligned_sized": 7,
    "aligned_alloc": 8,
    "posix_memalign": 9,
    "memalign": 10,
    "valloc": 11,
    "pvalloc": 12,
    "usable_size": 13,
    "fill_usable": 14,
    "write": 15,
    "check": 16,
    "check_all": 17,
    "set_errno": 18,
    "free_all": 19,
    "trim": 20,
    "measure": 21,
    "forget": 22,
    "distinct": 23,
    "self_check": 24,
    "on_thread": 25,
    "join": 26,
    "parallel": 27,
    "end_section": 28,
    "in_destructor": 29,
    "fork": 30,
    "signals": 31,
    "at_exit": 32,
    "early": 33,
    "atfork": 34,
    "fail_os": 35,
    "end_fail": 36,
    "limit_space": 37,
    "count_os": 38,
    "count_cost": 39,
    "end_cost": 40,
    "malloc_many": 41,
    "free_many": 42,
    "idle": 43,
    "await": 44,
    "stir": 45,
    "watch": 46,
    "trend": 47,
    "alias": 50,
    "foreign": 51,
    "free_stale": 52,
    "free_at": 53,
    "free_address": 54,
    "write_at": 55,
    "write_past": 56,
    "write_stale": 57,
    "link_stale": 58,
    "realloc_stale": 59,
    "usable_stale": 60,
    "read_stale": 61,
    "untold": 62,
    "stack": 70,
}
"""The value of each op."""
CHECKS = {
    "null": 0,
    "refuse": 1,
    "align": 2,
    "overlap": 3,
    "content": 4,
    "zero": 5,
    "errno": 6,
    "usable": 7,
    "return_code": 8,
    "mapped": 9,
    "in_place": 10,
    "memptr": 11,
    "self_check": 12,
    "engine": 13,
    "misuse": 16,
}
"""The bit of each check, counted from 0."""
MEASURES = [
    *("rss", "live_bytes", "usable_bytes", "extent", "mapped", "shared_lines"),
    *("os_calls", "os_failures", "page_faults"),
    *("cost_median", "cost_p90", "cost_p99", "cost_max"),
    *("lazily_free", "mappings", "residue", "shown", "trimmed"),
    *("open_files", "blocked_signals", "handled_signals"),
]

ALL = sum(1 << bit for bit in CHECKS.values())
DEFAULT = ALL & ~(1 << CHECKS["self_check"] | 1 << CHECKS["misuse"])

FAILS, EITHER, ERRNO_KEPT, ENOMEM, EINVAL, IN_PLACE = 1, 2, 4, 8, 16, 32
NO_SLOT = 0xFFFFFFFF
NO_ARG = 0xFFFF
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SIZE_MAX = (1 << 64) - 1

_SECONDS = 120


needs_the_libc = pytest.mark.usefixtures("unsanitized_malloc")


def checks(*names: str) -> int:
    """The mask of these checks."""
    return sum(1 << CHECKS[name] for name in names)


@dataclass(frozen=True)
class Op:
    """One op; `arg` is the operand itself."""

    name: str
    slot: int | None = None
    size: int = 0
    arg: int | None = None
    expect: int = 0


def op(
    name: str,
    slot: int | None = None,
    size: int = 0,
    *,
    arg: int | None = None,
    expect: int = 0,
) -> Op:
    return Op(name, slot, size, arg, expect)


def pack_op(code: int, *, slot: int, size: int, arg: int = NO_ARG, expect: int = 0) -> bytes:
    return struct.pack("<BBHIQ", code, expect, arg, slot, size)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The fields of a plan's header; the counts are those of the ops unless given."""

    magic: bytes = b"HYPLAN1\0"
    version: int = 1
    checks: int = DEFAULT
    slots: int | None = None
    operand_count: int | None = None
    op_count: int | None = None
    repeat: int = 1
    seed: int = 7
    alignment: int = 0
    flags: int = 0
    reserved: int = 0


def _last_slot(each: Op) -> int:
    assert each.slot is not None
    step = {"malloc_many": 1, "free_many": each.size}.get(each.name, 0)
    return each.slot + ((each.arg or 1) - 1) * step


def measure(name: str) -> Op:
    """The op that notes this figure."""
    return op("measure", size=MEASURES.index(name))


def pack(ops: list[Op], header: Header | None = None) -> bytes:
    """The binary form of a plan."""
    chosen = header or Header()
    operands = sorted({each.arg for each in ops if each.arg is not None})
    slots = max((_last_slot(each) + 1 for each in ops if each.slot is not None), default=0)
    packed = struct.pack(
        "<8sIIIIQQQIIQ",
        chosen.magic,
        chosen.version,
        chosen.checks,
        slots if chosen.slots is None else chosen.slots,
        len(operands) if chosen.operand_count is None else chosen.operand_count,
        len(ops) if chosen.op_count is None else chosen.op_count,
        chosen.repeat,
        chosen.seed,
        chosen.alignment,
        chosen.flags,
        chosen.reserved,
    )
    packed += struct.pack(f"<{len(operands)}Q", *operands)
    index = {operand: position for position, operand in enumerate(operands)}
    return packed + b"".join(
        pack_op(
            OPS[each.name],
            slot=NO_SLOT if each.slot is None else each.slot,
            size=each.size,
            arg=NO_ARG if each.arg is None else index[each.arg],
            expect=each.expect,
        )
        for each in ops
    )


@dataclass(frozen=True)
class Run:
    """How the runner ended. `state`: op, round and operations, from the state page."""

    exit_code: int
    output: str
    errors: str
    state: tuple[int, int, int]

    @property
    def result(self) -> dict[str, Any]:
        assert self.exit_code == 0, self
        decoded: dict[str, Any] = json.loads(self.output)
        return decoded

    @property
    def status(self) -> str:
        return str(self.result["status"])

    @property
    def found(self) -> tuple[str, str]:
        """Kind of the violation and name of the op."""
        assert self.status == "violation", self
        return self.result["kind"], self.result["name"]

    @property
    def refused(self) -> tuple[str, str]:
        """Cause and reason."""
        assert self.status == "refused", self
        return self.result["cause"], self.result["reason"]

    def figures(self, name: str) -> list[int]:
        return [each["value"] for each in self.result["figures"] if each["name"] == name]


def library(name: str) -> Path:
    """One of the allocators that pytests/engine/CMakeLists.txt builds."""
    return current_build().source.parent / "pytests" / "engine" / f"{name}.so"


def launch(
    arguments: list[str],
    *,
    environment: dict[str, str] | None = None,
    plan: bytes | None = None,
    runner: Path | None = None,
) -> Run:
    """The runner with these arguments, a plan file and a state page."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as state:
        state.truncate(64)
        command = [str(runner or current_build().runner), *arguments]
        if plan is not None:
            path = Path(folder) / "plan"
            path.write_bytes(plan)
            command += ["--plan", str(path), "--state", str(state.fileno())]
        done = subprocess.run(
            command,
            env=_environment() | (environment or {}),
            pass_fds=[state.fileno()],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        state.seek(0)
        op_index, round_index, operations = struct.unpack("<3Q", state.read(24))
    return Run(done.returncode, done.stdout, done.stderr, (op_index, round_index, operations))


def _environment() -> dict[str, str]:
    """Without what the test session preloads for a sanitized Python; its options stay."""
    kept = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return kept | {
        "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:"
        "detect_leaks=0:allocator_may_return_null=1:handle_segv=0",
    }


def run(
    ops: list[Op],
    *,
    script: str = "",
    mode: str = "",
    target: str = "scripted",
    arguments: list[str] | None = None,
    **fields: Any,
) -> Run:
    """A plan of these ops on one of the test's allocators; `libc` is the runner's own."""
    chosen = [] if target == "libc" else ["--library", str(library(target))]
    return launch(
        [*chosen, *(arguments or [])],
        plan=pack(ops, Header(**fields)),
        environment={"HEAPYARD_SCRIPT": script, "HEAPYARD_MODE": mode},
    )
