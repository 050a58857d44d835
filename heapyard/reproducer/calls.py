"""One small function for each kind of operation: the C text of its call, and of its checks.

`WRITERS` has a row for every operation but those that `script` writes, which say who makes the
calls, and when; a new one needs its row here, and its entry point in `signatures`. What an
operation means stands in <heapyard/plan.h>.
"""

from collections.abc import Callable

from heapyard.reproducer.figures import note_figure
from heapyard.reproducer.misuse import MISUSE_WRITERS, write_may_end
from heapyard.reproducer.numbers import atom, number
from heapyard.reproducer.processes import write_atfork, write_early, write_signals
from heapyard.reproducer.shortage import shortage_writers, write_end_of_shortage
from heapyard.reproducer.threads import write_stack
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import FIGURES, Expect

__all__ = ["WRITERS", "write_end_of_round"]

_ERRORS = {
    Expect.ENOMEM.value: ("ENOMEM",),
    Expect.EINVAL.value: ("EINVAL",),
    (Expect.ENOMEM | Expect.EINVAL).value: ("ENOMEM", "EINVAL"),
}


def _slot(site: Site) -> int | str:
    assert site.slot is not None, f"{site.name} has a slot"
    return site.slot


def _arguments(site: Site) -> list[str]:
    """Count or alignment, where there is one, and the size."""
    first = [site.arg] if {"count", "alignment"} & set(site.operation.fields) else []
    return [*first, site.size]


# --- calls that make a block ---


def _allocate(writer: Writer, site: Site) -> None:
    slot = _slot(site)
    writer.arm_errno(site)
    call = writer.call(site.name, *_arguments(site))
    writer.say(f"{writer.blocks.assign(slot)} = {call};")
    _judge(writer, site, writer.blocks.fresh(slot))
    _settle(writer, site)


def _posix_memalign(writer: Writer, site: Site) -> None:
    slot = _slot(site)
    block = writer.blocks.fresh(slot)
    judged = any(writer.wants(kind, site) for kind in ("null", "return_code", "memptr"))
    if site.outcome == Expect.SUCCESS and not judged:
        writer.say(f"{writer.blocks.assign(slot)} = NULL;")
        writer.arm_errno(site)
        writer.say(f"(void){writer.call('posix_memalign', f'&{block}', site.arg, site.size)};")
        writer.errno_is_kept(site)
        _settle(writer, site)
        return
    writer.arm_errno(site)
    code = writer.local("int", "code")
    spoils = writer.wants("memptr", site)
    before = f"&{writer.local('static char', 'untouched')}" if spoils else "NULL"
    writer.say(f"{writer.blocks.assign(slot)} = {before};")
    writer.say(f"{code} = {writer.call('posix_memalign', f'&{block}', site.arg, site.size)};")
    if spoils:
        writer.fail_if(
            f"{code} != 0 && {block} != &untouched",
            "a failing call leaves the pointer alone",
            "it returned %d and changed the pointer to %p",
            code,
            block,
        )
    writer.say(f"{block} = {code} == 0 ? {block} : NULL;")
    _judge(writer, site, block, code=code)
    _settle(writer, site)


def _judge(writer: Writer, site: Site, block: str, *, code: str = "") -> None:
    """Whether success or failure is what the plan expects, and errno with it."""
    may_free = site.operation.resizes and site.known_total == 0
    succeeds = site.outcome == Expect.SUCCESS and not site.overflows and not may_free
    if succeeds and writer.wants("null", site):
        writer.used.headers.add("errno.h")
        said = f"NULL, {'returned' if code else 'errno'} %d"
        bytes_asked = (f"(size_t){atom(site.total)}", code or "errno")
        writer.fail_if(f"{block} == NULL", "a block of %zu bytes", said, *bytes_asked)
    if (site.outcome == Expect.FAILURE or site.overflows) and writer.wants("refuse", site):
        why = ": the product does not fit in a size_t" if site.overflows else ""
        writer.fail_if(f"{block} != NULL", f"a failure{why}", "a block at %p", block)
    if site.outcome != Expect.SUCCESS:
        _judge_error(writer, site, block, code)
    writer.errno_is_kept(site)


def _judge_error(writer: Writer, site: Site, block: str, code: str) -> None:
    names = _ERRORS.get(site.expect & (Expect.ENOMEM | Expect.EINVAL), ())
    if site.outcome == Expect.EITHER and site.known_total == 0:
        return
    if code and writer.wants("return_code", site):
        names = names or ("ENOMEM", "EINVAL")
        _fail_unless_one_of(writer, f"{block} == NULL", code, names, "a failure that returns")
    elif not code and names and writer.wants("errno", site):
        _fail_unless_one_of(writer, f"{block} == NULL", "errno", names, "a failure with errno")


def _fail_unless_one_of(
    writer: Writer, condition: str, value: str, names: tuple[str, ...], expected: str
) -> None:
    writer.used.headers.add("errno.h")
    differs = "".join(f" && {value} != {name}" for name in names)
    writer.fail_if(condition + differs, f"{expected} {' or '.join(names)}", "%d", value)


def _settle(writer: Writer, site: Site, block: str = "") -> None:
    """The new block: aligned, apart from others, mapped, zero where it must be; then filled."""
    slot = _slot(site)
    if site.outcome == Expect.FAILURE or site.overflows:
        return
    block = block or writer.blocks.fresh(slot)
    alignment = _alignment(writer, site)
    if alignment != "1" and writer.wants("align", site):
        writer.used.headers.add("stdint.h")
        writer.fail_if(
            f"(uintptr_t){block} % {atom(alignment)} != 0",
            "an address that is a multiple of %zu",
            "%p",
            f"(size_t){atom(alignment)}",
            block,
        )
    if writer.wants("mapped", site):
        writer.say(f"{writer.helper('mapped')}({block}, {site.total});")
    if site.name == "calloc" and writer.wants("zero", site):
        writer.say(f"{writer.helper('zero')}({block}, {site.total});")
    writer.blocks.entered(site, site.total, block)


def _alignment(writer: Writer, site: Site) -> str:
    """What the block's address must be a multiple of."""
    if site.name in ("valloc", "pvalloc"):
        writer.used.headers.add("unistd.h")
        return "(size_t)sysconf(_SC_PAGESIZE)"
    if "alignment" in site.operation.fields:
        asked = site.known_arg
        if asked is None:
            return f"{atom(site.arg)} & ({site.arg} - 1) ? 1 : {atom(site.arg)}"
        return number(asked) if asked and asked & (asked - 1) == 0 else "1"
    natural = writer.alignment
    if not writer.header.weak_alignment:
        return number(natural)
    size = site.known_total
    if size is None:
        return "1" if natural == 1 else f"({site.total}) >= {natural} ? {natural} : 1"
    return number(natural if size >= natural else 1 << max(size.bit_length() - 1, 0))


# --- realloc and reallocarray ---


def _resize(writer: Writer, site: Site) -> None:
    slot = _slot(site)
    blocks = writer.blocks
    if site.outcome == Expect.FAILURE or site.overflows:
        _resize_in_vain(writer, site, slot)
        return
    _verify_before_shrinking(writer, site, slot)
    in_place = bool(site.expect & Expect.IN_PLACE) and writer.wants("in_place", site)
    careful = in_place or site.outcome == Expect.EITHER or writer.wants("content", site)
    old = blocks.leaving(slot, returns=careful)
    writer.arm_errno(site)
    call = writer.call(site.name, old, *_arguments(site))
    if not careful:
        writer.say(f"{blocks.assign(slot)} = {call};")
        _judge(writer, site, blocks.fresh(slot))
        _settle(writer, site)
        return
    moved = writer.local("void *", "moved")
    writer.say(f"{moved} = {call};")
    _judge(writer, site, moved)
    if in_place:
        _fail_if_moved(writer, old, moved)
    may_fail = site.outcome == Expect.EITHER and site.known_total != 0
    if may_fail:
        _put_back_if_it_failed(writer, site, slot, moved)
        writer.open(f"if ({moved} != NULL)")
    if writer.wants("content", site) and blocks.may_be_live(slot):
        blocks.verify_kept(slot, moved, site.total)
    _take(writer, site, slot, moved)
    if may_fail:
        writer.close()


def _take(writer: Writer, site: Site, slot: int | str, moved: str) -> None:
    """What realloc answered is the slot's block."""
    blocks = writer.blocks
    if blocks.fresh(slot) == blocks.pointer(slot):
        writer.say(f"{blocks.assign(slot)} = {moved};")
        moved = blocks.pointer(slot)
    _settle(writer, site, moved)


def _put_back_if_it_failed(writer: Writer, site: Site, slot: int | str, moved: str) -> None:
    """The old block is still live then, with all that is in it."""
    not_freed = "" if site.known_total else f" && {atom(site.total)} != 0"
    writer.open(f"if ({moved} == NULL{not_freed})")
    writer.blocks.put_back(slot)
    if writer.wants("content", site) and writer.blocks.may_be_live(slot):
        writer.blocks.verify(slot)
    writer.close()


def _resize_in_vain(writer: Writer, site: Site, slot: int | str) -> None:
    """A call that must fail: the old block stays, with all that is in it."""
    moved = writer.local("void *", "moved")
    writer.arm_errno(site)
    call = writer.call(site.name, writer.blocks.value(slot), *_arguments(site))
    writer.say(f"{moved} = {call};")
    _judge(writer, site, moved)
    if writer.wants("content", site) and writer.blocks.may_be_live(slot):
        writer.blocks.verify(slot)


def _verify_before_shrinking(writer: Writer, site: Site, slot: int | str) -> None:
    """What a shrinking call cuts off can't be verified afterwards."""
    if writer.wants("content", site) and writer.blocks.may_be_live(slot):
        writer.blocks.verify(slot)


def _fail_if_moved(writer: Writer, old: str, moved: str) -> None:
    condition = f"{moved} != NULL && {old} != NULL && {moved} != {old}"
    writer.fail_if(condition, "the block stays at %p", "it moved to %p", old, moved)


# --- calls that end a block ---


def _free(writer: Writer, site: Site) -> None:
    block = "NULL"
    if site.slot is not None:
        if writer.wants("content", site) and writer.blocks.may_be_live(site.slot):
            writer.blocks.verify(site.slot)
        block = writer.blocks.taken(site.slot)
    more = _arguments(site) if "size" in site.operation.fields else []
    if more and writer.failure.kind == "misuse":  # the size may be another than was asked for
        write_may_end(writer)
    writer.arm_errno(site)
    writer.say(f"{writer.call(site.name, block, *more)};")
    writer.errno_is_kept(site)


def _forget(writer: Writer, site: Site) -> None:
    writer.say(f"(void){writer.blocks.taken(_slot(site))}; /* never freed */")


def _free_all(writer: Writer, site: Site) -> None:
    if writer.is_bulk:
        _check_all(writer, site)
        for slot in writer.blocks.every():
            writer.say(f"(void){writer.blocks.taken(slot)};")
        writer.say("target->close(handle);", "handle = target->open();")
        return
    for slot in writer.blocks.every():
        if isinstance(slot, str):
            writer.open("for (size_t x = 0; x < sizeof b / sizeof b[0]; x++)")
        if writer.wants("content", site):
            writer.blocks.verify(slot)
        writer.arm_errno(site)
        block = writer.blocks.taken(slot)
        if writer.takes_break:
            block = f"{writer.helper('unless_of_break')}({block})"
        writer.say(f"{writer.call('free', block)};")
        writer.errno_is_kept(site)
        if isinstance(slot, str):
            writer.close()


def write_end_of_round(writer: Writer, site: Site) -> None:
    """What the engine does after the last call: verify and free what is still live."""
    write_end_of_shortage(writer)
    if "free" in writer.used.functions or writer.is_bulk or writer.blocks.every():
        _free_all(writer, site)


# --- calls that look ---


def _usable_size(writer: Writer, site: Site) -> None:
    usable = writer.local("size_t", "usable")
    block = writer.blocks.value(site.slot)
    writer.arm_errno(site)
    writer.say(f"{usable} = {writer.call('usable_size', block)};")
    writer.errno_is_kept(site)
    if not writer.wants("usable", site):
        writer.say(f"(void){usable};")
        return
    if site.slot is None or not writer.blocks.may_be_live(site.slot):
        writer.fail_if(f"{usable} != 0", "a usable size of 0 for NULL", "%zu", usable)
        return
    least = writer.blocks.size(site.slot)
    if site.known_size != 0:
        least = f"({site.size} > {least} ? {site.size} : {least})"
    values = (f"(size_t){atom(least)}", usable)
    condition = f"{block} != NULL && {usable} < {least}"
    writer.fail_if(condition, "a usable size of at least %zu", "%zu", *values)


def _fill_usable(writer: Writer, site: Site) -> None:
    slot = _slot(site)
    if not writer.blocks.may_be_live(slot):
        return
    if writer.wants("content", site):
        writer.blocks.verify(slot)
    usable = writer.local("size_t", "usable")
    writer.say(f"{usable} = {writer.call('usable_size', writer.blocks.value(slot))};")
    if writer.wants("usable", site):
        least = writer.blocks.size(slot)
        values = (f"(size_t){atom(least)}", usable)
        writer.fail_if(f"{usable} < {least}", "a usable size of at least %zu", "%zu", *values)
    writer.blocks.refill(slot, usable)


def _write(writer: Writer, site: Site) -> None:
    if writer.blocks.may_be_live(_slot(site)):
        writer.blocks.refill(_slot(site), None)


def _check(writer: Writer, site: Site) -> None:
    if writer.wants("content", site) and writer.blocks.may_be_live(_slot(site)):
        writer.blocks.verify(_slot(site))


def _check_all(writer: Writer, site: Site) -> None:
    if not writer.wants("content", site):
        return
    for slot in writer.blocks.every():
        if isinstance(slot, str):
            writer.open("for (size_t x = 0; x < sizeof b / sizeof b[0]; x++)")
        writer.blocks.verify(slot)
        if isinstance(slot, str):
            writer.close()


def _set_errno(writer: Writer, site: Site) -> None:
    if writer.kept == "kept":  # in a table of steps the value is a variable
        writer.say(f"kept = (int){site.size};")
    else:
        writer.kept = site.size


def _trim(writer: Writer, site: Site) -> None:
    writer.arm_errno(site)
    writer.say(f"(void){writer.call('trim', site.size)};")
    writer.errno_is_kept(site)


def _measure(writer: Writer, site: Site) -> None:
    if site.known_size is not None:
        note_figure(writer, FIGURES[site.known_size])


def _trend(writer: Writer, site: Site) -> None:
    if site.known_size is not None:
        note_figure(writer, FIGURES[site.known_size], in_rounds=True)


def _idle(writer: Writer, site: Site) -> None:
    writer.say(f"{writer.helper('pause_for')}({site.size});")


def _await(writer: Writer, site: Site) -> None:
    """What is given back late has the whole time to go; the figure is noted after it."""
    _idle(writer, site)
    note_figure(writer, "rss")


def _stir(writer: Writer, site: Site) -> None:
    """The same, in short sleeps between blocks that come and go."""
    block, size = writer.local("void *", "stirred"), writer.local("size_t ", "stirred_size")
    writer.open(f"for (long left = {site.size}; left >= 0; left -= 20)")
    writer.open("for (int pair = 0; pair < 500; pair++)")
    writer.say(f"{size} = (size_t)64 << pair % 11;")
    writer.say(f"{block} = {writer.call('malloc', size)};")
    writer.say(f"{writer.call('free', block)};")
    writer.close()
    writer.say(f"{writer.helper('pause_for')}(20);")
    writer.close()
    note_figure(writer, "rss")


def _self_check(writer: Writer, site: Site) -> None:
    text = writer.local("const char *", "text")
    writer.say(f"{text} = {writer.call('check')};")
    if writer.wants("self_check", site):
        found = f"{text} != NULL"
        writer.fail_if(found, "the target's own check finds nothing", "%s", text)


def _nothing(_writer: Writer, _site: Site) -> None:
    """No call, and no effect."""


WRITERS: dict[str, Callable[[Writer, Site], None]] = {
    "nop": _nothing,
    "malloc": _allocate,
    "calloc": _allocate,
    "realloc": _resize,
    "reallocarray": _resize,
    "free": _free,
    "free_sized": _free,
    "free_aligned_sized": _free,
    "aligned_alloc": _allocate,
    "posix_memalign": _posix_memalign,
    "memalign": _allocate,
    "valloc": _allocate,
    "pvalloc": _allocate,
    "usable_size": _usable_size,
    "fill_usable": _fill_usable,
    "write": _write,
    "check": _check,
    "check_all": _check_all,
    "set_errno": _set_errno,
    "free_all": _free_all,
    "trim": _trim,
    "measure": _measure,
    "forget": _forget,
    "distinct": _nothing,
    "self_check": _self_check,
    "idle": _idle,
    "await": _await,
    "stir": _stir,
    "watch": _nothing,  # no program measures residue
    "trend": _trend,
    **MISUSE_WRITERS,
    "early": write_early,
    "signals": write_signals,
    "stack": write_stack,
    "atfork": write_atfork,
    **shortage_writers(_allocate, _free),
}
"""By the operation's name."""
