/*
 * many.c: one op that stands for many calls, so that plans with a million blocks stay short.
 */
#include "trial/calls.h"

bool hy__run_malloc_many(hy_engine *engine, const hy_plan_op *op)
{
    const uint64_t count = hy__operand(engine, op);
    hy_plan_op one = {
        .op = HY_OP_MALLOC, .expect = op->expect, .arg = HY_PLAN_NO_ARG, .size = op->size};
    for (uint64_t i = 0; i < count; i++) {
        one.slot = op->slot + (uint32_t)i;
        if (HY_UNLIKELY(!hy__run_malloc(engine, &one))) {
            return false;
        }
    }
    return true;
}

bool hy__run_free_many(hy_engine *engine, const hy_plan_op *op)
{
    const uint64_t count = hy__operand(engine, op);
    hy_plan_op one = {.op = HY_OP_FREE, .expect = op->expect, .arg = HY_PLAN_NO_ARG};
    for (uint64_t i = 0; i < count; i++) {
        one.slot = op->slot + (uint32_t)(i * op->size);
        if (HY_UNLIKELY(!hy__run_free(engine, &one))) {
            return false;
        }
    }
    return true;
}
