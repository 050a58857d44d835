#include "trial/memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"

#define RESERVE_MOST  ((size_t)1 << 34)
#define RESERVE_LEAST ((size_t)1 << 24)
#define CACHE_LINE    ((size_t)64)

bool hy__memory_open(hy_memory *memory)
{
    for (size_t size = RESERVE_MOST; size >= RESERVE_LEAST; size /= 2) {
        void *const base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base != MAP_FAILED) {
            *memory = (hy_memory){.base = base, .reserved = size, .used = 0};
            return true;
        }
    }
    return false;
}

void hy__memory_close(hy_memory *memory)
{
    (void)munmap(memory->base, memory->reserved);
    *memory = (hy_memory){0};
}

void *hy__memory_take(hy_memory *memory, size_t size)
{
    size_t rounded;
    if (!hy__align_up(size, CACHE_LINE, &rounded) || rounded > memory->reserved - memory->used) {
        return NULL;
    }
    void *const result = memory->base + memory->used;
    memory->used += rounded;
    return result;
}

/* mincore wants one byte per page: asked in runs of 4,096 pages. */
size_t hy__memory_resident(const hy_memory *memory)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char present[4096];
    size_t pages = 0;
    for (size_t at = 0; at < memory->used; at += sizeof present * page) {
        const size_t rest = (memory->used - at + page - 1) / page;
        const size_t run = rest < sizeof present ? rest : sizeof present;
        if (mincore(memory->base + at, run * page, present) != 0) {
            continue;
        }
        for (size_t i = 0; i < run; i++) {
            pages += present[i] & 1u;
        }
    }
    return pages * page;
}
