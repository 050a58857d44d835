/*
 * yard_swap.h: defects of an allocator in malloc's place: what it leaves to libc, and what it does when
 * it is loaded.
 */
#ifndef HEAPYARD_CORPUS_YARD_SWAP_H
#define HEAPYARD_CORPUS_YARD_SWAP_H

#include <stdbool.h>
#include <stddef.h>

/* A block that malloc gives to a caller in the libc, where a defect keeps those apart; else NULL. */
void *yard_block_for_libc(size_t size, const void *caller);

/* Whether a defect treats this caller of realloc apart. */
bool yard_is_libc(const void *caller);

/* Whether this malloc is one that a defect lets fail. */
bool yard_fails_now(void);

/* Where a chunk must be mapped, with a defect; else NULL. */
void *yard_fixed_chunk(size_t size);

/* At each free: a defect wipes some block that is live. */
void yard_wipe_now(void);

#endif /* HEAPYARD_CORPUS_YARD_SWAP_H */
