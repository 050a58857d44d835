"""What a library's own debug information says of its functions and structs."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from elftools.elf.elffile import ELFFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Maker = Callable[[Any, str], "CType"]

ENCODINGS = {2: "bool", 4: "float", 5: "signed", 6: "signed", 7: "unsigned", 8: "unsigned"}
"""DW_ATE_*: both kinds of char are integers of one byte."""

QUALIFIERS = ("DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type")
TRANSPARENT = (*QUALIFIERS, "DW_TAG_typedef")
AGGREGATES = ("DW_TAG_structure_type", "DW_TAG_union_type")


@dataclass(frozen=True)
class CType:
    """A C type, without its qualifiers and typedefs."""

    kind: str
    """void, bool, float, signed, unsigned, enum, struct, pointer, function or array."""
    size: int = 0
    name: str = ""
    """Of a struct: its tag, or its typedef."""
    target: CType | None = None
    """Of a pointer: what it points to. Of a function: its result."""
    arguments: tuple[CType, ...] = ()

    def __str__(self) -> str:
        if self.kind == "pointer":
            return f"{self.target} *"
        return self.name or f"{self.kind}{self.size * 8 or ''}"


VOID = CType("void")


@dataclass(frozen=True)
class CFunction:
    """A function's result and arguments."""

    name: str
    result: CType
    arguments: tuple[CType, ...]


@dataclass(frozen=True)
class CMember:
    """One field of a struct: its offset in bytes and its type."""

    name: str
    offset: int
    type: CType


@dataclass(frozen=True)
class CStruct:
    """A struct's size in bytes and its fields."""

    name: str
    size: int
    members: tuple[CMember, ...]


@dataclass
class Symbols:
    """All that one library says of itself."""

    exported: frozenset[str] = frozenset()
    functions: dict[str, CFunction] = field(default_factory=dict)
    structs: dict[str, CStruct] = field(default_factory=dict)
    enums: dict[str, dict[str, int]] = field(default_factory=dict)


def _name(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""


def _value(die: Any, attribute: str) -> int:
    """0 where the die has no such attribute (a union's members have no offset)."""
    found = die.attributes.get(attribute)
    return int(found.value) if found else 0


def _size(die: Any) -> int:
    return _value(die, "DW_AT_byte_size")


def _referred(die: Any) -> Any:
    return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None


def _type_of(die: Any) -> CType:
    """The type that a die's DW_AT_type refers to."""
    return _describe(_referred(die), "")


def _describe(die: Any, alias: str) -> CType:
    while die is not None and die.tag in TRANSPARENT:
        alias = (_name(die) if die.tag == "DW_TAG_typedef" else "") or alias
        die = _referred(die)
    if die is None:
        return VOID
    maker = MAKERS.get(die.tag)
    if maker is None:
        return CType(die.tag.removeprefix("DW_TAG_").removesuffix("_type"), _size(die))
    return maker(die, alias)


def _named(kind: str) -> Maker:
    return lambda die, alias: CType(kind, _size(die), alias or _name(die))


MAKERS: dict[str, Maker] = {
    "DW_TAG_pointer_type": lambda die, _: CType("pointer", 8, target=_type_of(die)),
    "DW_TAG_base_type": lambda die, _: CType(
        ENCODINGS[die.attributes["DW_AT_encoding"].value], _size(die)
    ),
    "DW_TAG_structure_type": _named("struct"),
    "DW_TAG_union_type": _named("struct"),
    "DW_TAG_enumeration_type": _named("enum"),
    "DW_TAG_subroutine_type": lambda die, _: CType(
        "function", target=_type_of(die), arguments=_arguments(die)
    ),
}


def _arguments(die: Any) -> tuple[CType, ...]:
    children = die.iter_children()
    return tuple(_type_of(child) for child in children if child.tag == "DW_TAG_formal_parameter")


def _struct(die: Any, name: str) -> CStruct:
    members = tuple(
        CMember(_name(child), _value(child, "DW_AT_data_member_location"), _type_of(child))
        for child in die.iter_children()
        if child.tag == "DW_TAG_member"
    )
    return CStruct(name, _size(die), members)


def _enum(die: Any) -> dict[str, int]:
    return {
        _name(child): child.attributes["DW_AT_const_value"].value
        for child in die.iter_children()
        if child.tag == "DW_TAG_enumerator"
    }


def _read_die(die: Any, symbols: Symbols) -> None:
    name = _name(die)
    if die.tag == "DW_TAG_subprogram" and name in symbols.exported:
        symbols.functions[name] = CFunction(name, _type_of(die), _arguments(die))
    if die.tag != "DW_TAG_typedef":
        return
    target = _referred(die)
    if target is not None and target.tag in AGGREGATES and _size(target):
        symbols.structs[name] = _struct(target, name)
    if target is not None and target.tag == "DW_TAG_enumeration_type":
        symbols.enums[name] = _enum(target)


def _section(elf: ELFFile, name: str) -> Any:
    return elf.get_section_by_name(name)


def _exported(elf: ELFFile) -> frozenset[str]:
    return frozenset(
        symbol.name
        for symbol in _section(elf, ".dynsym").iter_symbols()
        if symbol["st_shndx"] != "SHN_UNDEF"
        and symbol["st_info"]["type"] == "STT_FUNC"
        and symbol["st_other"]["visibility"] == "STV_DEFAULT"
    )


@functools.cache
def read_symbols(path: Path) -> Symbols:
    """Read a library; `functions` is empty where it was built without debug information."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols = Symbols(_exported(elf))
        if elf.has_dwarf_info():
            for unit in elf.get_dwarf_info().iter_CUs():
                for die in unit.get_top_DIE().iter_children():
                    _read_die(die, symbols)
        return symbols
