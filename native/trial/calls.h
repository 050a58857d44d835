/*
 * calls.h: one function for each op that calls the target. All return true for 'go on'.
 *
 * malloc, calloc and free are inlined into the round loop; the others are functions.
 */
#ifndef HEAPYARD_TRIAL_CALLS_H
#define HEAPYARD_TRIAL_CALLS_H

#include "base/bits.h"
#include "trial/blocks.h"

/* calls.c, realloc.c, sweep.c, early.c, misuse.c */
bool hy__settle_overflow(hy_engine *engine, const hy_plan_op *op, void *result, size_t count);
bool hy__run_sized_free(hy_engine *engine, const hy_plan_op *op);
bool hy__run_realloc(hy_engine *engine, const hy_plan_op *op);
bool hy__run_aligned(hy_engine *engine, const hy_plan_op *op);
bool hy__run_posix_memalign(hy_engine *engine, const hy_plan_op *op);
bool hy__run_usable_size(hy_engine *engine, const hy_plan_op *op);
bool hy__run_fill_usable(hy_engine *engine, const hy_plan_op *op);
bool hy__run_check_all(hy_engine *engine);
bool hy__run_free_all(hy_engine *engine, const hy_plan_op *op);
bool hy__run_self_check(hy_engine *engine);
bool hy__run_early(hy_engine *engine, const hy_plan_op *op);
bool hy__run_misuse(hy_engine *engine, const hy_plan_op *op);

static inline uint64_t hy__operand(const hy_engine *engine, const hy_plan_op *op)
{
    return engine->plan.operands[op->arg];
}

/* Before a call that makes a block. */
static inline bool hy__begin(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = &engine->slots[op->slot];
    if (HY_UNLIKELY(slot->address != NULL)) {
        return hy__refuse_live_slot(engine, slot);
    }
    hy__arm_errno(engine);
    return true;
}

/* After it: `result` is what the target answered, its outcome is judged already. */
static inline bool hy__settle(hy_engine *engine, const hy_plan_op *op, void *result, size_t size,
                              size_t alignment)
{
    hy_slot *const slot = &engine->slots[op->slot];
    if (HY_UNLIKELY(result == NULL)) {
        return true;
    }
    if (HY_UNLIKELY(!hy__admit(engine, slot, result, size, alignment))) {
        return false;
    }
    hy__adopt(engine, slot, result, size);
    return true;
}

static inline bool hy__run_malloc(hy_engine *engine, const hy_plan_op *op)
{
    if (HY_UNLIKELY(!hy__begin(engine, op))) {
        return false;
    }
    void *const result = engine->target->malloc(engine->handle, op->size);
    return hy__result_is_right(engine, op, result) &&
           hy__settle(engine, op, result, op->size, hy__natural_alignment(engine, op->size));
}

static inline bool hy__run_calloc(hy_engine *engine, const hy_plan_op *op)
{
    if (HY_UNLIKELY(!hy__begin(engine, op))) {
        return false;
    }
    hy_slot *const slot = &engine->slots[op->slot];
    const size_t count = hy__operand(engine, op);
    size_t size;
    size_t offset;
    void *const result = engine->target->calloc(engine->handle, count, op->size);
    if (HY_UNLIKELY(!hy__result_is_right(engine, op, result))) {
        return false;
    }
    if (HY_UNLIKELY(result == NULL)) {
        return true;
    }
    if (HY_UNLIKELY(!hy__multiply(count, op->size, &size))) {
        return hy__settle_overflow(engine, op, result, count);
    }
    if (HY_UNLIKELY(!hy__admit(engine, slot, result, size, hy__natural_alignment(engine, size)))) {
        return false;
    }
    if (hy__checks(engine, HY_CHECK_ZERO) && HY_UNLIKELY(!hy__is_zero(result, size, &offset))) {
        return hy__report_not_zero(engine, slot, result, size, offset);
    }
    hy__adopt(engine, slot, result, size);
    return true;
}

static inline bool hy__run_free(hy_engine *engine, const hy_plan_op *op)
{
    void *address = NULL;
    if (HY_LIKELY(op->slot != HY_PLAN_NO_SLOT)) {
        hy_slot *const slot = &engine->slots[op->slot];
        address = slot->address;
        if (HY_LIKELY(address != NULL)) {
            if (HY_UNLIKELY(!hy__is_intact(engine, slot))) {
                return false;
            }
            hy__forget(engine, slot);
        }
    }
    hy__arm_errno(engine);
    engine->target->free(engine->handle, address);
    return hy__errno_is_right(engine, op);
}

#endif /* HEAPYARD_TRIAL_CALLS_H */
