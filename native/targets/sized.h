/*
 * sized.h: a small header before each block, for allocators that want the size back at a free.
 *
 *     raw                    block
 *     [ ....... | size, pad ][ the caller's bytes ]
 *     <--- pad, at least 16 -><------ size ------>
 *
 * `pad` is the block's alignment, so both ends of it are as aligned as the block must be.
 */
#ifndef HEAPYARD_TARGETS_SIZED_H
#define HEAPYARD_TARGETS_SIZED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bits.h"

typedef struct hy_sized_header {
    size_t size;
    size_t pad;
} hy_sized_header;

_Static_assert(sizeof(hy_sized_header) == 16, "the header keeps the least alignment");

/* Byte by byte: the block may be anything, where the trial misuses the allocator. */
static inline hy_sized_header hy__sized_header(const void *block)
{
    hy_sized_header header;
    memcpy(&header, (const char *)block - sizeof header, sizeof header);
    return header;
}

static inline void *hy__sized_raw(void *block)
{
    return (void *)((uintptr_t)block - hy__sized_header(block).pad);
}

/* The bytes to ask for; false where they overflow. */
static inline bool hy__sized_total(size_t size, size_t pad, size_t *total)
{
    return hy__add(size, pad, total);
}

/* The block in raw memory of size + pad bytes; NULL for NULL. */
static inline void *hy__sized_block(void *raw, size_t size, size_t pad)
{
    if (raw == NULL) {
        return NULL;
    }
    void *const block = (char *)raw + pad;
    *((hy_sized_header *)block - 1) = (hy_sized_header){.size = size, .pad = pad};
    return block;
}

#endif /* HEAPYARD_TARGETS_SIZED_H */
