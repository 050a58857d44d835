"""Library files: found as the loader finds them, and looked at before anything is loaded."""

import fnmatch
import functools
import glob
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from heapyard.trial.elf import ET_CORE, ET_EXEC, ET_REL, ElfFile, NotElfError, read_elf
from heapyard.trial.targets import TargetError

__all__ = ["examine_library", "find_library", "known_libraries", "prefixes_in"]

_CACHE_LINE = re.compile(r"^\s*(\S+) \(([^)]*)\) => (\S+)$")
_FOLDERS = ("/usr/local/lib", "/lib", "/usr/lib", "/lib64", "/usr/lib64")


def find_library(text: str) -> Path:
    """The file that `text` means: a path, else a name looked up in the order of ld.so(8).

    LD_LIBRARY_PATH, the loader's cache, the standard folders. Raises TargetError.
    """
    path = Path(text)
    if not text:
        raise TargetError("No target given; `heapyard targets` lists what is here")
    if path.is_dir():
        raise TargetError(f"{text}: a folder; give the shared library in it")
    _require_name(text)
    if path.exists():
        _require_file(text, path)
        return path.resolve()
    if "/" in text:
        raise TargetError(
            f"{text}: no such file; give the path of a shared library, or a name that"
            " `heapyard targets` lists"
        )
    for candidate in _candidates(glob.escape(text)):
        return candidate
    raise TargetError(
        f"{text}: no such file, and the loader knows no library of this name; give its path, or a"
        " name that `heapyard targets` lists"
    )


def _require_name(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TargetError(f"{text!r}: the name is not UTF-8; give the file another one") from None


def _require_file(text: str, path: Path) -> None:
    """Reading from a pipe or a device may never end."""
    if not path.is_file():
        raise TargetError(f"{text}: a device or a pipe; give a shared library")


def known_libraries(patterns: Iterable[str]) -> list[Path]:
    """Every installed library whose name matches one of these shell patterns, each file once."""
    found: dict[Path, Path] = {}
    for pattern in patterns:
        for candidate in _candidates(pattern):
            found.setdefault(candidate.resolve(), candidate)
    return list(found.values())


def _candidates(pattern: str) -> list[Path]:
    searched = [
        Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder
    ]
    names = [path for name, path in _loader_cache() if fnmatch.fnmatchcase(name, pattern)]
    places = [*_matching(searched, pattern), *names, *_matching(map(Path, _FOLDERS), pattern)]
    return [path for path in places if path.is_file()]


def _matching(folders: Iterable[Path], pattern: str) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob(pattern))]


@functools.cache
def _loader_cache() -> tuple[tuple[str, Path], ...]:
    """Names and files of the loader's cache, those of this word size first.

    `ldconfig -p` prints lines as `libm.so.6 (libc6,x86-64) => /lib/libm.so.6`.
    """
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/bin:/usr/bin")
    if ldconfig is None:
        return ()
    done = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False)
    rows = [
        match.groups() for line in done.stdout.splitlines() if (match := _CACHE_LINE.match(line))
    ]
    rows.sort(key=lambda row: "64" not in row[1])
    return tuple((name, Path(path)) for name, _, path in rows)


def examine_library(text: str, path: Path, runner: Path) -> ElfFile:
    """Read the file's ELF tables. Raises TargetError unless it is a shared library for `runner`."""
    try:
        elf = read_elf(path)
    except NotElfError as error:
        raise TargetError(f"{text}: not a shared library: it is {error}") from error
    except OSError as error:
        raise TargetError(f"{text}: it can't be read: {error.strerror}") from error
    _require_machine(text, elf, runner)
    kind = {
        ET_REL: "an object file (.o); link it with -shared",
        ET_EXEC: "an executable; give the shared library that holds its malloc",
        ET_CORE: "a core dump",
    }.get(elf.type)
    if elf.pie:
        kind = "an executable; give the shared library that holds its malloc"
    if kind is not None:
        raise TargetError(f"{text}: not a shared library: it is {kind}")
    return elf


def _require_machine(text: str, elf: ElfFile, runner: Path) -> None:
    try:
        here = read_elf(runner).architecture
    except (NotElfError, OSError) as error:
        raise TargetError(f"{runner}: the runner can't be read ({error}); build again") from error
    if elf.architecture != here:
        raise TargetError(
            f"{text}: wrong architecture: it is for {elf.architecture}, this machine's programs are"
            f" for {here}; give one built for {here}"
        )


def prefixes_in(functions: Iterable[str]) -> list[str]:
    """Prefixes under which these functions have both malloc and free, the shortest first."""
    names = set(functions)
    prefixes = {name.removesuffix("malloc") for name in names if name.endswith("malloc")}
    return sorted((p for p in prefixes if p and p + "free" in names), key=lambda p: (len(p), p))
