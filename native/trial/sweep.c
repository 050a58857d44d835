/*
 * sweep.c: the ops that visit every slot.
 */
#include "trial/calls.h"

bool hy__run_check_all(hy_engine *engine)
{
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        const hy_slot *const slot = &engine->slots[i];
        if (slot->address != NULL && !hy__is_intact(engine, slot)) {
            return false;
        }
    }
    return true;
}

/* A fresh instance: all blocks of the old one are gone. */
static bool free_in_bulk(hy_engine *engine)
{
    if (!hy__run_check_all(engine)) {
        return false;
    }
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        if (engine->slots[i].address != NULL) {
            hy__forget(engine, &engine->slots[i]);
        }
    }
    engine->target->close(engine->handle);
    engine->handle = engine->target->open();
    return engine->handle != NULL || hy__refuse_memory(engine, "another instance of the target");
}

static bool free_one(hy_engine *engine, const hy_plan_op *op, hy_slot *slot)
{
    void *const address = slot->address;
    if (!hy__is_intact(engine, slot)) {
        return false;
    }
    hy__forget(engine, slot);
    if (engine->target->free == NULL || hy__foreign_holds(&engine->foreign, address)) {
        return true; /* no way to free at all: the blocks stay with the target */
    }
    hy__arm_errno(engine);
    engine->target->free(engine->handle, address);
    return hy__errno_is_right(engine, op);
}

bool hy__run_free_all(hy_engine *engine, const hy_plan_op *op)
{
    if ((engine->target->flags & HEAPYARD_TARGET_BULK_FREE_ONLY) != 0) {
        return free_in_bulk(engine);
    }
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        hy_slot *const slot = &engine->slots[i];
        if (slot->address != NULL && !free_one(engine, op, slot)) {
            return false;
        }
    }
    hy__foreign_reset(&engine->foreign);
    return true;
}

bool hy__run_self_check(hy_engine *engine)
{
    const char *const text = engine->target->check(engine->handle);
    return text == NULL || !hy__checks(engine, HY_CHECK_SELF_CHECK) ||
           hy__report_self_check(engine, text);
}
