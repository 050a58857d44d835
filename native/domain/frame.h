/*
 * frame.h: what the debug hooks write around a block, and how they find it damaged.
 *
 *     raw                                    block           + size         + capacity + guard
 *     [ size 8 | id 1, serial 7 | guard FD.. |--- caller's ---| guard FD.. | dead DD.. ]
 *     |<------------- front --------------->|
 *
 * The dead bytes at the end are what a shrink in place has cut off. Sizes and addresses are taken
 * from the record, never from the frame itself.
 */
#ifndef HEAPYARD_DOMAIN_FRAME_H
#define HEAPYARD_DOMAIN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/misuse.h>

#include "domain/records.h"

typedef struct hy__frame_header {
    uint64_t size;
    uint64_t tag; /* the id ('r', 'm', 'o') in the low byte, the serial number above it */
} hy__frame_header;

_Static_assert(sizeof(hy__frame_header) == 16, "the header keeps the alignment of blocks");

/* A byte that should be another. */
typedef struct hy__damage {
    hy_misuse_kind kind; /* overflow, underflow, write after free */
    ptrdiff_t offset;    /* from the block's start */
} hy__damage;

/* Bytes before a block with guards of `guard` bytes. */
size_t hy__frame_front(size_t guard);

/* Bytes of the whole frame; both are known to fit. */
size_t hy__frame_whole(size_t guard, size_t capacity);

/* Whether it can be had at all: not more than PTRDIFF_MAX. */
bool hy__frame_fits(size_t guard, size_t size);

/* What the table below gave for it. */
void *hy__frame_raw(const hy__record *record);

/* Write all but the block itself. */
void hy__frame_write(const hy__record *record);

/* Fill bytes of a block: all, or of more than HY_DEBUG_MAX_FILL the first and the last half of it. */
void hy__frame_fill(unsigned char *bytes, unsigned char byte, size_t size);

/* The damage next to a block in use; before it is told first. True: there is some. */
bool hy__frame_find_damage(const hy__record *record, hy__damage *damage);

/* The first damage of a block that is filled with dead bytes, or of its frame. */
bool hy__frame_find_late_write(const hy__record *record, hy__damage *damage);

#endif /* HEAPYARD_DOMAIN_FRAME_H */
