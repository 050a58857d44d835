"""Reading ELF tables: against pyelftools on real libraries, and on made-up headers."""

import struct
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.trial.elf import NotElfError, machine_name, read_elf
from heapyard.trial.libraries import prefixes_in

from .support import built

elffile = pytest.importorskip("elftools.elf.elffile")


def exported(path: Path) -> set[str]:
    """Functions of the dynamic symbol table, as pyelftools reads them."""
    with path.open("rb") as file:
        table = elffile.ELFFile(file).get_section_by_name(".dynsym")
        return {
            symbol.name
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] in ("STT_FUNC", "STT_LOOS")
            and symbol["st_shndx"] != "SHN_UNDEF"
        }


@pytest.mark.parametrize("name", ["hostile", "prefixed", "corpus"])
def test_functions_are_those_of_the_dynamic_symbols(name: str) -> None:
    assert read_elf(built(name)).functions == exported(built(name))


def test_a_table_is_seen() -> None:
    assert read_elf(next(iter(current_build().targets.values()))).has_table
    assert not read_elf(built("hostile")).has_table


def test_a_program_is_told_from_a_library() -> None:
    assert read_elf(current_build().runner).pie
    assert not read_elf(built("hostile")).pie


@pytest.mark.parametrize(
    ("bits", "order", "name"),
    [
        (1, 1, "ARM (32-bit)"),
        (1, 2, "ARM (32-bit, big-endian)"),
        (2, 2, "ARM (64-bit, big-endian)"),
    ],
)
def test_other_word_sizes_and_byte_orders_are_read(
    tmp_path: Path, bits: int, order: int, name: str
) -> None:
    path = tmp_path / "other.so"
    head = b"\x7fELF" + bytes([bits, order]) + bytes(10)
    path.write_bytes(head + struct.pack("<HH" if order == 1 else ">HH", 3, 40) + bytes(60))
    assert read_elf(path).architecture == name


def test_an_unknown_machine_has_its_number() -> None:
    assert machine_name(12345, 64) == "machine 12345 (64-bit)"


@pytest.mark.parametrize("size", [4, 16, 17, 40, 63, 64, 500, 5000])
def test_a_file_cut_anywhere_is_an_error_or_a_smaller_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.so"
    path.write_bytes(built("hostile").read_bytes()[:size])
    with pytest.raises(NotElfError, match="cut short or damaged"):
        read_elf(path)


def test_a_prefix_has_both_malloc_and_free() -> None:
    names = [
        "je_malloc",
        "je_free",
        "xmalloc",
        "malloc",
        "free",
        "mi_heap_malloc",
        "a_malloc",
        "a_free",
    ]
    assert prefixes_in(names) == ["a_", "je_"]
