#include "trial/run.h"

#include <string.h>

#include "trial/batch.h"
#include "trial/engine.h"
#include "trial/process.h"
#include "trial/result.h"

/* The plan at an address that its numbers can be read from. */
static const void *aligned_plan(const hy_run *run, hy_memory *memory)
{
    if ((uintptr_t)run->plan % _Alignof(uint64_t) == 0) {
        return run->plan;
    }
    void *const copy = hy__memory_take(memory, run->plan_size);
    return copy == NULL ? NULL : memcpy(copy, run->plan, run->plan_size);
}

static void refuse_memory(hy_outcome *outcome)
{
    outcome->status = HY_STATUS_REFUSED;
    hy__reason(&outcome->reason, HY_CAUSE_MEMORY, "no memory for the engine");
}

typedef struct publication {
    const hy_run *run;
    hy_json *json;
} publication;

static void publish(void *context, const hy_outcome *outcome)
{
    const publication *const to = context;
    hy__result_write(to->json, outcome);
    to->run->publish(to->json);
}

static bool is_limited(const hy_run *run, hy_outcome *outcome)
{
    if (run->address_space != 0 && !hy__limit_address_space(run->address_space)) {
        refuse_memory(outcome);
        return false;
    }
    return true;
}

static void run_decoded(const hy_run *run, const hy_plan *plan, hy_memory *memory,
                        hy_outcome *outcome, hy_json *json)
{
    hy_trial_state unwatched = {0};
    publication to = {.run = run, .json = json};
    const hy_host host = {.publish = run->publish != NULL ? publish : NULL,
                          .context = &to,
                          .early_block = run->early_block};
    if (!is_limited(run, outcome)) {
        return;
    }
    hy__engine_run(plan, run->subject, memory, run->state != NULL ? run->state : &unwatched, &host,
                   outcome);
}

/* Random plans, where the data is a request for them. */
static void run_request(const hy_run *run, const hy_trial_fuzz *request, hy_memory *memory,
                        hy_outcome *outcome, hy_json *json)
{
    hy_trial_state unwatched = {0};
    publication to = {.run = run, .json = json};
    const hy_host host = {.publish = run->publish != NULL ? publish : NULL, .context = &to};
    hy_fuzzer fuzzer;
    if (!hy__fuzz_open(&fuzzer, request, memory, &outcome->reason)) {
        outcome->status = HY_STATUS_REFUSED;
    } else if (is_limited(run, outcome)) {
        hy__engine_fuzz(&fuzzer, run->subject, memory, run->state != NULL ? run->state : &unwatched,
                        &host, outcome);
    }
}

static void run_in(const hy_run *run, hy_memory *memory, hy_outcome *outcome, hy_json *json)
{
    hy_plan plan;
    const void *const data = aligned_plan(run, memory);
    if (data == NULL) {
        refuse_memory(outcome);
    } else if (hy__fuzz_is_request(data, run->plan_size)) {
        run_request(run, data, memory, outcome, json);
    } else if (!hy__plan_decode(data, run->plan_size, &plan, &outcome->reason)) {
        outcome->status = HY_STATUS_REFUSED;
    } else {
        run_decoded(run, &plan, memory, outcome, json);
    }
}

void hy__run(const hy_run *run, hy_json *json)
{
    hy_memory memory;
    hy_outcome outcome = {.status = HY_STATUS_HELD};
    if (hy__batch_is_request(run->plan, run->plan_size) &&
        (uintptr_t)run->plan % _Alignof(uint64_t) == 0 && is_limited(run, &outcome)) {
        hy__batch_run(run, run->plan, json);
        return;
    }
    if (!hy__memory_open(&memory)) {
        refuse_memory(&outcome);
        hy__result_write(json, &outcome);
        return;
    }
    run_in(run, &memory, &outcome, json);
    hy__result_write(json, &outcome);
    if (!outcome.has_threads_left) {
        hy__memory_close(&memory);
    }
}

void hy__run_refused(const hy_reason *reason, hy_json *json)
{
    const hy_outcome outcome = {.status = HY_STATUS_REFUSED, .reason = *reason};
    hy__result_write(json, &outcome);
}

/* `is_sound`: the subject could be made from what the caller gave. */
static size_t run_subject(hy_run run, bool is_sound, const hy_reason *reason, hy_json json)
{
    if (is_sound) {
        hy__run(&run, &json);
    } else {
        hy__run_refused(reason, &json);
    }
    return hy__json_end(&json);
}

size_t hy_trial_run(const void *plan, size_t size, const struct heapyard_target *target, char *json,
                    size_t json_size, hy_trial_state *state)
{
    hy_subject subject;
    hy_reason reason;
    const hy_run run = {.plan = plan, .plan_size = size, .subject = &subject, .state = state};
    const bool is_sound = hy__subject_from_table(target, &subject, &reason);
    return run_subject(run, is_sound, &reason, (hy_json){.buffer = json, .size = json_size});
}

size_t hy_trial_run_functions(const void *plan, size_t size,
                              const struct hy_trial_functions *functions, char *json,
                              size_t json_size, hy_trial_state *state)
{
    hy_subject subject;
    hy_reason reason;
    const hy_run run = {.plan = plan, .plan_size = size, .subject = &subject, .state = state};
    const bool is_sound = hy__subject_from_functions(functions, &subject, &reason);
    return run_subject(run, is_sound, &reason, (hy_json){.buffer = json, .size = json_size});
}

/* Where the packed form of a plan has its parts. */
static size_t packed_size(const hy_plan *plan)
{
    return sizeof plan->header + plan->header.operand_count * sizeof(uint64_t) +
           (size_t)plan->header.op_count * sizeof(hy_plan_op);
}

static void pack(const hy_plan *plan, unsigned char *to)
{
    const size_t operands = plan->header.operand_count * sizeof(uint64_t);
    memcpy(to, &plan->header, sizeof plan->header);
    memcpy(to + sizeof plan->header, plan->operands, operands);
    memcpy(to + sizeof plan->header + operands, plan->ops,
           (size_t)plan->header.op_count * sizeof(hy_plan_op));
}

size_t hy_trial_draw(const hy_trial_fuzz *request, uint64_t number, void *plan, size_t size)
{
    hy_memory memory;
    hy_fuzzer fuzzer;
    hy_reason reason;
    hy_plan drawn;
    size_t needed = 0;
    if (!hy__memory_open(&memory)) {
        return 0;
    }
    if (hy__fuzz_open(&fuzzer, request, &memory, &reason)) {
        hy__fuzz_draw(&fuzzer, number, &drawn);
        needed = packed_size(&drawn);
        if (needed <= size) {
            pack(&drawn, plan);
        }
    }
    hy__memory_close(&memory);
    return needed;
}
