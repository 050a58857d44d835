"""The C text of the operations that misuse the allocator on purpose.

Stale pointers and memory that is not the allocator's stand in an array of their own, `stale`, so
that nothing verifies or frees them. Where a misuse ends the process, the program is content.
"""

from collections.abc import Callable

from heapyard.reproducer.numbers import atom
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import FOREIGN, Call

__all__ = ["MISUSE_WRITERS", "takes_break", "write_may_end"]

_BREAK = FOREIGN.index("break")


def takes_break(call: Call) -> bool:
    """Whether the call moves the break, and looks at what is there as at a block."""
    return call.name == "foreign" and call.arg == _BREAK


def _own(writer: Writer, site: Site) -> str:
    """The stale pointer of the call's slot."""
    return f"{writer.helper('stale')}[{site.slot}]"


def _block(writer: Writer, slot: int | str) -> str:
    """The block of a slot; where it is foreign memory, that."""
    pointer = writer.blocks.pointer(slot)
    if isinstance(slot, int) and not pointer.endswith("]"):
        return pointer if writer.blocks.may_be_live(slot) else f"{writer.helper('stale')}[{slot}]"
    return f"({pointer} != NULL ? {pointer} : {writer.helper('stale')}[{slot}])"


def _other(writer: Writer, site: Site) -> str:
    """The block of the call's second slot."""
    return _block(writer, site.size if site.known_size is None else site.known_size)


def _offset(site: Site) -> str:
    """The offset as C has it: signed."""
    if site.known_size is not None and site.known_size >> 63:
        return f" - {(1 << 64) - site.known_size}"
    return f" + {atom(site.size)}"


def _slot(site: Site) -> int | str:
    assert site.slot is not None, f"{site.name} has a slot"
    return site.slot


def _at(pointer: str, site: Site) -> str:
    return pointer if site.known_size == 0 else f"(char *){atom(pointer)}{_offset(site)}"


def write_may_end(writer: Writer) -> None:
    """From here on the process may end: that is what a misuse should come to."""
    if writer.failure.kind in ("misuse", ""):
        writer.say(f"{writer.helper('may_end')}();")


def _alias(writer: Writer, site: Site) -> None:
    writer.say(f"{_own(writer, site)} = {_other(writer, site)};")


def _foreign(writer: Writer, site: Site) -> None:
    if site.known_arg == _BREAK:
        _take_break(writer, site)
        return
    area = writer.local("unsigned char", "on_stack [4112] = {0}")
    kind = site.arg
    base = area.split()[0]
    writer.say(f"{_own(writer, site)} = {writer.helper('foreign')}({kind}, {base}, {site.size});")


def _take_break(writer: Writer, site: Site) -> None:
    """It is looked at as a block is, and never given to the allocator."""
    slot = _slot(site)
    writer.say(f"{writer.blocks.assign(slot)} = {writer.helper('take_break')}({site.size});")
    writer.blocks.entered(site, site.size, writer.blocks.fresh(slot))


def _free(writer: Writer, pointer: str) -> None:
    write_may_end(writer)
    writer.say(f"{writer.call('free', pointer)};")


def _free_stale(writer: Writer, site: Site) -> None:
    _free(writer, _own(writer, site))


def _free_at(writer: Writer, site: Site) -> None:
    _free(writer, _at(_block(writer, _slot(site)), site))


def _free_address(writer: Writer, site: Site) -> None:
    writer.used.headers.add("stdint.h")
    address = site.size if site.known_size is None else hex(site.known_size)
    _free(writer, f"(void *)(uintptr_t){atom(address)}")


def _stray(writer: Writer, pointer: str, count: str) -> None:
    write_may_end(writer)
    writer.say(f"{writer.helper('stray')}({pointer}, {count});")


def _write_at(writer: Writer, site: Site) -> None:
    _stray(writer, _at(_block(writer, _slot(site)), site), site.arg)


def _write_past(writer: Writer, site: Site) -> None:
    """Behind the usable bytes: what malloc_usable_size says."""
    slot = _slot(site)
    block = _block(writer, slot)
    end = writer.call("usable_size", block)
    _stray(writer, f"(char *){atom(block)} + {end}", site.size)


def _write_stale(writer: Writer, site: Site) -> None:
    _stray(writer, _at(_own(writer, site), site), site.arg)


def _link_stale(writer: Writer, site: Site) -> None:
    write_may_end(writer)
    writer.say(f"*(void *volatile *){_own(writer, site)} = {_other(writer, site)};")


def _realloc_stale(writer: Writer, site: Site) -> None:
    write_may_end(writer)
    own = _own(writer, site)
    writer.say(f"{own} = {writer.call('realloc', own, site.size)};")


def _usable_stale(writer: Writer, site: Site) -> None:
    write_may_end(writer)
    writer.say(f"(void){writer.call('usable_size', _own(writer, site))};")


def _read_stale(writer: Writer, site: Site) -> None:
    writer.say(f"{writer.helper('look')}({_own(writer, site)}, {site.size});")


def _untold(writer: Writer, site: Site) -> None:
    if writer.wants("misuse", site):
        writer.helper("failed")
        expected = "the process to end, with a message that names the misuse"
        writer.say(f'failed("expected: {expected}; seen: the program went on\\n");')


MISUSE_WRITERS: dict[str, Callable[[Writer, Site], None]] = {
    "alias": _alias,
    "foreign": _foreign,
    "free_stale": _free_stale,
    "free_at": _free_at,
    "free_address": _free_address,
    "write_at": _write_at,
    "write_past": _write_past,
    "write_stale": _write_stale,
    "link_stale": _link_stale,
    "realloc_stale": _realloc_stale,
    "usable_stale": _usable_stale,
    "read_stale": _read_stale,
    "untold": _untold,
}
"""By the operation's name, as WRITERS in `calls`."""
