/*
 * floor_target.c: an allocator that does nothing: what a benchmark's loop and its calls cost.
 *
 *     [ ring, 16 KiB ][ so that the largest block fits, 4 GiB, never touched unless asked for ]
 *       ^ next
 *
 * malloc hands out the next 64 bytes of a ring that stays in the nearest cache, whatever is asked
 * for, and free does nothing: live blocks lie on top of each other. Good for a benchmark, which
 * writes blocks and reads none, and for nothing else.
 */
#include <sys/mman.h>

#include <heapyard/target.h>

#define RING ((size_t)16 << 10)
#define STEP ((size_t)64)
#define SPAN (RING + ((size_t)4 << 30))

typedef struct floor_heap {
    char *ring;
    size_t next;
} floor_heap;

static floor_heap only;

static void *floor_open(void)
{
    void *const span = mmap(NULL, SPAN, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    only = (floor_heap){.ring = span};
    return span != MAP_FAILED ? &only : NULL;
}

static void floor_close(void *handle)
{
    (void)munmap(((floor_heap *)handle)->ring, SPAN);
}

static void *floor_malloc(void *handle, size_t size)
{
    floor_heap *const heap = handle;
    (void)size;
    heap->next = (heap->next + STEP) & (RING - 1);
    return heap->ring + heap->next;
}

static void *floor_calloc(void *handle, size_t count, size_t size)
{
    (void)count;
    return floor_malloc(handle, size);
}

static void *floor_realloc(void *handle, void *block, size_t size)
{
    return block != NULL ? block : floor_malloc(handle, size);
}

static void *floor_aligned_alloc(void *handle, size_t alignment, size_t size)
{
    (void)alignment;
    return floor_malloc(handle, size);
}

static void floor_free(void *handle, void *block)
{
    (void)handle;
    (void)block;
}

static void floor_free_sized(void *handle, void *block, size_t size)
{
    (void)handle;
    (void)block;
    (void)size;
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "floor",
    .max_size = SPAN - RING,
    .open = floor_open,
    .close = floor_close,
    .malloc = floor_malloc,
    .calloc = floor_calloc,
    .realloc = floor_realloc,
    .aligned_alloc = floor_aligned_alloc,
    .free = floor_free,
    .free_sized = floor_free_sized,
};
