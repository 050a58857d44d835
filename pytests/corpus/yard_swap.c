/*
 * yard_swap.c: defects of an allocator in malloc's place.
 */
#include "yard_swap.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_guard.h"

/* ---- a symbol that is not there ------------------------------------------------------------- */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static uintptr_t own_base(void)
{
    Dl_info info;
    return dladdr((void *)(uintptr_t)yard_wipe_now, &info) != 0 ? (uintptr_t)info.dli_fbase : 0;
}

/* The loader has made these addresses absolute by now. */
static uintptr_t dynamic(ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == tag) {
            return entry->d_un.d_ptr;
        }
    }
    return 0;
}

/* Takes the symbol out of this library's table: whoever looks for it finds the libc's. */
static void hide(const char *name)
{
    ElfW(Sym) *symbol = (ElfW(Sym) *)dynamic(DT_SYMTAB);
    const char *names = (const char *)dynamic(DT_STRTAB);
    if (symbol == NULL || own_base() == 0) {
        return;
    }
    for (; (const char *)symbol < names; symbol++) { /* the names stand behind the symbols */
        if (symbol->st_shndx != SHN_UNDEF && strcmp(names + symbol->st_name, name) == 0) {
            const uintptr_t page = (uintptr_t)symbol & ~(uintptr_t)(YARD_PAGE - 1);
            (void)mprotect((void *)page, 2 * YARD_PAGE, PROT_READ | PROT_WRITE);
            symbol->st_shndx = SHN_UNDEF;
            symbol->st_value = 0;
            (void)mprotect((void *)page, 2 * YARD_PAGE, PROT_READ);
        }
    }
}

/* ---- when it is loaded ---------------------------------------------------------------------- */

static bool is_preloaded(void)
{
    return getenv("LD_PRELOAD") != NULL;
}

static void at_exit(int status, void *nothing)
{
    (void)status;
    (void)nothing;
}

static void want_static_tls(void)
{
    static const char message[] = "cannot allocate memory in static TLS block\n";
    if (!is_preloaded() && getenv("GLIBC_TUNABLES") == NULL) {
        (void)!write(STDERR_FILENO, message, sizeof message - 1);
        abort();
    }
}

__attribute__((constructor)) static void load(void)
{
    switch (yard_defect_in_force()) {
    case DEFECT_aligned_alloc_left_to_libc:
        hide("aligned_alloc");
        return;
    case DEFECT_pvalloc_left_to_libc:
        hide("pvalloc");
        return;
    case DEFECT_load_crashes:
        __builtin_trap();
    case DEFECT_load_exits:
        _exit(0);
    case DEFECT_static_tls_too_large:
        want_static_tls();
        return;
    case DEFECT_exit_handler_left:
        (void)on_exit(at_exit, NULL); /* which, unlike atexit, outlives the library */
        return;
    default:
        return;
    }
}

/* ---- who calls ---------------------------------------------------------------------------- */

bool yard_is_libc(const void *caller)
{
    static const void *libc;
    Dl_info info;
    if (!is_preloaded()) {
        return false;
    }
    if (libc == NULL && dladdr(dlsym(RTLD_NEXT, "getpid"), &info) != 0) {
        libc = info.dli_fbase;
    }
    return dladdr(caller, &info) != 0 && info.dli_fbase == libc;
}

void *yard_block_for_libc(size_t size, const void *caller)
{
    static char room[1 << 20] __attribute__((aligned(16)));
    static size_t used;
    if (!yard_defect(DEFECT_libc_blocks_apart) || size > 256 || used + size + 16 > sizeof room ||
        !yard_is_libc(caller)) {
        return NULL;
    }
    char *block = room + used;
    used += (size + 15) & ~(size_t)15;
    return block;
}

/* ---- now and then ------------------------------------------------------------------------- */

bool yard_fails_now(void)
{
    static unsigned calls;
    return yard_defect(DEFECT_rare_malloc_fails) &&
           __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 20000 == 0;
}

void *yard_fixed_chunk(size_t size)
{
    static uintptr_t next = UINT64_C(0x550000000000);
    if (!yard_defect(DEFECT_fixed_address)) {
        return NULL;
    }
    next += size;
    return mmap((void *)(next - size), size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void yard_wipe_now(void)
{
    static unsigned calls;
    void *last = yard_defect(DEFECT_rare_free_wipes) &&
                         __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 500 == 0
                     ? yard_last_taken()
                     : NULL;
    if (last != NULL) {
        memset(last, 0, YARD_GRANULE);
    }
}
