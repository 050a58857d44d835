#include "trial/calls.h"

/* A count times a size that does not fit, and yet there is a block: a violation, or (with that
 * check off) a block of which nothing is known. */
bool hy__settle_overflow(hy_engine *engine, const hy_plan_op *op, void *result, size_t count)
{
    if (hy__checks(engine, HY_CHECK_REFUSE)) {
        return hy__report_overflow(engine, &engine->slots[op->slot], result, count, op->size);
    }
    return hy__settle(engine, op, result, 0, 1);
}

static void call_sized_free(const hy_engine *engine, const hy_plan_op *op, void *address)
{
    if (op->op == HY_OP_FREE_SIZED) {
        engine->target->free_sized(engine->handle, address, op->size);
    } else {
        engine->target->free_aligned_sized(engine->handle, address, hy__operand(engine, op),
                                           op->size);
    }
}

bool hy__run_sized_free(hy_engine *engine, const hy_plan_op *op)
{
    hy_slot *const slot = op->slot == HY_PLAN_NO_SLOT ? NULL : &engine->slots[op->slot];
    void *const address = slot == NULL ? NULL : slot->address;
    if (address != NULL) {
        if (!hy__is_intact(engine, slot)) {
            return false;
        }
        engine->misuses += op->size != slot->size;
        hy__forget(engine, slot);
    }
    hy__arm_errno(engine);
    call_sized_free(engine, op, address);
    return hy__errno_is_right(engine, op);
}

/* What the call itself asks for; a number that is no power of two says nothing. */
static size_t alignment_asked(const hy_engine *engine, const hy_plan_op *op)
{
    if (op->op == HY_OP_VALLOC || op->op == HY_OP_PVALLOC) {
        return engine->page_size;
    }
    const size_t alignment = hy__operand(engine, op);
    return hy__is_power_of_two(alignment) ? alignment : 1;
}

static void *call_aligned(const hy_engine *engine, const hy_plan_op *op)
{
    switch (op->op) {
    case HY_OP_ALIGNED_ALLOC:
        return engine->target->aligned_alloc(engine->handle, hy__operand(engine, op), op->size);
    case HY_OP_MEMALIGN:
        return engine->target->memalign(engine->handle, hy__operand(engine, op), op->size);
    case HY_OP_VALLOC:
        return engine->target->valloc(engine->handle, op->size);
    default:
        return engine->target->pvalloc(engine->handle, op->size);
    }
}

bool hy__run_aligned(hy_engine *engine, const hy_plan_op *op)
{
    if (!hy__begin(engine, op)) {
        return false;
    }
    void *const result = call_aligned(engine, op);
    return hy__result_is_right(engine, op, result) &&
           hy__settle(engine, op, result, op->size, alignment_asked(engine, op));
}

bool hy__run_posix_memalign(hy_engine *engine, const hy_plan_op *op)
{
    static char untouched;
    if (!hy__begin(engine, op)) {
        return false;
    }
    void *block = &untouched;
    const int code =
        engine->target->posix_memalign(engine->handle, &block, hy__operand(engine, op), op->size);
    void *const result = code == 0 && block != &untouched ? block : NULL;
    if (code != 0 && block != &untouched && hy__checks(engine, HY_CHECK_MEMPTR)) {
        return hy__report_memptr(engine, &engine->slots[op->slot], block, code);
    }
    if (code == 0 && block == &untouched && hy__checks(engine, HY_CHECK_RETURN_CODE)) {
        return hy__report_no_answer(engine, &engine->slots[op->slot]);
    }
    return hy__judge_result(engine, op, result, code) &&
           hy__settle(engine, op, result, op->size, alignment_asked(engine, op));
}

bool hy__run_usable_size(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = op->slot == HY_PLAN_NO_SLOT ? NULL : &engine->slots[op->slot];
    void *const address = slot == NULL ? NULL : slot->address;
    hy__arm_errno(engine);
    const size_t usable = engine->target->usable_size(engine->handle, address);
    if (!hy__errno_is_right(engine, op)) {
        return false;
    }
    if (!hy__checks(engine, HY_CHECK_USABLE)) {
        return true;
    }
    if (address == NULL) {
        return usable == 0 || hy__report_usable(engine, slot, 0, usable);
    }
    const size_t least = op->size > slot->size ? op->size : slot->size;
    return usable >= least || hy__report_usable(engine, slot, least, usable);
}

bool hy__run_fill_usable(hy_engine *engine, const hy_plan_op *op)
{
    hy_slot *const slot = &engine->slots[op->slot];
    if (slot->address == NULL) {
        return true;
    }
    if (!hy__is_intact(engine, slot)) {
        return false;
    }
    const size_t usable = engine->target->usable_size(engine->handle, slot->address);
    if (usable < slot->size && hy__checks(engine, HY_CHECK_USABLE)) {
        return hy__report_usable(engine, slot, slot->size, usable);
    }
    if (usable > slot->size && hy__meets_engine(engine, slot->address, usable)) {
        return hy__report_engine_met(engine, slot, slot->address, usable);
    }
    hy__write(engine, slot, usable < slot->size ? slot->size : usable);
    return true;
}
