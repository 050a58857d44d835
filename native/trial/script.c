/*
 * script.c: one round of a plan with structure, as main goes through it.
 *
 *     calls of one thread      handed over in one span, forks and destructors in it included
 *     measure and its kind     made by main, whose engine they are about
 *     parallel, join, at_exit  main's own
 */
#include "trial/structure.h"
#include "trial/threads.h"
#include "trial/trace.h"

typedef struct script {
    hy_crew *crew;
    uint64_t at;
    uint64_t thread;           /* the current one */
    const hy_plan_op *arrival; /* its on_thread, where that asks for errno */
    uint64_t again;            /* ops of parallel sections after their first time */
} script;

/* Whether the op belongs in the span of a thread. */
static bool is_spanned(uint8_t op)
{
    return hy__is_plain_call(op) || op == HY_OP_FREE_ALL || op == HY_OP_CHECK_ALL ||
           op == HY_OP_FORK || op == HY_OP_IN_DESTRUCTOR || op == HY_OP_SIGNALS;
}

static bool run_span(script *here)
{
    const hy_plan *const plan = &here->crew->engine->plan;
    const hy_plan_op *const arrival = here->arrival;
    hy_span span = {here->at, here->at};
    while (span.to < plan->header.op_count && is_spanned(plan->ops[span.to].op)) {
        const bool opens = hy__opens_section(plan->ops[span.to].op);
        span.to = opens ? hy__section_end(plan, span.to) + 1 : span.to + 1;
    }
    here->at = span.to;
    here->arrival = NULL;
    return hy__hand_over(here->crew, here->thread, span, arrival);
}

/* The thread that errno_kept asks about must run, if only for that. */
static bool run_on_thread(script *here, const hy_plan_op *op)
{
    here->thread = op->size;
    here->arrival = (op->expect & HY_EXPECT_ERRNO_KEPT) != 0 ? op : NULL;
    here->at++;
    return run_span(here);
}

static bool run_join(script *here, const hy_plan_op *op)
{
    here->thread = op->size == here->thread ? 0 : here->thread;
    here->at++;
    return hy__join(here->crew, op->size);
}

static bool run_section(script *here, const hy_plan_op *op)
{
    const uint64_t from = here->at;
    const hy_plan *const plan = &here->crew->engine->plan;
    here->at = hy__section_end(plan, from) + 1;
    here->again += op->op == HY_OP_PARALLEL ? (op->size - 1) * (here->at - from - 2) : 0;
    return op->op == HY_OP_PARALLEL
               ? hy__run_parallel(here->crew, from)
               : hy__run_at_exit(here->crew, (hy_span){from + 1, here->at - 1});
}

static bool run_next(script *here)
{
    hy_engine *const engine = here->crew->engine;
    const hy_plan_op *const op = &engine->plan.ops[here->at];
    if (is_spanned(op->op)) {
        return run_span(here);
    }
    engine->state->op = here->at;
    switch (op->op) {
    case HY_OP_ON_THREAD:
        return run_on_thread(here, op);
    case HY_OP_JOIN:
        return run_join(here, op);
    case HY_OP_PARALLEL:
    case HY_OP_AT_EXIT:
        return run_section(here, op);
    case HY_OP_STACK:
        here->at++;
        here->crew->stack_size = op->size;
        return true;
    case HY_OP_ATFORK:
        here->at++;
        return hy__run_atfork(engine);
    default:
        here->at++;
        return hy__run_op(engine, op);
    }
}

bool hy__run_script(hy_engine *engine)
{
    script here = {.crew = engine->crew};
    here.crew->stack_size = 0;
    const uint64_t count = engine->plan.header.op_count;
    const uint64_t done = engine->done;
    while (here.at < count) {
        engine->state->operations = done + here.at + here.again;
        const bool goes_on = run_next(&here);
        if (engine->trace != NULL) {
            hy__trace_step(engine, NULL);
        }
        if (!goes_on) {
            return false;
        }
    }
    hy__stop_signals(engine->crew->workers[0]);
    engine->state->op = count;
    engine->state->operations = engine->done = done + count + here.again;
    return hy__join_all(engine->crew) && (engine->crew->exit_count > 0 || hy__end_round(engine));
}
