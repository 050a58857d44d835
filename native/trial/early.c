/*
 * early.c: `early`: a block that was made before main becomes one of the plan's.
 */
#include "trial/calls.h"

static const size_t sizes[HY_PLAN_EARLY_BLOCKS] = {100, 300, 500, (size_t)1 << 20};

static void *take(const hy_engine *engine, uint32_t number)
{
    return engine->host->early_block != NULL ? engine->host->early_block(number) : NULL;
}

bool hy__run_early(hy_engine *engine, const hy_plan_op *op)
{
    const uint32_t number = (uint32_t)op->size;
    hy_slot *const slot = &engine->slots[op->slot];
    if (!hy__begin(engine, op)) {
        return false;
    }
    void *const block = take(engine, number);
    if (block == NULL) {
        return hy__refuse_symbol(engine, "blocks from before main: a target that replaces malloc,"
                                         " libheapyard_trial.so preloaded behind it, and"
                                         " HEAPYARD_EARLY=1");
    }
    if (!hy__admit(engine, slot, block, sizes[number],
                   hy__natural_alignment(engine, sizes[number]))) {
        return false;
    }
    slot->address = block;
    slot->size = slot->filled = sizes[number];
    slot->key = hy__pattern_key(0, number, 0);
    return hy__is_intact(engine, slot);
}
