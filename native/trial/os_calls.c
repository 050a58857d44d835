#include "trial/os_calls.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <heapyard/plan.h>

#include "base/annotate.h"

#if defined(__has_feature)
#    if __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#        define MAPS_FOR_ITSELF 1
#    endif
#endif
#if defined(__SANITIZE_THREAD__) || HY_HAS_ASAN
#    define MAPS_FOR_ITSELF 1
#endif

static hy_os_watch watch;

#if defined(__x86_64__) && !defined(MAPS_FOR_ITSELF)

/* What <linux/filter.h>, <linux/seccomp.h> and <linux/audit.h> define; a libc without the kernel's
 * headers has none of them. */
enum {
    LOAD_WORD = 0x20,
    JUMP_IF_EQUAL = 0x15,
    RETURN = 0x06,
    ALLOW = 0x7fff0000,
    TRAP = 0x00030000,
    SET_MODE_FILTER = 1,
    EVERY_THREAD = 1,
    AT_NUMBER = 0,
    AT_ARCHITECTURE = 4,
    AT_INSTRUCTION = 8,
    SECCOMP_CODE = 1, /* si_code of a SIGSYS by a filter */
};
#    define X86_64 0xc000003eu

typedef struct instruction {
    uint16_t code;
    uint8_t if_true;
    uint8_t if_false;
    uint32_t value;
} instruction;

typedef struct program {
    unsigned short length;
    const instruction *code;
} program;

/* The one instruction by which watched calls reach the kernel, and the address right after it,
 * which is what a filter sees. */
long hy__os_call(long number, long a, long b, long c, long d, long e, long f);
extern const char hy__os_call_end[];
__asm__(".text\n"
        ".globl hy__os_call\n"
        ".hidden hy__os_call\n"
        ".type hy__os_call, @function\n"
        "hy__os_call:\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    movq %rdx, %rsi\n"
        "    movq %rcx, %rdx\n"
        "    movq %r8, %r10\n"
        "    movq %r9, %r8\n"
        "    movq 8(%rsp), %r9\n"
        "    syscall\n"
        ".globl hy__os_call_end\n"
        ".hidden hy__os_call_end\n"
        "hy__os_call_end:\n"
        "    ret\n"
        ".size hy__os_call, . - hy__os_call\n");

static uint32_t kind_of(long number)
{
    switch (number) {
    case SYS_mmap:
        return HY_OS_MMAP;
    case SYS_munmap:
        return HY_OS_MUNMAP;
    case SYS_mremap:
        return HY_OS_MREMAP;
    case SYS_brk:
        return HY_OS_BRK;
    case SYS_madvise:
        return HY_OS_MADVISE;
    default:
        return HY_OS_MPROTECT;
    }
}

/* Whether this call, which is about to be made, is one to fail. brk(0) asks for nothing. */
static bool is_to_fail(long number, long first)
{
    const uint32_t kinds = __atomic_load_n(&watch.kinds, __ATOMIC_ACQUIRE);
    if ((kinds & kind_of(number)) == 0 || (number == SYS_brk && first == 0)) {
        return false;
    }
    const uint64_t nth = __atomic_load_n(&watch.nth, __ATOMIC_RELAXED);
    const uint64_t count = __atomic_add_fetch(&watch.count, 1, __ATOMIC_RELAXED);
    return nth != 0 && (count == nth || (count > nth && (kinds & HY_OS_ONWARD) != 0));
}

static long answer(long number, const greg_t *registers)
{
    if (is_to_fail(number, registers[REG_RDI])) {
        (void)__atomic_add_fetch(&watch.failed, 1, __ATOMIC_RELAXED);
        return number == SYS_brk ? hy__os_call(SYS_brk, 0, 0, 0, 0, 0, 0) : -ENOMEM;
    }
    return hy__os_call(number, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                       registers[REG_R10], registers[REG_R8], registers[REG_R9]);
}

/*
 * rt_sigprocmask(how, set, old, 8), as the handler makes it: on the mask that its return restores.
 * SIGSYS stays unblocked whatever is asked for: blocked, the next trap would end the process. A
 * libc blocks all signals while a thread ends, and gives back the thread's stack meanwhile.
 */
static long change_mask(ucontext_t *context)
{
    const greg_t *const registers = context->uc_mcontext.gregs;
    uint64_t *const mask = (uint64_t *)(void *)&context->uc_sigmask;
    const uint64_t *const set = (const uint64_t *)registers[REG_RSI];
    uint64_t *const old = (uint64_t *)registers[REG_RDX];
    const uint64_t was = *mask;
    const uint64_t asked = set != NULL ? *set & ~(UINT64_C(1) << (SIGSYS - 1)) : 0;
    if (registers[REG_R10] != (greg_t)sizeof *mask) {
        return -EINVAL;
    }
    if (set != NULL) {
        switch (registers[REG_RDI]) {
        case SIG_BLOCK:
            *mask = was | asked;
            break;
        case SIG_UNBLOCK:
            *mask = was & ~asked;
            break;
        case SIG_SETMASK:
            *mask = asked;
            break;
        default:
            return -EINVAL;
        }
    }
    if (old != NULL) {
        *old = was;
    }
    return 0;
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    if (info->si_code == SECCOMP_CODE) {
        registers[REG_RAX] = info->si_syscall == SYS_rt_sigprocmask
                                 ? change_mask(context)
                                 : answer(info->si_syscall, registers);
    }
    errno = saved;
}

static bool handle_traps(void)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    (void)sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL) == 0;
}

/* Another architecture's numbers, other calls, and the engine's own instruction pass. */
static bool set_filter(void)
{
    const uint64_t own = (uintptr_t)hy__os_call_end;
    const instruction code[] = {
        {LOAD_WORD, 0, 0, AT_ARCHITECTURE},
        {JUMP_IF_EQUAL, 0, 12, X86_64},
        {LOAD_WORD, 0, 0, AT_NUMBER},
        {JUMP_IF_EQUAL, 11, 0, SYS_rt_sigprocmask},
        {JUMP_IF_EQUAL, 5, 0, SYS_mmap},
        {JUMP_IF_EQUAL, 4, 0, SYS_munmap},
        {JUMP_IF_EQUAL, 3, 0, SYS_mremap},
        {JUMP_IF_EQUAL, 2, 0, SYS_brk},
        {JUMP_IF_EQUAL, 1, 0, SYS_madvise},
        {JUMP_IF_EQUAL, 0, 4, SYS_mprotect},
        {LOAD_WORD, 0, 0, AT_INSTRUCTION},
        {JUMP_IF_EQUAL, 0, 3, (uint32_t)own},
        {LOAD_WORD, 0, 0, AT_INSTRUCTION + 4},
        {JUMP_IF_EQUAL, 0, 1, (uint32_t)(own >> 32)},
        {RETURN, 0, 0, ALLOW},
        {RETURN, 0, 0, TRAP},
    };
    const program filter = {.length = sizeof code / sizeof code[0], .code = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SET_MODE_FILTER, EVERY_THREAD, &filter) == 0;
}

static const char *set_up(void)
{
    static bool is_set_up;
    if (!is_set_up) {
        if (!handle_traps() || !set_filter()) {
            return "this kernel lets no process filter its own system calls (seccomp)";
        }
        is_set_up = true;
    }
    return NULL;
}

#else

static const char *set_up(void)
{
#    ifdef MAPS_FOR_ITSELF
    return "a sanitizer's runtime maps memory for itself: its calls can't be told apart";
#    else
    return "system calls can be watched on x86-64 only";
#    endif
}

#endif

const char *hy__os_watch(uint32_t kinds, uint64_t nth)
{
    hy__os_let_go();
    const char *const reason = set_up();
    if (reason == NULL) {
        watch.count = 0;
        watch.failed = 0;
        watch.nth = nth;
        __atomic_store_n(&watch.kinds, kinds, __ATOMIC_RELEASE);
    }
    return reason;
}

void hy__os_let_go(void)
{
    __atomic_store_n(&watch.kinds, 0, __ATOMIC_RELEASE);
}

hy_os_watch hy__os_watched(void)
{
    return (hy_os_watch){.kinds = __atomic_load_n(&watch.kinds, __ATOMIC_RELAXED),
                         .nth = watch.nth,
                         .count = __atomic_load_n(&watch.count, __ATOMIC_RELAXED),
                         .failed = __atomic_load_n(&watch.failed, __ATOMIC_RELAXED)};
}
