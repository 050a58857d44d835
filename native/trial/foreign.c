#include "trial/foreign.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"

#define HEADER ((size_t)16)
#define PAGE   ((size_t)4096)
#define MARGIN ((size_t)64) /* in front of the first block: a target may write a header there */

static unsigned char static_area[HY_FOREIGN_AREA] __attribute__((aligned(4096)));

void hy__foreign_open(hy_foreign *foreign, unsigned char *on_stack)
{
    *foreign = (hy_foreign){0};
    foreign->areas[HY_FOREIGN_STATIC] = static_area;
    foreign->areas[HY_FOREIGN_STACK] = on_stack;
    hy__foreign_reset(foreign);
}

void hy__foreign_close(hy_foreign *foreign)
{
    for (int kind = HY_FOREIGN_MAPPING; kind <= HY_FOREIGN_OTHER; kind++) {
        if (foreign->areas[kind] != NULL) {
            (void)munmap(foreign->areas[kind], HY_FOREIGN_AREA);
        }
    }
}

static unsigned char *area_of(hy_foreign *foreign, hy_plan_foreign kind)
{
    if (foreign->areas[kind] == NULL) {
        void *const area =
            mmap(NULL, HY_FOREIGN_AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        foreign->areas[kind] = area != MAP_FAILED ? area : NULL;
    }
    return foreign->areas[kind];
}

/* The header that many an allocator has: what is before, and the size with a flag in bit 0. */
static void write_header(unsigned char *block, size_t size)
{
    const uint64_t words[2] = {0, (size + HEADER) | 1};
    memcpy(block - HEADER, words, sizeof words);
}

static void *take_break(hy_foreign *foreign, size_t size)
{
    if (foreign->break_count == HY_FOREIGN_BREAKS) {
        return NULL;
    }
    unsigned char *const start = sbrk((intptr_t)(size + HEADER));
    if (start == (void *)-1) {
        return NULL;
    }
    void *const block = start + (-(uintptr_t)start & (HEADER - 1));
    foreign->breaks[foreign->break_count++] = block;
    return block;
}

void *hy__foreign_take(hy_foreign *foreign, hy_plan_foreign kind, size_t size)
{
    if (kind == HY_FOREIGN_BREAK) {
        return take_break(foreign, size);
    }
    unsigned char *const area = area_of(foreign, kind);
    const size_t header = kind == HY_FOREIGN_OTHER ? HEADER : 0;
    const size_t unit = kind == HY_FOREIGN_MAPPING ? PAGE : HEADER;
    size_t start;
    if (area == NULL || size > HY_FOREIGN_AREA ||
        !hy__align_up((uintptr_t)area + foreign->used[kind] + header, unit, &start) ||
        start - (uintptr_t)area > HY_FOREIGN_AREA - size) {
        return NULL;
    }
    unsigned char *const block = area + (start - (uintptr_t)area);
    foreign->used[kind] = (size_t)(block - area) + size + (size == 0);
    if (kind == HY_FOREIGN_OTHER) {
        write_header(block, size);
    }
    return block;
}

bool hy__foreign_holds(const hy_foreign *foreign, const void *address)
{
    for (int kind = 0; kind < HY_FOREIGN_COUNT; kind++) {
        const uintptr_t area = (uintptr_t)foreign->areas[kind];
        if (area != 0 && (uintptr_t)address - area < HY_FOREIGN_AREA) {
            return true;
        }
    }
    for (unsigned i = 0; i < foreign->break_count; i++) {
        if (foreign->breaks[i] == address) {
            return true;
        }
    }
    return false;
}

void hy__foreign_reset(hy_foreign *foreign)
{
    for (int kind = 0; kind < HY_FOREIGN_COUNT; kind++) {
        foreign->used[kind] = MARGIN;
    }
    foreign->break_count = 0;
}
