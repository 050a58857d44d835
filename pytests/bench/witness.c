/*
 * witness.c: an allocator that says on standard error, when it is closed, how it was used.
 *
 *     [ size, serial, magic ][ the caller's bytes ]      each block is a mapping or libc's own
 *
 * HEAPYARD_BENCH_WITNESS: "slow" loops in each malloc, "leak" frees nothing, "crash" dies at the
 * 1000th malloc, "null" fails there. Built with WITNESS_BARE it has malloc and free_sized only.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heapyard/target.h>

#define MAGIC   UINT64_C(0x7a11e0b10c5a11e0)
#define UNLUCKY 1000

typedef struct header {
    uint64_t size;
    uint64_t serial;
    uint64_t magic;
    uint64_t unused;
} header;

static struct {
    uint64_t mallocs, callocs, reallocs, aligned, frees, sized, live, most_live, smallest, largest;
    uint64_t wrong_size, wrong_block, ascending, descending, last_freed, unwritten, sequence;
} seen;

static char mode;

static void *witness_open(void)
{
    const char *const chosen = getenv("HEAPYARD_BENCH_WITNESS");
    mode = (char)(chosen != NULL ? chosen[0] : '\0');
    seen.smallest = UINT64_MAX;
    return &seen;
}

static void witness_close(void *handle)
{
    (void)handle;
#define SAY(name) (void)fprintf(stderr, #name "=%llu\n", (unsigned long long)seen.name)
    SAY(mallocs);
    SAY(callocs);
    SAY(reallocs);
    SAY(aligned);
    SAY(frees);
    SAY(sized);
    SAY(live);
    SAY(most_live);
    SAY(smallest);
    SAY(largest);
    SAY(wrong_size);
    SAY(wrong_block);
    SAY(ascending);
    SAY(descending);
    SAY(unwritten);
    SAY(sequence);
}

static void note_size(size_t size)
{
    seen.live++;
    seen.most_live = seen.live > seen.most_live ? seen.live : seen.most_live;
    seen.smallest = size < seen.smallest ? size : seen.smallest;
    seen.largest = size > seen.largest ? size : seen.largest;
    seen.sequence = seen.sequence * 31 + size;
}

static void misbehave(void)
{
    if (mode == 's') {
        for (volatile int i = 0; i < 2000; i++) {
        }
    }
    if (mode == 'c' && seen.mallocs == UNLUCKY) {
        (void)raise(SIGSEGV);
    }
}

static void *witness_malloc(void *handle, size_t size)
{
    (void)handle;
    static uint64_t serial;
    seen.mallocs++;
    misbehave();
    header *const block =
        mode == 'n' && seen.mallocs == UNLUCKY ? NULL : malloc(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    *block = (header){.size = size, .serial = ++serial, .magic = MAGIC};
    if (size >= sizeof(uint64_t)) {
        memset(block + 1, 0, sizeof(uint64_t));
    }
    note_size(size);
    return block + 1;
}

#ifndef WITNESS_BULK
static void end(void *pointer)
{
    header *const block = (header *)pointer - 1;
    uint64_t first = 1;
    if (block->magic != MAGIC) {
        seen.wrong_block++;
        return;
    }
    if (block->size >= sizeof first) {
        memcpy(&first, pointer, sizeof first);
    }
    seen.unwritten += first == 0;
    seen.ascending += block->serial > seen.last_freed;
    seen.descending += block->serial < seen.last_freed;
    seen.last_freed = block->serial;
    seen.sequence = seen.sequence * 31 + block->serial;
    seen.live--;
    seen.frees++;
    block->magic = 0;
    if (mode != 'l') {
        free(block);
    }
}

static void witness_free_sized(void *handle, void *pointer, size_t size)
{
    (void)handle;
    if (pointer != NULL) {
        seen.sized++;
        seen.wrong_size += ((header *)pointer - 1)->size != size;
        end(pointer);
    }
}
#endif

#if !defined WITNESS_BARE && !defined WITNESS_BULK
static void witness_free(void *handle, void *pointer)
{
    (void)handle;
    if (pointer != NULL) {
        end(pointer);
    }
}

static void *witness_calloc(void *handle, size_t count, size_t size)
{
    seen.callocs++;
    void *const block = witness_malloc(handle, count * size);
    return block != NULL ? memset(block, 0, count * size) : NULL;
}

static void *witness_realloc(void *handle, void *pointer, size_t size)
{
    seen.reallocs++;
    void *const block = witness_malloc(handle, size);
    if (block != NULL && pointer != NULL) {
        const uint64_t old = ((header *)pointer - 1)->size;
        memcpy(block, pointer, old < size ? old : size);
        end(pointer);
    }
    return block;
}

/* Aligned to 16 only, which nobody here looks at. */
static void *witness_aligned_alloc(void *handle, size_t alignment, size_t size)
{
    (void)alignment;
    seen.aligned++;
    return witness_malloc(handle, size);
}
#endif

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,           .name = "witness",        .open = witness_open,
    .close = witness_close,           .malloc = witness_malloc,
#ifdef WITNESS_BARE
    .free_sized = witness_free_sized,
#elif defined WITNESS_BULK
    .flags = HEAPYARD_TARGET_BULK_FREE_ONLY,
#else
    .free = witness_free,
    .free_sized = witness_free_sized,
    .calloc = witness_calloc,
    .realloc = witness_realloc,
    .aligned_alloc = witness_aligned_alloc,
#endif
};
