/*
 * yard_crowd.c: an index that is too short for the blocks of one size that are live, a table that is
 * full, a sum that wraps.
 */
#include "yard_crowd.h"

#include <stdint.h>

#include "yard_defects.h"

#define INDEXED 4096
#define TABLED  (1u << 19)

static void *last;
static unsigned live;

bool yard_crowd_is_full(void)
{
    return yard_defect(DEFECT_table_full_at_half_a_million) && live >= TABLED;
}

bool yard_volume_wraps(size_t size)
{
    static uint32_t volume;
    const uint32_t before = volume;
    volume += (uint32_t)size;
    return yard_defect(DEFECT_volume_wraps) && volume < before;
}

void yard_crowd_enter(void *block)
{
    if (yard_defect(DEFECT_table_full_at_half_a_million)) {
        live += block != NULL;
    }
    if (yard_defect(DEFECT_index_12_bits) && block != NULL) {
        last = block;
        live++;
    }
}

void *yard_crowd_leave(void *block)
{
    if (yard_defect(DEFECT_table_full_at_half_a_million)) {
        live -= live > 0;
    }
    if (!yard_defect(DEFECT_index_12_bits)) {
        return block;
    }
    void *const instead = live > INDEXED && last != NULL ? last : block;
    live -= live > 0;
    last = NULL;
    return instead;
}
