/*
 * foreign.h: memory that is not the target's, for plans that hand it to the target's free.
 *
 *     static    stack    mapping    other       HY_FOREIGN_AREA bytes each, handed out from the bottom
 *     [a][b]..  [a]...   . [a]....  [0, size][a][0, size][b] ...
 *
 * The break is moved for each block of its kind, and never back: what the target has above it stays
 * where it is.
 *
 * A block of it is in the model as any other, so that a target which takes it for its own, and
 * hands it out, is seen to give one block to two owners. One run of a process at a time may use it.
 */
#ifndef HEAPYARD_TRIAL_FOREIGN_H
#define HEAPYARD_TRIAL_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include <heapyard/plan.h>

#define HY_FOREIGN_AREA   ((size_t)32 << 10)
#define HY_FOREIGN_BREAKS 64u /* blocks of that kind a round */

typedef struct hy_foreign {
    unsigned char *areas[HY_FOREIGN_COUNT]; /* NULL: not mapped yet */
    size_t used[HY_FOREIGN_COUNT];
    void *breaks[HY_FOREIGN_BREAKS];
    unsigned break_count;
} hy_foreign;

/* `on_stack`: HY_FOREIGN_AREA bytes of a function that outlives the run. */
void hy__foreign_open(hy_foreign *foreign, unsigned char *on_stack);
void hy__foreign_close(hy_foreign *foreign);

/* `size` bytes at a multiple of 16 (HY_FOREIGN_MAPPING: at a page); NULL if the area is used up, or
 * the break can't be moved. */
void *hy__foreign_take(hy_foreign *foreign, hy_plan_foreign kind, size_t size);

bool hy__foreign_holds(const hy_foreign *foreign, const void *address);

/* All of it may be handed out again. */
void hy__foreign_reset(hy_foreign *foreign);

#endif /* HEAPYARD_TRIAL_FOREIGN_H */
