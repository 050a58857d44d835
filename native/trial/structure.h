/*
 * structure.h: which parts a plan has: the calls of each thread, and sections.
 *
 *     on_thread 1 | calls ... | parallel 100 [ on_thread 1 | calls | on_thread 2 | calls ] | fork [ .. ]
 *
 * plan.h says what each op means. After hy__structure_is_sound, sections open and close where they
 * may, hold only what they may, and threads are in range.
 */
#ifndef HEAPYARD_TRIAL_STRUCTURE_H
#define HEAPYARD_TRIAL_STRUCTURE_H

#include "trial/decode.h"

/* An op that says who makes the calls, or when, rather than being one. */
static inline bool hy__is_structure(uint8_t op)
{
    return op >= HY_OP_ON_THREAD && op <= HY_OP_ATFORK && op != HY_OP_EARLY;
}

/* Whether this op opens a section. */
bool hy__opens_section(uint8_t op);

/* Whether any thread may make this call, whatever the others do: it is about one slot at most. */
bool hy__is_plain_call(uint8_t op);

/* The index of the end_section of the section that the op at `from` opens. O(its length). */
uint64_t hy__section_end(const hy_plan *plan, uint64_t from);

/* False: *reason says which op stands where it can't. O(ops). */
bool hy__structure_is_sound(const hy_plan *plan, hy_reason *reason);

/* Whether each slot of each parallel section is used by one thread there. `owners`: as many zeros
 * as the plan has slots. False: *reason says which is not. O(ops). */
bool hy__slots_are_apart(const hy_plan *plan, uint64_t *owners, hy_reason *reason);

#endif /* HEAPYARD_TRIAL_STRUCTURE_H */
