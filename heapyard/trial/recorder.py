"""Run a program so that its allocator calls are recorded (libheapyard_record, by LD_PRELOAD)."""

import os
import secrets
import shutil
import signal
import stat
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from heapyard._native.build import current_build
from heapyard.trial.elf import NotElfError, read_elf, read_loader
from heapyard.trial.recording import MAGIC, RecordingError, is_recording

__all__ = ["Recorded", "create_recording", "record", "recorder_environment"]

_HEADER_SIZE = 4096
_HEAD = struct.Struct("<8sIIQQI")
"""Magic, version, flags, words, run, process: the beginning of the header."""
_VERSION = 1
_WORD_SIZE = 8
_SHEBANGS = 4
"""How many scripts may interpret each other: that many the kernel follows."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A run that has ended."""

    code: int
    """The program's exit code; 128 + the signal that ended it."""
    paths: tuple[Path, ...]
    """The recordings: the program's own, then those of what it was before an exec, and of its
    children."""


def record(arguments: Sequence[str], output: Path, *, children: bool = False) -> Recorded:
    """Run a program to its end, with this process's standard streams.

    Its calls go to `output`; with `children` those of each child process to `output.PID`. Raises
    RecordingError, in one line, where the program can't be recorded.
    """
    program = _find(arguments[0])
    _require_recordable(arguments[0], Path(program))
    run = secrets.randbits(64)
    environment = recorder_environment(output, children=children)
    create_recording(output, run=run)
    try:
        code = _run([program, *arguments[1:]], arguments[0], environment)
        paths = tuple(_paths(output, run))
        if not paths:
            raise RecordingError(
                f"{arguments[0]}: it ran without the recorder; does it start another program with"
                " an environment of its own, or with another user's rights?"
            )
    except BaseException:
        if _process(output) == 0:
            output.unlink(missing_ok=True)
        raise
    for path in paths:
        _trim(path)
    return Recorded(code=code, paths=paths)


# --- what can be recorded ---


def _find(name: str) -> str:
    """The program's path, as it was typed: a script sees it as $0."""
    found = shutil.which(name)
    if found is not None:  # not as a Path, which would take "./" off and have PATH searched again
        return found
    if os.sep in name and Path(name).is_dir():
        raise RecordingError(f"{name}: a folder; name a program")
    if os.sep in name and Path(name).exists():
        raise RecordingError(f"{name}: not executable; chmod +x, or name its interpreter first")
    raise RecordingError(f"{name}: no such program; give its path, or one that PATH finds")


def _require_recordable(typed: str, program: Path) -> None:
    """Refuse what the loader would not load the recorder into."""
    for _ in range(_SHEBANGS + 1):
        _require_plain_rights(typed, program)
        interpreter = _shebang(typed, program)
        if interpreter is None:
            _require_loader(typed, program)
            return
        program = interpreter
    raise RecordingError(f"{typed}: a script whose interpreters are scripts; name the last one")


def _require_plain_rights(typed: str, program: Path) -> None:
    mode = program.stat().st_mode
    if mode & (stat.S_ISUID | stat.S_ISGID):
        right = "setuid" if mode & stat.S_ISUID else "setgid"
        raise RecordingError(
            f"{typed}: {program} is {right}: LD_PRELOAD does not reach it; copy it"
        )
    with suppress(OSError):
        if os.getxattr(program, "security.capability"):
            raise RecordingError(
                f"{typed}: {program} has capabilities: LD_PRELOAD does not reach it; copy it"
            )


def _shebang(typed: str, program: Path) -> Path | None:
    """The interpreter of a script."""
    try:
        with program.open("rb") as file:
            line = file.readline(256)
    except OSError as error:
        raise RecordingError(f"{typed}: can't read {program}: {error.strerror}") from None
    if not line.startswith(b"#!"):
        return None
    words = line[2:].split()
    interpreter = Path(os.fsdecode(words[0] if words else b""))
    if not interpreter.is_file():
        raise RecordingError(f"{typed}: its interpreter {interpreter} is not there; install it")
    return interpreter


def _require_loader(typed: str, program: Path) -> None:
    try:
        loader = read_loader(program)
        elf, own = read_elf(program), read_elf(current_build().recorder)
    except NotElfError as error:
        raise RecordingError(f"{typed}: {program} is {error}; name a program") from None
    except FileNotFoundError as error:
        raise RecordingError(f"{error.filename} is not there; build again") from None
    if (elf.machine, elf.bits) != (own.machine, own.bits):
        raise RecordingError(
            f"{typed}: {program} is for {elf.architecture}, the recorder for {own.architecture}"
        )
    if not loader:
        raise RecordingError(
            f"{typed}: {program} is linked statically, so its malloc can't be recorded; link it"
            " dynamically"
        )
    if "ld-musl" in loader:
        raise RecordingError(
            f"{typed}: {program} is linked with musl, the recorder with glibc; link it with glibc"
        )


# --- the file ---


def create_recording(output: Path, *, run: int) -> None:
    """A new file with a header that no process owns yet: the first that comes does.

    Raises RecordingError where it can't be written, or is there and is something else.
    """
    if output.exists() and not is_recording(output):
        raise RecordingError(f"{output} is there and is no recording; name another file with -o")
    try:
        output.unlink(missing_ok=True)  # a process that still records into it keeps its own
        with output.open("xb") as file:
            file.write(_HEAD.pack(MAGIC, _VERSION, 0, 0, run, 0).ljust(_HEADER_SIZE, b"\0"))
    except OSError as error:
        raise RecordingError(
            f"can't write {output}: {error.strerror}; name another file with -o"
        ) from None


def _head(path: Path) -> tuple[int, ...]:
    """Words, run and process of a recording; zeros where it is none."""
    with suppress(OSError, struct.error), path.open("rb") as file:
        magic, _, _, words, run, process = _HEAD.unpack(file.read(_HEAD.size))
        if magic == MAGIC:
            return words, run, process
    return 0, 0, 0


def _process(path: Path) -> int:
    return _head(path)[2]


def _paths(output: Path, run: int) -> Iterator[Path]:
    """All recordings of one run that some process has begun."""
    others = (
        path
        for path in output.parent.iterdir()
        if path.name.startswith(f"{output.name}.") and is_recording(path)
    )
    for path in (output, *sorted(others)):
        _, of_run, process = _head(path)
        if process != 0 and of_run == run:
            yield path


def _trim(path: Path) -> None:
    """Cut off the room that was never used, unless the process still runs."""
    words, _, process = _head(path)
    used = _HEADER_SIZE + words * _WORD_SIZE
    if not Path(f"/proc/{process}").exists() and used < path.stat().st_size:
        os.truncate(path, used)


# --- the run ---


def recorder_environment(output: Path, *, children: bool = False) -> dict[str, str]:
    """The environment in which a program is recorded. Raises RecordingError."""
    library = str(current_build().recorder)
    obstacle = next((character for character in " :$" if character in library), "")
    if obstacle:
        raise RecordingError(
            f"LD_PRELOAD can't name {library}, which has {obstacle!r} in it; build in another place"
        )
    inherited = os.environ.get("LD_PRELOAD", "")
    return {
        **os.environ,
        "LD_PRELOAD": f"{library}:{inherited}" if inherited else library,
        "HEAPYARD_RECORD": str(output.absolute()),
        "HEAPYARD_RECORD_CHILDREN": "1" if children else "0",
    }


def _run(command: Sequence[str], typed: str, environment: dict[str, str]) -> int:
    try:
        child = subprocess.Popen([typed, *command[1:]], executable=command[0], env=environment)
    except OSError as error:
        raise RecordingError(f"{typed}: it does not start: {error.strerror}") from None
    with child, _left_to_the_child():
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _left_to_the_child() -> Iterator[None]:
    """Keys that interrupt are for the program: it decides what they do."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _KEYS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_KEYS = (signal.SIGINT, signal.SIGQUIT)
