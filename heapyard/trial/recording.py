"""Recordings of real programs (`heapyard record`): what is in one, and the plan that it makes.

The file's format is in <heapyard/recording.h>. heapyard-trace, a native child, reads it: ten
million calls take about a second, and a damaged file harms nobody.

In the plan each block has a slot. Slot numbers are dense: a freed block's slot is the next one
used, so there are as many slots as blocks were live at one time, at most 2**24. Calls of all
threads come in the order in which they were recorded, calls that failed are left out, and every
block that is never freed stays live to the end of the round.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heapyard._native.build import current_build
from heapyard.errors import HeapyardError
from heapyard.trial.checks import Check
from heapyard.trial.encoding import with_checks

__all__ = ["Recording", "RecordingError", "is_recording", "load_recording", "read_recording"]

MAGIC = b"HYREC1\0\0"


class RecordingError(HeapyardError):
    """A file that is no recording, or can't become a plan."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one recording holds. Sizes are in bytes, as asked for."""

    path: Path
    command: tuple[str, ...]
    """The arguments of the process, the program first; may be cut short."""
    process: int
    parent: int
    run: int
    """The same for all processes of one `heapyard record`."""
    full: bool
    """Whether recording stopped for want of room."""
    calls: dict[str, int]
    """How many calls of each function, failed ones too."""
    failed: int
    free_null: int
    unknown: int
    """Blocks freed or resized that the recording never saw allocated: of before it began."""
    lost: int
    """Blocks freed in a way that the recorder did not see."""
    cut: int
    """Words of calls that were cut off when the process was killed."""
    threads: int
    live_bytes: int
    """In blocks never freed."""
    live_blocks: int
    peak_bytes: int
    peak_blocks: int
    """How many blocks were live at the moment of the peak."""
    peak_op: int
    """The plan's operation that reached the peak."""
    allocated: int
    """Asked for by all calls that did not fail."""
    slots: int
    op_count: int
    """Operations of the plan."""
    sizes: tuple[int, ...]
    """How many blocks of 0 bytes, of 1, of 2 to 3, of 4 to 7, and so on."""

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


def is_recording(path: Path) -> bool:
    """Whether the file begins as a recording does; False where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_recording(path: Path) -> Recording:
    """Say what is in a recording. Raises RecordingError."""
    return _recording(path, _trace(path, []))


def load_recording(path: Path, *, checks: Check = Check.DEFAULT, plain: bool = False) -> bytes:
    """The recording as a packed plan (<heapyard/plan.h>), which verifies `checks`.

    `plain`: only malloc, calloc, realloc and free, for a target that has no others: a call for an
    aligned block becomes malloc of the same size. Raises RecordingError.
    """
    descriptor = os.memfd_create("heapyard-plan", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "rb") as plan:
        _trace(path, ["--plain"] if plain else [], plan=descriptor)
        return with_checks(plan.read(), checks)


def _trace(path: Path, options: list[str], *, plan: int | None = None) -> dict[str, Any]:
    """Run heapyard-trace; what it says of the recording."""
    command = [str(current_build().trace), *options, str(path.absolute())]
    command += [] if plan is None else [f"/proc/self/fd/{plan}"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
            pass_fds=() if plan is None else (plan,),
        )
    except OSError as error:
        raise RecordingError(
            f"{command[0]}: it does not start ({error.strerror}); build again"
        ) from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().removeprefix(f"{path.absolute()}: ")
        raise RecordingError(f"{path}: {reason or 'it is damaged: reading it failed'}")
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def _recording(path: Path, summary: dict[str, Any]) -> Recording:
    names = set(Recording.__dataclass_fields__) & set(summary)
    facts = {name: summary[name] for name in names}
    facts["command"] = tuple(os.fsdecode(text) for text in _arguments(summary["command"]))
    facts["sizes"] = tuple(summary["sizes"])
    return Recording(path=path, **facts)


def _arguments(command: str) -> list[bytes]:
    """The bytes came as Latin-1, each argument ended by a zero."""
    return command.encode("latin-1").rstrip(b"\0").split(b"\0")
