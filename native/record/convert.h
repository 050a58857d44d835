/*
 * convert.h: from the words of a recording to the operations of a plan, in one pass.
 *
 * Each block gets a slot; slots are reused as blocks are freed. Calls of all threads come in the
 * order of the recording. What a plan can't repeat is left out and counted:
 *
 *  - calls that failed, and the words of calls that were cut off;
 *  - free and realloc of an address that the recording has no block for (`unknown`): a block from
 *    before the recording began, or before the fork. Such a realloc becomes realloc(NULL, size).
 *
 * An address that is handed out while the recording says it is live was freed by a way that the
 * recorder does not see (`lost`): the old block is freed in the plan, right before.
 */
#ifndef HEAPYARD_RECORD_CONVERT_H
#define HEAPYARD_RECORD_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/plan.h>
#include <heapyard/recording.h>

#define HY_SIZE_BINS 61u /* of 0, of 1, of 2 to 3, of 4 to 7, ... bytes */

typedef struct hy_converted {
    uint64_t calls[HY_WORD_COUNT]; /* by kind, failed ones too */
    uint64_t failed;
    uint64_t free_null;
    uint64_t unknown;
    uint64_t lost;
    uint64_t cut; /* words of calls that were cut off */
    uint64_t threads;
    uint64_t live_bytes; /* at the end: never freed */
    uint64_t live_blocks;
    uint64_t peak_bytes;
    uint64_t peak_blocks; /* at the moment of peak_bytes */
    uint64_t peak_op;     /* the operation of the plan that reached it first */
    uint64_t allocated;   /* bytes asked for, by all calls that did not fail */
    uint64_t sizes[HY_SIZE_BINS];

    uint64_t *operands;
    uint32_t operand_count;
    uint32_t slots;
    hy_plan_op *ops; /* room for as many as there are words */
    uint64_t op_count;
} hy_converted;

typedef struct hy_convert_options {
    bool plain; /* only malloc, calloc, realloc and free: others become these, without alignment */
} hy_convert_options;

/* Fills `result`, which must have zeros in it but for `ops` and `operands` (room for 65,534).
 * NULL, or the reason why this can't be a plan. Time is proportional to `count`. */
const char *hy__convert(const uint64_t *words, uint64_t count, hy_convert_options options,
                        hy_converted *result);

#endif /* HEAPYARD_RECORD_CONVERT_H */
