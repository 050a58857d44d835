/*
 * family.c: every member of the malloc family gives blocks that every other takes.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swap/swap.h"

/* Each returns a block of `size` bytes, or NULL where it can't. */
static void *by_malloc(size_t size)
{
    return malloc(size);
}

static void *by_calloc(size_t size)
{
    return calloc(1, size);
}

static void *by_realloc(size_t size)
{
    return realloc(NULL, size);
}

/* The others as the loader finds them now: by name, not as this program was bound at its start. */
static void *look_up(const char *name)
{
    void *const symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == NULL) {
        hy__swap_refuse("the C library has no %s", name);
    }
    return symbol;
}

#define CALL(type, name, ...)                                                                      \
    do {                                                                                           \
        type *function;                                                                            \
        void *const symbol = look_up(name);                                                        \
        memcpy(&function, &symbol, sizeof function);                                               \
        return function(__VA_ARGS__);                                                              \
    } while (0)

typedef void *of_size(size_t size);
typedef void *of_two(size_t one, size_t other);
typedef void *of_three(void *block, size_t count, size_t size);

static void *by_reallocarray(size_t size)
{
    CALL(of_three, "reallocarray", NULL, 1, size);
}

static void *by_aligned_alloc(size_t size)
{
    CALL(of_two, "aligned_alloc", 64, (size + 63) & ~(size_t)63);
}

static void *by_memalign(size_t size)
{
    CALL(of_two, "memalign", 128, size);
}

static void *by_valloc(size_t size)
{
    CALL(of_size, "valloc", size);
}

static void *by_pvalloc(size_t size)
{
    CALL(of_size, "pvalloc", size);
}

static void *by_posix_memalign(size_t size)
{
    int (*function)(void **, size_t, size_t);
    void *const symbol = look_up("posix_memalign");
    void *block = NULL;
    memcpy(&function, &symbol, sizeof function);
    return function(&block, 256, size) == 0 ? block : NULL;
}

static size_t usable_size(void *block)
{
    size_t (*function)(void *);
    void *const symbol = look_up("malloc_usable_size");
    memcpy(&function, &symbol, sizeof function);
    return function(block);
}

static const struct {
    const char *name;
    void *(*take)(size_t size);
} members[] = {
    {"malloc", by_malloc},
    {"calloc", by_calloc},
    {"realloc(NULL)", by_realloc},
    {"reallocarray(NULL)", by_reallocarray},
    {"aligned_alloc", by_aligned_alloc},
    {"posix_memalign", by_posix_memalign},
    {"memalign", by_memalign},
    {"valloc", by_valloc},
    {"pvalloc", by_pvalloc},
};

enum { MEMBERS = sizeof members / sizeof members[0], BLOCKS = 24 };

static const size_t sizes[] = {1, 24, 100, 1000, 5000, 70000, 300000};

static size_t size_of(unsigned i)
{
    return sizes[i % (sizeof sizes / sizeof sizes[0])];
}

static void take_all(void *(*take)(size_t size), void **blocks)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = take(size_of(i));
        hy__swap_expect(blocks[i] != NULL, "a block", "NULL for %zu bytes", size_of(i));
        hy__swap_fill(blocks[i], size_of(i), i);
    }
}

/* A third is freed, a third resized first; each is asked for its usable size. */
static void give_all(void **blocks)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        const size_t size = size_of(i);
        const size_t usable = usable_size(blocks[i]);
        hy__swap_expect(usable >= size, "a usable size that covers the block",
                        "%zu for a block of %zu bytes", usable, size);
        hy__swap_expect(hy__swap_is_filled(blocks[i], size, i), "the block as it was written",
                        "other bytes in a block of %zu", size);
        if (i % 3 != 0) {
            void *const moved = realloc(blocks[i], i % 3 == 1 ? 2 * size : (size + 1) / 2);
            hy__swap_expect(moved != NULL, "the block, resized", "NULL for %zu bytes", size);
            hy__swap_expect(hy__swap_is_filled(moved, (size + 1) / 2, i),
                            "the block's bytes after realloc", "other bytes, of %zu", size);
            blocks[i] = moved;
        }
        free(blocks[i]);
    }
}

void hy__swap_family(const char *library)
{
    (void)library;
    void *blocks[BLOCKS];
    for (unsigned i = 0; i < MEMBERS; i++) {
        hy__swap_step(members[i].name);
        for (int round = 0; round < 20; round++) {
            take_all(members[i].take, blocks);
            give_all(blocks);
        }
    }
}

/* ---- whose it is -------------------------------------------------------------------------- */

static const void *object_of(const void *symbol)
{
    Dl_info info;
    return symbol != NULL && dladdr(symbol, &info) != 0 ? info.dli_fbase : NULL;
}

void hy__swap_closure(const char *library)
{
    /* glibc's reallocarray calls realloc, wherever that is: it may stay */
    static const char *const names[] = {
        "malloc",        "free",
        "calloc",        "realloc",
        "aligned_alloc", "posix_memalign",
        "memalign",      "valloc",
        "pvalloc",       "malloc_usable_size",
        "free_sized",    "free_aligned_sized",
    };
    const void *const libc = object_of((void *)(uintptr_t)getpid);
    (void)library;
    if (object_of(dlsym(RTLD_DEFAULT, "malloc")) == libc) {
        hy__swap_refuse("malloc is the C library's own");
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        hy__swap_step(names[i]);
        const void *const symbol = dlsym(RTLD_DEFAULT, names[i]);
        hy__swap_expect(symbol == NULL || object_of(symbol) != libc,
                        "a function of the allocator's own",
                        "the C library's %s beside the allocator's free", names[i]);
    }
}
