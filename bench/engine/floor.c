/*
 * floor.c: an allocator that does nothing, to see what the engine itself costs.
 *
 * malloc hands out cells of a fixed size from a stack, free puts them back: three instructions of
 * work. Its blocks are as spread over memory as the plan makes them, and as verified as any.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <heapyard/target.h>

#define CELL  ((size_t)512) /* as large as any block of the plans */
#define CELLS ((size_t)1 << 18)

static void *stack[CELLS];
static size_t top;

static void *floor_open(void)
{
    char *const cells = mmap(NULL, CELL * CELLS, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (top = 0; top < CELLS; top++) {
        stack[top] = cells + (CELLS - 1 - top) * CELL;
    }
    return cells;
}

static void floor_close(void *handle)
{
    (void)munmap(handle, CELL * CELLS);
}

static void *floor_malloc(void *handle, size_t size)
{
    (void)handle;
    return size <= CELL && top > 0 ? stack[--top] : NULL;
}

static void floor_free(void *handle, void *block)
{
    (void)handle;
    if (block != NULL) {
        stack[top++] = block;
    }
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER, .name = "floor",        .open = floor_open,
    .close = floor_close,   .malloc = floor_malloc, .free = floor_free,
};
