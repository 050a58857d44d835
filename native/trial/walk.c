/*
 * walk.c: what one thread does with a span of ops: calls, forks, signals, destructors.
 */
#include "trial/structure.h"
#include "trial/threads.h"

/* A section inside the span, on this thread. */
static bool run_section(hy_worker *worker, hy_engine *engine, const hy_plan_op *op, hy_span inside)
{
    return op->op == HY_OP_FORK ? hy__run_fork(worker, engine, inside)
                                : hy__run_in_destructor(worker, engine, op->size, inside);
}

static void note_place(hy_worker *worker, const hy_engine *engine, uint64_t at)
{
    worker->at = at;
    engine->state->op = at;
}

/* One op of this thread. */
static bool run_mine(hy_worker *worker, hy_engine *engine, uint64_t at, uint64_t next)
{
    const hy_plan_op *const op = &engine->plan.ops[at];
    note_place(worker, engine, at);
    if (hy__opens_section(op->op)) {
        return run_section(worker, engine, op, (hy_span){at + 1, next - 1});
    }
    return op->op == HY_OP_SIGNALS ? hy__run_signals(worker, engine, op) : hy__run_op(engine, op);
}

bool hy__walk(hy_worker *worker, hy_engine *engine, hy_span span, bool section)
{
    const hy_plan *const plan = &engine->plan;
    bool is_mine = !section;
    for (uint64_t at = span.from; at < span.to;) {
        const hy_plan_op *const op = &plan->ops[at];
        const uint64_t next = hy__opens_section(op->op) ? hy__section_end(plan, at) + 1 : at + 1;
        if (section && op->op == HY_OP_ON_THREAD) {
            is_mine = op->size == worker->number;
        } else if (is_mine && (worker->crew->is_stopped || !run_mine(worker, engine, at, next))) {
            return false;
        }
        at = next;
    }
    return true;
}
