"""The C text of the operations that make memory short, that count, or that stand for many calls."""

from collections.abc import Callable
from dataclasses import replace

from heapyard.reproducer.numbers import atom
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import BY_NAME, OsCalls

__all__ = ["FAIL_OS", "LIMIT_SPACE", "shortage_writers", "write_end_of_shortage"]

Write = Callable[[Writer, Site], None]

LIMIT_SPACE = """\
/* At most so many bytes of address space more than now; SIZE_MAX: as many as there are. */
static void limit_space(size_t bytes)
{
    char text[64] = "";
    struct rlimit limit;
    const int file = open("/proc/self/statm", O_RDONLY);
    (void)!read(file, text, sizeof text - 1);
    (void)close(file);
    (void)getrlimit(RLIMIT_AS, &limit);
    const size_t mapped = strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
    limit.rlim_cur = bytes < SIZE_MAX - mapped ? mapped + bytes : limit.rlim_max;
    (void)setrlimit(RLIMIT_AS, &limit);
}"""

FAIL_OS = """\
/* Lets the nth system call of these kinds fail: 1 mmap, 2 munmap, 4 mremap, 8 brk, 16 madvise, 32
 * mprotect; with 64 all after it too. A filter of the kernel's turns each into a signal, whose
 * handler answers ENOMEM or makes the call, by the one instruction that the filter lets through. */
static volatile unsigned os_kinds;
static volatile size_t os_nth, os_count;

long os_call(long number, long a, long b, long c, long d, long e, long f);
extern const char os_call_end[];
__asm__(".text\\n.globl os_call\\nos_call:\\n"
        "movq %rdi, %rax\\nmovq %rsi, %rdi\\nmovq %rdx, %rsi\\nmovq %rcx, %rdx\\n"
        "movq %r8, %r10\\nmovq %r9, %r8\\nmovq 8(%rsp), %r9\\nsyscall\\n"
        ".globl os_call_end\\nos_call_end:\\nret\\n");

static int os_fails(long number, long first)
{
    static const long numbers[] = {SYS_mmap, SYS_munmap,  SYS_mremap,
                                   SYS_brk,  SYS_madvise, SYS_mprotect};
    unsigned kind = 0;
    while (numbers[kind] != number) {
        kind++;
    }
    if ((os_kinds & 1u << kind) == 0 || (number == SYS_brk && first == 0)) {
        return 0;
    }
    os_count++;
    return os_count == os_nth || (os_count > os_nth && (os_kinds & 64) != 0);
}

static void on_call(int signal, siginfo_t *info, void *context)
{
    greg_t *const r = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    if (!os_fails(info->si_syscall, r[REG_RDI])) {
        r[REG_RAX] = os_call(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                             r[REG_R8], r[REG_R9]);
    } else {
        r[REG_RAX] =
            info->si_syscall == SYS_brk ? os_call(SYS_brk, 0, 0, 0, 0, 0, 0) : -ENOMEM;
    }
}

static void set_filter(void)
{
    const size_t end = (size_t)os_call_end;
    const struct {
        unsigned short code;
        unsigned char if_true, if_false;
        unsigned value;
    } code[] = {
        {0x20, 0, 0, 0},                   /* the call's number */
        {0x15, 5, 0, SYS_mmap},           {0x15, 4, 0, SYS_munmap},
        {0x15, 3, 0, SYS_mremap},         {0x15, 2, 0, SYS_brk},
        {0x15, 1, 0, SYS_madvise},        {0x15, 0, 4, SYS_mprotect},
        {0x20, 0, 0, 8},                   /* the instruction that makes it */
        {0x15, 0, 3, (unsigned)end},      {0x20, 0, 0, 12},
        {0x15, 0, 1, (unsigned)(end >> 32)},
        {0x06, 0, 0, 0x7fff0000},          /* let it through */
        {0x06, 0, 0, 0x00030000},          /* a signal */
    };
    const struct {
        unsigned short length;
        const void *code;
    } filter = {sizeof code / sizeof code[0], code};
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    (void)sigaction(SIGSYS, &action, NULL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, 1, 1, &filter) != 0) {
        (void)printf("not applicable: this kernel filters no system calls\\n");
        exit(0);
    }
}

static void fail_os(unsigned kinds, size_t nth)
{
    static int is_set;
    if (!is_set) {
        is_set = 1;
        set_filter();
    }
    os_count = 0;
    os_nth = nth;
    os_kinds = kinds;
}"""


def _kinds(site: Site) -> str:
    return site.arg if site.known_arg is None else str(OsCalls(site.known_arg).value)


def _fail_os(writer: Writer, site: Site) -> None:
    writer.say(f"{writer.helper('fail_os')}({_kinds(site)}, {site.size});")


def _count_os(writer: Writer, site: Site) -> None:
    """None fails; counted only where that is what the program is about."""
    if writer.failure.figure == "os_calls":
        writer.say(f"{writer.helper('fail_os')}({_kinds(site)}, 0);")


def _end_fail(writer: Writer, _site: Site) -> None:
    writer.say(f"{writer.helper('fail_os')}(0, 0);")


def _limit_space(writer: Writer, site: Site) -> None:
    writer.say(f"{writer.helper('limit_space')}({site.size});")


def write_end_of_shortage(writer: Writer) -> None:
    """What the engine does at the end of a round."""
    if "fail_os" in writer.used.helpers:
        writer.say("fail_os(0, 0);")
    if "limit_space" in writer.used.helpers:
        writer.say("limit_space(SIZE_MAX);")


def _nothing(_writer: Writer, _site: Site) -> None:
    """No call, and no effect: what is counted is no part of a program."""


def _each(name: str, write: Write) -> Write:
    """A loop over the slots, with the call that each of them gets."""

    def loop(writer: Writer, site: Site) -> None:
        step = "" if name == "malloc" or site.known_size == 1 else f" * {atom(site.size)}"
        writer.open(f"for (size_t j = 0; j < {site.arg}; j++)")
        slot = f"{site.slot} + j{step}" if site.slot not in (0, "0") else f"j{step}"
        one = replace(site, operation=BY_NAME[name], slot=slot, arg="0", known_arg=None)
        write(writer, one)
        writer.close()

    return loop


def shortage_writers(allocate: Write, free: Write) -> dict[str, Write]:
    """A row for each of these operations, given those of malloc and free."""
    return {
        "fail_os": _fail_os,
        "end_fail": _end_fail,
        "limit_space": _limit_space,
        "count_os": _count_os,
        "count_cost": _nothing,
        "end_cost": _nothing,
        "malloc_many": _each("malloc", allocate),
        "free_many": _each("free", free),
    }
