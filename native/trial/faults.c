/*
 * faults.c: the ops that make memory short, and those that count what a call costs.
 */
#include "base/annotate.h"
#include "trial/cost.h"
#include "trial/os_calls.h"
#include "trial/process.h"
#include "trial/verdict.h"

static bool watch(hy_engine *engine, uint64_t kinds, uint64_t nth)
{
    const char *const reason = hy__os_watch((uint32_t)kinds, nth);
    return reason == NULL || hy__refuse_machine(engine, reason);
}

bool hy__run_fail_os(hy_engine *engine, const hy_plan_op *op)
{
    return watch(engine, engine->plan.operands[op->arg], op->size);
}

bool hy__run_count_os(hy_engine *engine, const hy_plan_op *op)
{
    return watch(engine, engine->plan.operands[op->arg], 0);
}

bool hy__run_limit_space(hy_engine *engine, const hy_plan_op *op)
{
    if (HY_HAS_ASAN) {
        return hy__refuse_machine(engine, "AddressSanitizer needs all of the address space");
    }
    engine->is_limited = true;
    return hy__limit_space(op->size) || hy__refuse_machine(engine, "setrlimit(RLIMIT_AS) fails");
}

bool hy__run_count_cost(hy_engine *engine, const hy_plan_op *op)
{
    const char *const reason = hy__cost_begin(engine, op->size == HY_COST_INSTRUCTIONS);
    return reason == NULL || hy__refuse_machine(engine, reason);
}

void hy__calm(hy_engine *engine)
{
    hy__os_let_go();
    hy__cost_end(engine);
    if (engine->is_limited) {
        (void)hy__limit_space(UINT64_MAX);
        engine->is_limited = false;
    }
}
