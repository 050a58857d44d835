#include "trial/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "trial/calls.h"
#include "trial/cost.h"
#include "trial/names.h"
#include "trial/os_calls.h"
#include "trial/structure.h"
#include "trial/threads.h"
#include "trial/trace.h"

static bool run_write(hy_engine *engine, const hy_plan_op *op)
{
    hy_slot *const slot = &engine->slots[op->slot];
    if (slot->address != NULL) {
        hy__write(engine, slot, slot->filled);
    }
    return true;
}

static bool run_check(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = &engine->slots[op->slot];
    return slot->address == NULL || hy__is_intact(engine, slot);
}

static bool run_forget(hy_engine *engine, const hy_plan_op *op)
{
    hy_slot *const slot = &engine->slots[op->slot];
    if (slot->address != NULL) {
        hy__forget(engine, slot);
    }
    return true;
}

static bool run_trim(hy_engine *engine, const hy_plan_op *op)
{
    hy__arm_errno(engine);
    engine->trimmed = engine->target->trim(engine->handle, op->size);
    return hy__errno_is_right(engine, op);
}

static void run_trend(hy_engine *engine, const hy_plan_op *op)
{
    const uint64_t number = engine->state->round + 1;
    if ((number & (number - 1)) == 0 || number == engine->plan.header.repeat) {
        (void)hy__measure(engine, op->size);
    }
}

/* The ops that are rare in long plans, out of the way of those that are not. */
static __attribute__((noinline)) bool run_rare(hy_engine *engine, const hy_plan_op *op)
{
    switch (op->op) {
    case HY_OP_WRITE:
        return run_write(engine, op);
    case HY_OP_CHECK:
        return run_check(engine, op);
    case HY_OP_CHECK_ALL:
        return hy__run_check_all(engine);
    case HY_OP_SET_ERRNO:
        engine->errno_value = (int)op->size;
        return true;
    case HY_OP_FREE_ALL:
        return hy__run_free_all(engine, op);
    case HY_OP_TRIM:
        return run_trim(engine, op);
    case HY_OP_MEASURE:
        (void)hy__measure(engine, op->size);
        return true;
    case HY_OP_TREND:
        run_trend(engine, op);
        return true;
    case HY_OP_IDLE:
        return hy__run_idle(engine, op);
    case HY_OP_AWAIT:
    case HY_OP_STIR:
        return hy__run_await(engine, op);
    case HY_OP_WATCH:
        return hy__run_watch(engine, op);
    case HY_OP_FORGET:
        return run_forget(engine, op);
    case HY_OP_SELF_CHECK:
        return hy__run_self_check(engine);
    case HY_OP_EARLY:
        return hy__run_early(engine, op);
    case HY_OP_NOP:
    case HY_OP_DISTINCT:
    case HY_OP_STACK: /* of a plan without threads; else script.c's */
        return true;
    case HY_OP_FAIL_OS:
        return hy__run_fail_os(engine, op);
    case HY_OP_END_FAIL:
        hy__os_let_go();
        return true;
    case HY_OP_LIMIT_SPACE:
        return hy__run_limit_space(engine, op);
    case HY_OP_COUNT_OS:
        return hy__run_count_os(engine, op);
    case HY_OP_COUNT_COST:
        return hy__run_count_cost(engine, op);
    case HY_OP_END_COST:
        hy__cost_end(engine);
        return true;
    case HY_OP_MALLOC_MANY:
        return hy__run_malloc_many(engine, op);
    case HY_OP_FREE_MANY:
        return hy__run_free_many(engine, op);
    default:
        return hy__run_misuse(engine, op);
    }
}

static inline bool run_op(hy_engine *engine, const hy_plan_op *op)
{
    switch (op->op) {
    case HY_OP_MALLOC:
        return hy__run_malloc(engine, op);
    case HY_OP_FREE:
        return hy__run_free(engine, op);
    case HY_OP_CALLOC:
        return hy__run_calloc(engine, op);
    case HY_OP_REALLOC:
    case HY_OP_REALLOCARRAY:
        return hy__run_realloc(engine, op);
    case HY_OP_FREE_SIZED:
    case HY_OP_FREE_ALIGNED_SIZED:
        return hy__run_sized_free(engine, op);
    case HY_OP_ALIGNED_ALLOC:
    case HY_OP_MEMALIGN:
    case HY_OP_VALLOC:
    case HY_OP_PVALLOC:
        return hy__run_aligned(engine, op);
    case HY_OP_POSIX_MEMALIGN:
        return hy__run_posix_memalign(engine, op);
    case HY_OP_USABLE_SIZE:
        return hy__run_usable_size(engine, op);
    case HY_OP_FILL_USABLE:
        return hy__run_fill_usable(engine, op);
    default:
        return run_rare(engine, op);
    }
}

bool hy__run_op(hy_engine *engine, const hy_plan_op *op)
{
    return run_op(engine, op);
}

static HY_COLD bool run_traced(hy_engine *engine, const hy_plan_op *op)
{
    const bool goes_on = run_op(engine, op);
    hy__trace_step(engine, op);
    return goes_on;
}

bool hy__end_round(hy_engine *engine)
{
    static const hy_plan_op end = {.op = HY_OP_FREE_ALL, .slot = HY_PLAN_NO_SLOT};
    engine->state->op = engine->plan.header.op_count;
    const bool goes_on = hy__run_free_all(engine, &end);
    if (engine->trace != NULL) {
        hy__trace_step(engine, NULL);
    }
    return goes_on;
}

static bool run_round(hy_engine *engine)
{
    const uint64_t count = engine->plan.header.op_count;
    const uint64_t done = engine->done;
    for (uint64_t i = 0; i < count; i++) {
        engine->state->op = i;
        engine->state->operations = done + i;
        const hy_plan_op *const op = &engine->plan.ops[i];
        if (HY_UNLIKELY(engine->trace != NULL ? !run_traced(engine, op) : !run_op(engine, op))) {
            return false;
        }
    }
    engine->state->operations = engine->done = done + count;
    hy__calm(engine);
    engine->watched.count = 0;
    return hy__end_round(engine);
}

static void run_rounds(hy_engine *engine)
{
    for (uint64_t round = 0; round < engine->plan.header.repeat; round++) {
        engine->state->round = round;
        if (engine->crew != NULL ? !hy__run_script(engine) : !run_round(engine)) {
            return;
        }
    }
}

/* Plan after plan from one request. The target lives on from one to the next. */
static void run_drawn(hy_engine *engine, hy_fuzzer *fuzzer)
{
    const uint64_t first = fuzzer->request->first;
    for (uint64_t number = first; number - first < fuzzer->request->count; number++) {
        hy__fuzz_draw(fuzzer, number, &engine->plan);
        engine->slot_count = engine->plan.slots_used;
        engine->state->round = number;
        for (uint64_t round = 0; round < engine->plan.header.repeat; round++) {
            if (engine->crew != NULL ? !hy__run_script(engine) : !run_round(engine)) {
                return;
            }
        }
    }
}

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static bool has_all_functions(hy_engine *engine)
{
    const uint32_t missing = engine->plan.functions & ~engine->subject->functions;
    if (missing == 0) {
        return true;
    }
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_SYMBOL,
               "the plan needs %s, which the target does not have",
               hy__function_name((unsigned)__builtin_ctz(missing)));
    return false;
}

static bool has_memory(hy_engine *engine)
{
    engine->slots = hy__memory_take(engine->memory, engine->slot_count * sizeof(hy_slot));
    engine->stale = hy__memory_take(engine->memory, engine->slot_count * sizeof(uintptr_t));
    engine->outcome->figures =
        hy__memory_take(engine->memory, HY_OUTCOME_FIGURES * sizeof(hy_figure));
    return (engine->slots != NULL && engine->stale != NULL && engine->outcome->figures != NULL &&
            hy__index_open(&engine->index, engine->memory, engine->slot_count)) ||
           hy__refuse_memory(engine, "the model");
}

static bool open_target(hy_engine *engine)
{
    engine->handle = engine->subject->handle;
    if (engine->target->open == NULL) {
        return true;
    }
    engine->handle = engine->target->open();
    return engine->handle != NULL || hy__refuse_memory(engine, "an instance of the target");
}

/* The threads of a plan that has any. */
static bool open_crew(hy_engine *engine)
{
    if (!engine->plan.has_structure) {
        return true;
    }
    uint64_t *const owners = hy__memory_take(engine->memory, engine->slot_count * sizeof(uint64_t));
    if (owners == NULL) {
        return hy__refuse_memory(engine, "the threads");
    }
    if (!hy__slots_are_apart(&engine->plan, owners, &engine->outcome->reason)) {
        engine->outcome->status = HY_STATUS_REFUSED;
        return false;
    }
    return hy__crew_open(engine);
}

/* After a violation the target is left as it is: its structures can't be trusted. */
void hy__finish(hy_engine *engine)
{
    hy_outcome *const outcome = engine->outcome;
    hy__calm(engine);
    outcome->op = outcome->is_placed ? outcome->op : engine->state->op;
    outcome->round = engine->state->round;
    outcome->operations = engine->state->operations;
    outcome->has_threads_left = engine->crew != NULL && outcome->status != HY_STATUS_HELD;
    outcome->op_name = hy__op_name_at(&engine->plan, outcome->op);
    if (outcome->status == HY_STATUS_HELD && engine->target->close != NULL) {
        engine->target->close(engine->handle);
    }
}

static void run(const hy_plan *plan, hy_fuzzer *fuzzer, const hy_subject *subject,
                hy_memory *memory, hy_trial_state *state, const hy_host *host, hy_outcome *outcome)
{
    const size_t own = subject->table.min_alignment;
    hy_engine engine = {
        .plan = *plan,
        .subject = subject,
        .target = &subject->table,
        .checks = plan->header.checks,
        .slot_count = plan->slots_used,
        .alignment = plan->header.alignment != 0 ? plan->header.alignment : own,
        .weak_alignment = (plan->header.flags & HY_PLAN_WEAK_ALIGN) != 0,
        .errno_address = &errno,
        .page_size = (size_t)sysconf(_SC_PAGESIZE),
        .memory = memory,
        .state = state,
        .outcome = outcome,
        .host = host,
    };
    unsigned char on_stack[HY_FOREIGN_AREA];
    hy__foreign_open(&engine.foreign, on_stack);
    if (!has_all_functions(&engine) || !has_memory(&engine) || !open_crew(&engine) ||
        !open_target(&engine)) {
        return;
    }
    engine.trace = hy__trace_begin(&engine);
    const uint64_t start = now(CLOCK_MONOTONIC);
    const clockid_t cpu = engine.crew != NULL ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID;
    const uint64_t cpu_start = now(cpu);
    if (fuzzer != NULL) {
        run_drawn(&engine, fuzzer);
    } else {
        run_rounds(&engine);
    }
    outcome->cpu_nanoseconds = now(cpu) - cpu_start;
    outcome->nanoseconds = now(CLOCK_MONOTONIC) - start;
    if (engine.crew != NULL && engine.crew->exit_count > 0 && outcome->status == HY_STATUS_HELD) {
        hy__leave_by_exit(engine.crew);
    }
    hy__foreign_close(&engine.foreign);
    hy__finish(&engine);
}

void hy__engine_run(const hy_plan *plan, const hy_subject *subject, hy_memory *memory,
                    hy_trial_state *state, const hy_host *host, hy_outcome *outcome)
{
    run(plan, NULL, subject, memory, state, host, outcome);
}

void hy__engine_fuzz(hy_fuzzer *fuzzer, const hy_subject *subject, hy_memory *memory,
                     hy_trial_state *state, const hy_host *host, hy_outcome *outcome)
{
    const hy_plan plan = {
        .header = {.checks = fuzzer->request->checks, .flags = HY_PLAN_WEAK_ALIGN},
        .functions = fuzzer->request->functions,
        .slots_used = HY_FUZZ_MOST_SLOTS,
        .has_structure = fuzzer->request->threads > 1,
    };
    run(&plan, fuzzer, subject, memory, state, host, outcome);
}
