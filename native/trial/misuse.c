/*
 * misuse.c: the ops that break malloc's rules on purpose: stale and foreign pointers, stray writes.
 *
 *     slots   [ block | empty | block ... ]     what is live, as ever
 *     stale   [   0   | 0x55. |   0   ... ]     addresses that the plan has kept, live or not
 *
 * None of them changes the model, but for a block that realloc_stale is given. So what the target
 * hands out afterwards is held against all that is still rightfully live.
 */
#include <string.h>

#include "trial/calls.h"

#define STRAY 0xA5

static void *stale_of(const hy_engine *engine, const hy_plan_op *op)
{
    return (void *)engine->stale[op->slot];
}

static bool run_alias(hy_engine *engine, const hy_plan_op *op)
{
    engine->stale[op->slot] = (uintptr_t)engine->slots[op->size].address;
    return true;
}

static bool run_foreign(hy_engine *engine, const hy_plan_op *op)
{
    const hy_plan_foreign kind = (hy_plan_foreign)hy__operand(engine, op);
    if (!hy__begin(engine, op)) {
        return false;
    }
    void *const block = hy__foreign_take(&engine->foreign, kind, op->size);
    return block != NULL ? hy__settle(engine, op, block, op->size, 1)
                         : hy__refuse_memory(engine, "memory that is not the target's");
}

static bool free_pointer(hy_engine *engine, void *pointer)
{
    engine->misuses++;
    hy__arm_errno(engine);
    engine->target->free(engine->handle, pointer);
    return true;
}

static bool run_free_stale(hy_engine *engine, const hy_plan_op *op)
{
    void *const pointer = stale_of(engine, op);
    return pointer == NULL || free_pointer(engine, pointer);
}

static bool run_free_at(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = &engine->slots[op->slot];
    return slot->address == NULL ||
           free_pointer(engine, (void *)((uintptr_t)slot->address + op->size));
}

/* ---- stray writes ------------------------------------------------------------------------- */

/* Which bytes of [start, start + count) a stray write must leave alone: a live block's. */
static void mark_live(const hy_engine *engine, uintptr_t start, size_t count, bool *live)
{
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        const uintptr_t block = (uintptr_t)engine->slots[i].address;
        const uintptr_t end = block + engine->slots[i].filled;
        for (uintptr_t at = start > block ? start : block;
             block != 0 && at < end && at < start + count; at++) {
            live[at - start] = true;
        }
    }
}

/* A byte that is not the one there: a guard is never overwritten by itself. */
static unsigned char other_than(unsigned char byte)
{
    return byte != STRAY ? STRAY : (unsigned char)~STRAY;
}

static bool stray_write(hy_engine *engine, uintptr_t start, const unsigned char *bytes,
                        size_t count)
{
    bool live[HY_PLAN_MAX_STRAY] = {false};
    volatile unsigned char *const to = (volatile unsigned char *)start;
    engine->misuses++;
    mark_live(engine, start, count, live);
    for (size_t i = 0; i < count; i++) {
        if (!live[i] && !hy__meets_engine(engine, (void *)(start + i), 1)) {
            to[i] = bytes != NULL ? bytes[i] : other_than(to[i]);
        }
    }
    return true;
}

static bool stray_fill(hy_engine *engine, uintptr_t start, uint64_t count)
{
    return stray_write(engine, start, NULL, count);
}

static bool run_write_at(hy_engine *engine, const hy_plan_op *op)
{
    const uintptr_t block = (uintptr_t)engine->slots[op->slot].address;
    return block == 0 || stray_fill(engine, block + op->size, hy__operand(engine, op));
}

static bool run_write_past(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = &engine->slots[op->slot];
    if (slot->address == NULL) {
        return true;
    }
    const bool tells = engine->target->usable_size != NULL;
    const size_t usable = tells ? engine->target->usable_size(engine->handle, slot->address) : 0;
    const size_t size = usable > slot->filled ? usable : slot->filled;
    return stray_fill(engine, (uintptr_t)slot->address + size, op->size);
}

static bool run_write_stale(hy_engine *engine, const hy_plan_op *op)
{
    const uintptr_t pointer = (uintptr_t)stale_of(engine, op);
    return pointer == 0 || stray_fill(engine, pointer + op->size, hy__operand(engine, op));
}

static bool run_link_stale(hy_engine *engine, const hy_plan_op *op)
{
    unsigned char bytes[sizeof(uintptr_t)];
    const uintptr_t pointer = (uintptr_t)stale_of(engine, op);
    const uintptr_t other = (uintptr_t)engine->slots[op->size].address;
    memcpy(bytes, &other, sizeof bytes);
    return pointer == 0 || stray_write(engine, pointer, bytes, sizeof bytes);
}

/* ---- asking about what is gone ---------------------------------------------------------------- */

static bool run_realloc_stale(hy_engine *engine, const hy_plan_op *op)
{
    void *const pointer = stale_of(engine, op);
    if (pointer == NULL) {
        return true;
    }
    if (!hy__begin(engine, op)) {
        return false;
    }
    engine->misuses++;
    void *const result = engine->target->realloc(engine->handle, pointer, op->size);
    return hy__settle(engine, op, result, op->size, 1);
}

static bool run_usable_stale(hy_engine *engine, const hy_plan_op *op)
{
    void *const pointer = stale_of(engine, op);
    if (pointer != NULL) {
        engine->misuses++;
        (void)engine->target->usable_size(engine->handle, pointer);
    }
    return true;
}

static bool run_read_stale(const hy_engine *engine, const hy_plan_op *op)
{
    const volatile unsigned char *const from = stale_of(engine, op);
    for (size_t i = 0; from != NULL && i < op->size; i++) {
        (void)from[i];
    }
    return true;
}

static bool run_untold(hy_engine *engine)
{
    return engine->misuses == 0 || !hy__checks(engine, HY_CHECK_MISUSE) ||
           hy__report_untold(engine);
}

bool hy__run_misuse(hy_engine *engine, const hy_plan_op *op)
{
    switch (op->op) {
    case HY_OP_ALIAS:
        return run_alias(engine, op);
    case HY_OP_FOREIGN:
        return run_foreign(engine, op);
    case HY_OP_FREE_STALE:
        return run_free_stale(engine, op);
    case HY_OP_FREE_AT:
        return run_free_at(engine, op);
    case HY_OP_FREE_ADDRESS:
        return free_pointer(engine, (void *)op->size);
    case HY_OP_WRITE_AT:
        return run_write_at(engine, op);
    case HY_OP_WRITE_PAST:
        return run_write_past(engine, op);
    case HY_OP_WRITE_STALE:
        return run_write_stale(engine, op);
    case HY_OP_LINK_STALE:
        return run_link_stale(engine, op);
    case HY_OP_REALLOC_STALE:
        return run_realloc_stale(engine, op);
    case HY_OP_USABLE_STALE:
        return run_usable_stale(engine, op);
    case HY_OP_READ_STALE:
        return run_read_stale(engine, op);
    default:
        return run_untold(engine);
    }
}
