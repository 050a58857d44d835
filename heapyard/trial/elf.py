"""Just enough of ELF to say why a file can't be put on trial, and which functions it has.

Layouts are those of the System V ABI (gABI chapters 4 and 5). Nothing is loaded or run.
"""

import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["ElfFile", "NotElfError", "machine_name", "read_elf", "read_loader"]

ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4

_T = TypeVar("_T")

_PT_INTERP = 3
_SHT_DYNAMIC, _SHT_DYNSYM = 6, 11
_DT_FLAGS_1, _DF_1_PIE = 0x6FFFFFFB, 0x08000000
_STT_OBJECT, _STT_FUNC, _STT_GNU_IFUNC = 1, 2, 10
_FUNCTIONS = (_STT_FUNC, _STT_GNU_IFUNC)
_MACHINES = {
    3: "x86",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC64",
    22: "s390",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}


class NotElfError(Exception):
    """The file is not ELF, or is cut short; the text says what it seems to be."""


@dataclass(frozen=True)
class ElfFile:
    """The facts of one ELF file."""

    bits: int
    little_endian: bool
    type: int
    """ET_REL, ET_EXEC, ET_DYN or ET_CORE."""
    machine: int
    pie: bool
    """Whether it is an executable although its type is ET_DYN."""
    functions: frozenset[str]
    """Names of the functions that it exports dynamically."""
    data: frozenset[str]
    """Names of the variables that it exports dynamically."""
    has_table: bool
    """Whether it exports a `heapyard_target` (<heapyard/target.h>)."""

    @property
    def architecture(self) -> str:
        """Machine and word size, as "x86-64 (64-bit)"."""
        return machine_name(self.machine, self.bits, little_endian=self.little_endian)


def machine_name(machine: int, bits: int, *, little_endian: bool = True) -> str:
    """Machine and word size for people."""
    order = "" if little_endian else ", big-endian"
    return f"{_MACHINES.get(machine, f'machine {machine}')} ({bits}-bit{order})"


@dataclass(frozen=True)
class _Section:
    type: int
    offset: int
    size: int
    link: int


def read_elf(path: Path) -> ElfFile:
    """Read one file. Raises NotElfError; OSError where it can't be read."""
    return _read(path, lambda reader: reader.read())


def read_loader(path: Path) -> str:
    """The dynamic loader that starts a program ("/lib64/ld-linux-x86-64.so.2"); "": it is static.

    Raises NotElfError; OSError where the file can't be read.
    """
    return _read(path, lambda reader: reader.loader())


def _read(path: Path, read: Callable[["_Reader"], _T]) -> _T:
    with path.open("rb") as file:
        head = file.read(64)
        if not head.startswith(b"\x7fELF"):
            raise NotElfError(_guess(head))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return read(_Reader(data))
            except (struct.error, IndexError, UnicodeDecodeError) as error:
                raise NotElfError("an ELF file that is cut short or damaged") from error


def _guess(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head.startswith(b"!<arch>"):
        return "a static archive (.a); link it into a shared library first"
    if head.startswith((b"\xcf\xfa\xed\xfe", b"MZ")):
        return "a library of another system"
    if b"\0" not in head:
        return "a text file" + ("; a linker script?" if b"GNU ld script" in head else "")
    return "no ELF file"


class _Reader:
    """Reads the tables of one mapped file."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._wide = data[4] == 2
        self._order = "<" if data[5] == 1 else ">"

    def read(self) -> ElfFile:
        kind, machine = self._unpack("HH", 16)
        sections = self._sections()
        symbols = [symbol for section in sections for symbol in self._symbols(section, sections)]
        return ElfFile(
            bits=64 if self._wide else 32,
            little_endian=self._order == "<",
            type=kind,
            machine=machine,
            pie=any(s.type == _SHT_DYNAMIC and self._is_pie(s) for s in sections),
            functions=frozenset(name for name, kind in symbols if kind in _FUNCTIONS),
            data=frozenset(name for name, kind in symbols if kind == _STT_OBJECT),
            has_table=("heapyard_target", _STT_OBJECT) in symbols,
        )

    def loader(self) -> str:
        """The text of the program header PT_INTERP."""
        (start,) = self._unpack("Q", 32) if self._wide else self._unpack("I", 28)
        stride, count = self._unpack("HH", 54 if self._wide else 42)
        for at in range(start, start + stride * count, stride or 1):
            kind, offset = self._unpack("I4xQ" if self._wide else "II", at)
            if kind == _PT_INTERP:
                return self._string(offset)
        return ""

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, self._data, offset)

    def _sections(self) -> list[_Section]:
        (start,) = self._unpack("Q", 40) if self._wide else self._unpack("I", 32)
        stride, count = self._unpack("HH", 58 if self._wide else 46)
        return [self._section(start + index * stride) for index in range(count)] if start else []

    def _section(self, offset: int) -> _Section:
        layout = "4xI8x8xQQI" if self._wide else "4xI4x4xIII"
        return _Section(*self._unpack(layout, offset))

    def _is_pie(self, section: _Section) -> bool:
        layout = "qQ" if self._wide else "iI"
        stride = 16 if self._wide else 8
        return any(
            tag == _DT_FLAGS_1 and value & _DF_1_PIE
            for tag, value in (
                self._unpack(layout, section.offset + at)
                for at in range(0, section.size - stride + 1, stride)
            )
        )

    def _symbols(self, table: _Section, sections: list[_Section]) -> Iterator[tuple[str, int]]:
        """Name and type of each symbol that this table defines, if it is the dynamic one."""
        if table.type != _SHT_DYNSYM:
            return
        strings = sections[table.link]
        layout, stride = ("IBxH16x", 24) if self._wide else ("I8xBxH", 16)
        for at in range(stride, table.size - stride + 1, stride):
            name, info, section = self._unpack(layout, table.offset + at)
            if section != 0:
                yield self._string(strings.offset + name), info & 15

    def _string(self, offset: int) -> str:
        end = self._data.find(b"\0", offset)
        return self._data[offset:end].decode()
