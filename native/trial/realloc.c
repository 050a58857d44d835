/*
 * realloc.c: realloc and reallocarray, which have more outcomes than any other call.
 *
 *   old block | asked    | answer           | then
 *   ----------+----------+------------------+------------------------------------------------------
 *   none      | any      | as malloc        | as malloc
 *   live      | not 0    | NULL             | still live: its contents are verified at once
 *   live      | 0        | NULL, ENOMEM     | the same
 *   live      | 0        | NULL otherwise   | freed
 *   live      | any      | a block          | the kept prefix is verified in it, the old one is
 * gone
 */
#include <errno.h>

#include "trial/calls.h"

static void *call_realloc(const hy_engine *engine, const hy_plan_op *op, void *old, size_t count)
{
    return op->op == HY_OP_REALLOC
               ? engine->target->realloc(engine->handle, old, op->size)
               : engine->target->reallocarray(engine->handle, old, count, op->size);
}

/* Whether NULL for a request of 0 bytes means that the old block is gone. */
static bool is_freed(const hy_engine *engine, size_t size)
{
    const int value = *engine->errno_address;
    return size == 0 && (value != ENOMEM || engine->errno_value == ENOMEM);
}

/* During the call the old block's addresses were nobody's: another thread may have been given them
 * once it was freed inside. A call that failed has freed nothing. */
static bool owns_addresses_again(hy_engine *engine, const hy_slot *slot)
{
    return !hy__checks(engine, HY_CHECK_OVERLAP) ||
           hy__take_addresses(engine, slot, slot->address, slot->size);
}

static bool settle_failure(hy_engine *engine, const hy_plan_op *op, hy_slot *slot, size_t size)
{
    if (slot->address != NULL && is_freed(engine, size)) {
        slot->address = NULL;
        return hy__errno_is_right(engine, op);
    }
    return hy__judge_result(engine, op, NULL, *engine->errno_address) &&
           (slot->address == NULL ||
            (owns_addresses_again(engine, slot) && hy__is_intact(engine, slot)));
}

static bool prefix_is_kept(hy_engine *engine, const hy_slot *slot, const void *result, size_t size)
{
    const size_t kept = slot->size < size ? slot->size : size;
    return !hy__checks(engine, HY_CHECK_CONTENT) ||
           hy__pattern_holds(result, slot->filled, kept, slot->key) ||
           hy__report_content(engine, slot, result, kept);
}

static bool settle_block(hy_engine *engine, const hy_plan_op *op, hy_slot *slot, void *result,
                         size_t size)
{
    if ((op->expect & HY_EXPECT_IN_PLACE) != 0 && slot->address != NULL &&
        result != slot->address && hy__checks(engine, HY_CHECK_IN_PLACE)) {
        return hy__report_moved(engine, slot, result, size);
    }
    if (!hy__admit(engine, slot, result, size, hy__natural_alignment(engine, size)) ||
        (slot->address != NULL && !prefix_is_kept(engine, slot, result, size))) {
        return false;
    }
    hy__adopt(engine, slot, result, size);
    return true;
}

bool hy__run_realloc(hy_engine *engine, const hy_plan_op *op)
{
    hy_slot *const slot = &engine->slots[op->slot];
    const size_t count = op->op == HY_OP_REALLOC ? 1 : hy__operand(engine, op);
    size_t size;
    const bool fits = hy__multiply(count, op->size, &size);
    /* what a shrinking call cuts off can't be verified afterwards */
    if (slot->address != NULL && fits && size < slot->filled && !hy__is_intact(engine, slot)) {
        return false;
    }
    if (slot->address != NULL) {
        hy__leave_addresses(engine, slot);
    }
    hy__arm_errno(engine);
    void *const result = call_realloc(engine, op, slot->address, count);
    if (result == NULL) {
        return settle_failure(engine, op, slot, fits ? size : SIZE_MAX);
    }
    if (!hy__result_is_right(engine, op, result)) {
        return false;
    }
    if (!fits && hy__checks(engine, HY_CHECK_REFUSE)) {
        return hy__report_overflow(engine, slot, result, count, op->size);
    }
    return settle_block(engine, op, slot, result, fits ? size : 0);
}
