/*
 * yard_misuse.h: what the corpus allocator does about misuse: one line on standard error, and abort;
 * or what a defect does instead.
 */
#ifndef HEAPYARD_CORPUS_YARD_MISUSE_H
#define HEAPYARD_CORPUS_YARD_MISUSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Before a block is freed: whether it may be. *block becomes what is to be freed: a defect finds
 * another. Where it answers true, the block is no longer live. False: a defect ignores the call.
 */
bool yard_admit_free(void **block);

/* Before a block is resized: true, with *answer where a defect decides the call. */
bool yard_resize_is_decided(void *block, size_t size, void **answer);

/* Before a sized free of a live block; false: a defect ignores the call. */
bool yard_admit_size(void *block, size_t size);

/* Before free_aligned_sized: the block to be freed, which a defect takes from the alignment. */
void *yard_by_alignment(void *block, size_t alignment);

/* Where free_block `free` lost its seal: what a defect takes for the next. Sound: does not return. */
void *yard_next_of_damaged(void *free_block);

/* A pointer that a defect has kept from a wild free, and hands out. */
void *yard_take_parked(void);

/* Whether the block freed last is used first. The sound build uses it last. */
bool yard_reuses_at_once(void);

#endif /* HEAPYARD_CORPUS_YARD_MISUSE_H */
