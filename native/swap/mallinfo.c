/*
 * mallinfo.c: what mallinfo2 and mallinfo say of blocks that are live, and of those that are gone
 * (mallinfo(3)). Where there are both, the one that can't wrap is asked.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swap/swap.h"

#define MIB       ((size_t)1 << 20)
#define LIVE      (16 * MIB)
#define SLACK     ((int64_t)MIB) /* of caches, whose blocks an allocator may count as in use */
#define SMALLEST  100
#define MOST      (LIVE / SMALLEST + 1)
#define MANY_SIZE ((size_t)24000)

/* In the order of both structs, which hold int and size_t: X(name). */
#define FIGURES(X)                                                                                 \
    X(arena)                                                                                       \
    X(ordblks)                                                                                     \
    X(smblks) X(hblks) X(hblkhd) X(usmblks) X(fsmblks) X(uordblks) X(fordblks) X(keepcost)

typedef enum figure {
#define FIGURE_ENUM(name) name,
    FIGURES(FIGURE_ENUM)
#undef FIGURE_ENUM
        FIGURE_COUNT
} figure;

static const char *const figure_names[] = {
#define FIGURE_NAME(name) #name,
    FIGURES(FIGURE_NAME)
#undef FIGURE_NAME
};

typedef struct narrow {
    int of[FIGURE_COUNT];
} narrow;

typedef struct wide {
    size_t of[FIGURE_COUNT];
} wide;

typedef struct figures {
    int64_t of[FIGURE_COUNT]; /* what is beyond INT64_MAX is negative */
} figures;

static void *blocks[MOST];

/* ---- asking ------------------------------------------------------------------------------- */

static bool ask_wide(figures *told)
{
    wide (*function)(void);
    void *const symbol = hy__swap_own("mallinfo2");
    if (symbol == NULL) {
        return false;
    }
    memcpy(&function, &symbol, sizeof function);
    const wide answer = function();
    for (int i = 0; i < FIGURE_COUNT; i++) {
        told->of[i] = (int64_t)answer.of[i];
    }
    return true;
}

static bool ask_narrow(figures *told)
{
    narrow (*function)(void);
    void *const symbol = hy__swap_own("mallinfo");
    if (symbol == NULL) {
        return false;
    }
    memcpy(&function, &symbol, sizeof function);
    const narrow answer = function();
    for (int i = 0; i < FIGURE_COUNT; i++) {
        told->of[i] = answer.of[i];
    }
    return true;
}

static figures ask(void)
{
    figures told;
    if (!ask_wide(&told) && !ask_narrow(&told)) {
        hy__swap_refuse("it has no mallinfo");
    }
    return told;
}

static int64_t in_use(void)
{
    const figures told = ask();
    return told.of[uordblks] + told.of[hblkhd];
}

static int64_t of_system(void)
{
    const figures told = ask();
    return told.of[arena] + told.of[hblkhd];
}

/* The process's address space. */
static int64_t mapped(void)
{
    char text[64] = "";
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    (void)!read(file, text, sizeof text - 1);
    (void)close(file);
    return (int64_t)strtoll(text, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* ---- blocks ------------------------------------------------------------------------------- */

static void take(size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i] = malloc(size);
        hy__swap_expect(blocks[i] != NULL, "a block", "NULL for %zu bytes", size);
        *(volatile char *)blocks[i] = 1;
    }
}

static void give(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(blocks[i]);
    }
}

static void *give_by_thread(void *count)
{
    give((size_t)(uintptr_t)count);
    return NULL;
}

static void *take_by_thread(void *count)
{
    take((size_t)(uintptr_t)count, MANY_SIZE);
    return NULL;
}

static void by_thread(void *(*work)(void *), size_t count)
{
    pthread_t thread;
    const int code = pthread_create(&thread, NULL, work, (void *)(uintptr_t)count);
    if (code != 0) {
        hy__swap_refuse("no thread can be started: %s", strerror(code));
    }
    (void)pthread_join(thread, NULL);
}

/* An allocator may have the functions, and tell nothing by them. */
static void require_figures(void)
{
    static const figures nothing;
    const figures told = ask();
    if (memcmp(&told, &nothing, sizeof told) == 0) {
        hy__swap_refuse("its mallinfo tells nothing: all figures are 0");
    }
}

/* ---- what is in use ----------------------------------------------------------------------- */

static void expect_rise(int64_t before, size_t live)
{
    const int64_t rise = in_use() - before;
    hy__swap_expect(rise >= (int64_t)live * 3 / 4 && rise <= (int64_t)live * 2 + SLACK,
                    "uordblks + hblkhd to rise by what is live: three quarters to twice of it",
                    "%" PRId64 " more for %zu bytes", rise, live);
}

/* A quarantine may keep some of it for a while, or let go what it had kept before. */
static void expect_fall(int64_t before)
{
    const int64_t more = in_use() - before;
    hy__swap_expect(more <= (int64_t)LIVE / 2 && more >= -(int64_t)LIVE / 2,
                    "uordblks + hblkhd as before when all is freed, to 8 MiB",
                    "%" PRId64 " more than before", more);
}

void hy__swap_in_use(const char *library)
{
    static const size_t sizes[] = {SMALLEST, 5000, 200000, 2 * MIB};
    static const char *const steps[] = {"blocks of 100 bytes", "blocks of 5,000 bytes",
                                        "blocks of 200,000 bytes", "blocks of 2 MiB"};
    (void)library;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t count = LIVE / sizes[i];
        hy__swap_step(steps[i]);
        const int64_t before = in_use();
        take(count, sizes[i]);
        require_figures();
        expect_rise(before, count * sizes[i]);
        give(count);
        expect_fall(before);
    }
    hy__swap_step("blocks that another thread frees");
    const int64_t before = in_use();
    take(LIVE / MANY_SIZE, MANY_SIZE);
    by_thread(give_by_thread, LIVE / MANY_SIZE);
    expect_fall(before);
}

/* ---- sane figures ------------------------------------------------------------------------- */

static void expect_sane(const char *step)
{
    hy__swap_step(step);
    const figures told = ask();
    const int64_t most = mapped();
    for (int i = 0; i < FIGURE_COUNT; i++) {
        hy__swap_expect(told.of[i] >= 0, "no figure below 0, or beyond PTRDIFF_MAX",
                        "%s is %" PRId64, figure_names[i], told.of[i]);
        hy__swap_expect(told.of[i] <= most, "no figure beyond the process's address space",
                        "%s is %" PRId64 ", of %" PRId64 " mapped", figure_names[i], told.of[i],
                        most);
    }
}

static void resize(size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        void *const moved = realloc(blocks[i], size);
        hy__swap_expect(moved != NULL, "the block, resized", "NULL for %zu bytes", size);
        blocks[i] = moved;
    }
}

static void take_aligned(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int code = posix_memalign(&blocks[i], (size_t)64 << i % 10, 1000 + i);
        hy__swap_expect(code == 0, "an aligned block", "code %d", code);
    }
}

void hy__swap_sane(const char *library)
{
    (void)library;
    expect_sane("mallinfo first of all");
    for (int round = 0; round < 3; round++) {
        take(100, MANY_SIZE);
        resize(100, 40 * MANY_SIZE);
        expect_sane("blocks that grew");
        resize(100, 10);
        expect_sane("blocks that shrank");
        give(100);
        take_aligned(500);
        give(500);
        expect_sane("aligned blocks that came and went");
        by_thread(take_by_thread, 500);
        give(500);
        expect_sane("blocks of a thread that ended, freed");
        take(500, MANY_SIZE);
        by_thread(give_by_thread, 500);
        expect_sane("blocks that another thread freed");
    }
}

/* ---- memory of the system ----------------------------------------------------------------- */

static void expect_of_system(void)
{
    const int64_t told = of_system();
    hy__swap_expect(told >= in_use(), "arena + hblkhd to cover what is in use",
                    "%" PRId64 ", of %" PRId64 " in use", told, in_use());
    hy__swap_expect(told <= mapped(), "arena + hblkhd within the process's address space",
                    "%" PRId64 ", of %" PRId64 " mapped", told, mapped());
}

/* Large blocks come and go until a counter that never falls is beyond any process of this size. */
void hy__swap_system(const char *library)
{
    static const size_t sizes[] = {SMALLEST, 3 * MIB};
    static const int rounds[] = {4, 256};
    (void)library;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t count = LIVE / sizes[i];
        hy__swap_step(i == 0 ? "small blocks" : "large blocks");
        for (int round = 0; round < rounds[i]; round++) {
            take(count, sizes[i]);
            require_figures();
            expect_of_system();
            give(count);
        }
    }
}
