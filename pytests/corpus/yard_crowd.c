/*
 * yard_crowd.c: an index that is too short for the blocks of one size that are live.
 */
#include "yard_crowd.h"

#include <stddef.h>

#include "yard_defects.h"

#define INDEXED 4096

static void *last;
static unsigned live;

void yard_crowd_enter(void *block)
{
    if (yard_defect(DEFECT_index_12_bits) && block != NULL) {
        last = block;
        live++;
    }
}

void *yard_crowd_leave(void *block)
{
    if (!yard_defect(DEFECT_index_12_bits)) {
        return block;
    }
    void *const instead = live > INDEXED && last != NULL ? last : block;
    live -= live > 0;
    last = NULL;
    return instead;
}
