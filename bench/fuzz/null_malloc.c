/*
 * null_malloc.c: an allocator that costs next to nothing and is sound: what random plans cost
 * without a target.
 *
 *     [ size | block ][ size | block ] ... next              one span, never given back
 *
 * malloc takes the next bytes, free counts. When no block lives any more, the next one is at the
 * start of the span again: a random plan ends with all its blocks freed, so the span stays in the
 * cache. Serves at most 8 GiB without that.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <heapyard/target.h>

#define SPAN    ((size_t)8 << 30)
#define LEAST   ((size_t)16)
#define LARGEST ((size_t)1 << 32)

static char *span;
static size_t next;
static size_t live;

static void *null_open(void)
{
    span = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0);
    return span != MAP_FAILED ? span : NULL;
}

static void null_close(void *handle)
{
    (void)munmap(handle, SPAN);
}

static void *take(size_t size, size_t alignment)
{
    const size_t at = (next + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
    if (size > LARGEST || SPAN - at < size) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(span + at - sizeof size, &size, sizeof size);
    next = at + size;
    live++;
    return span + at;
}

static void *null_malloc(void *handle, size_t size)
{
    (void)handle;
    return take(size, LEAST);
}

static void *null_calloc(void *handle, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    void *const block = null_malloc(handle, whole);
    return block != NULL ? memset(block, 0, whole) : NULL;
}

static void null_free(void *handle, void *block)
{
    (void)handle;
    live -= block != NULL;
    next = live == 0 ? 0 : next;
}

static void *null_realloc(void *handle, void *block, size_t size)
{
    size_t old;
    void *const moved = null_malloc(handle, size);
    if (block == NULL || moved == NULL) {
        return moved;
    }
    memcpy(&old, (char *)block - sizeof old, sizeof old);
    memcpy(moved, block, old < size ? old : size);
    live--;
    return moved;
}

static void *null_aligned_alloc(void *handle, size_t alignment, size_t size)
{
    (void)handle;
    return take(size, alignment < LEAST ? LEAST : alignment);
}

static void null_free_sized(void *handle, void *block, size_t size)
{
    (void)size;
    null_free(handle, block);
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,        .name = "null",        .flags = HEAPYARD_TARGET_SETS_ERRNO,
    .min_alignment = LEAST,        .max_size = LARGEST,   .open = null_open,
    .close = null_close,           .malloc = null_malloc, .calloc = null_calloc,
    .realloc = null_realloc,       .free = null_free,     .aligned_alloc = null_aligned_alloc,
    .free_sized = null_free_sized,
};
