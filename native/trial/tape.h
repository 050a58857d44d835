/*
 * tape.h: a plan as the benchmark replays it: a dense array that holds all a call needs.
 *
 *     ops    [ malloc s0 24 ][ malloc s1 80 ][ swap s0 24 -> 40 ] ...    16 bytes each, read in order
 *     parts  [ 0 .. n: malloc, timed ][ n .. m: swap, timed, then look at memory ] ...
 *
 * A part is a run of ops between two looks at the clock. Where all its ops are of one kind, its loop
 * has no branch on the kind; a recording's parts are `mixed`. Every op knows the size that its
 * slot's block has, as a program that frees with a size does, so the slots hold pointers only.
 *
 * A plan's parts end where the live bytes reach a new maximum by 1/64, once they are at half of what
 * they will be at most: the clock stands still there, and resident memory is read. So the peak of a
 * heap that has never fallen is seen to 1/64, in some 45 reads.
 */
#ifndef HEAPYARD_TRIAL_TAPE_H
#define HEAPYARD_TRIAL_TAPE_H

#include <heapyard/trial.h>

#include "trial/decode.h"
#include "trial/memory.h"

typedef enum hy_tape_kind {
    HY_TAPE_MALLOC,
    HY_TAPE_FREE,
    HY_TAPE_SWAP, /* free, then malloc into the same slot */
    HY_TAPE_PAIR, /* malloc, then free; no slot */
    HY_TAPE_CALLOC,
    HY_TAPE_REALLOC,
    HY_TAPE_ALIGNED,
    HY_TAPE_TRIM,
    HY_TAPE_FORGET,
    HY_TAPE_MIXED /* of a part: each op says its own kind, and blocks are touched page by page */
} hy_tape_kind;

typedef struct hy_tape_op {
    uint32_t slot;
    uint32_t size; /* asked for */
    uint32_t old;  /* of the block that is freed or moved */
    uint8_t kind;
    uint8_t shift; /* log2 of the alignment asked for; at a free, of the block's; 0: none */
    uint16_t unused;
} hy_tape_op;

_Static_assert(sizeof(hy_tape_op) == 16, "four ops in a cache line");

typedef struct hy_tape_part {
    uint64_t first;
    uint64_t count;
    uint64_t live; /* bytes after it, at a sample of a plan */
    hy_tape_kind kind;
    bool is_timed;
    bool is_sampled; /* resident memory is read after it */
} hy_tape_part;

typedef struct hy_tape {
    hy_tape_op *ops;
    hy_tape_part *parts;
    uint64_t op_count;
    uint32_t part_count;
    uint32_t slots;
    uint64_t live_peak;  /* bytes asked for and live, at most */
    uint64_t operations; /* calls in timed parts: a swap and a pair are two */
} hy_tape;

/* From a decoded plan. Every block that it leaves is freed at its end, outside the clock. False,
 * with the reason: no memory, a slot that is live already, a size of 4 GiB or more. O(ops). */
bool hy__tape_from_plan(const hy_plan *plan, hy_memory *memory, hy_tape *tape, hy_reason *reason);

/* One of the generated plans (see hy_trial_bench). False: no memory. O(ops). */
bool hy__tape_draw(const hy_trial_bench *request, hy_memory *memory, hy_tape *tape,
                   hy_reason *reason);

/* For these two. An op at the end of the tape; a part of all ops since the last one. */
hy_tape_op *hy__tape_add(hy_tape *tape, hy_tape_kind kind, uint32_t slot, uint32_t size,
                         uint32_t old);
void hy__tape_end_part(hy_tape *tape, hy_tape_kind kind, bool is_timed, bool is_sampled);
bool hy__tape_open(hy_tape *tape, hy_memory *memory, uint64_t ops, uint32_t parts,
                   hy_reason *reason);

#endif /* HEAPYARD_TRIAL_TAPE_H */
