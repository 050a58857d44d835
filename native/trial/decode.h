/*
 * decode.h: reads the binary form of a plan and refuses what is not one.
 *
 * After hy__plan_decode every field of every op is known to be in range, so the engine does not
 * look again. No byte outside [data, data + size) is read, whatever the header says.
 */
#ifndef HEAPYARD_TRIAL_DECODE_H
#define HEAPYARD_TRIAL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/plan.h>

#include "trial/reason.h"

/* A decoded plan: views into the data it came from. */
typedef struct hy_plan {
    hy_plan_header header;
    const uint64_t *operands;
    const hy_plan_op *ops;
    uint32_t functions;  /* entry points that it calls: 1 << HY_FUNCTION_... */
    uint32_t slots_used; /* one more than the highest slot of any op */
    bool has_structure;  /* threads, forks, sections: structure.h */
} hy_plan;

/* `data` is aligned to 8 bytes. False: not a plan, and *reason says where. O(ops). */
bool hy__plan_decode(const void *data, size_t size, hy_plan *plan, hy_reason *reason);

/* The name of the op at an index; "end" past the last: the end of a round. */
const char *hy__op_name_at(const hy_plan *plan, uint64_t index);

#endif /* HEAPYARD_TRIAL_DECODE_H */
