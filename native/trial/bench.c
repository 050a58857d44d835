#include "trial/bench.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/bits.h"
#include "trial/process.h"
#include "trial/replay.h"

typedef struct hy_bench {
    const hy_trial_bench *request;
    hy_tape tape;
    hy_replay replay;
    hy_reason reason;
    uint64_t wall; /* nanoseconds of timed parts */
    uint64_t cpu;
    uint64_t operations; /* of timed parts */
    uint64_t calls;      /* of all */
    uint64_t faults;
    uint64_t before; /* anonymous memory before the target was opened */
    uint64_t peak;   /* the rest is above `before` */
    uint64_t final;
    uint64_t trimmed;
} hy_bench;

#define EXCEPT_ADVISED 2ul /* PR_THP_DISABLE_EXCEPT_ADVISED, of Linux 6.18 */

#define REFUSE(bench, cause, ...) (hy__reason(&(bench)->reason, (cause), __VA_ARGS__), false)

/* --- what can be run --- */

static bool request_is_sound(hy_bench *bench)
{
    const hy_trial_bench *const request = bench->request;
    if (request->size < sizeof *request || request->plan >= HY_BENCH_COUNT) {
        return REFUSE(bench, HY_CAUSE_PLAN, "the request has size %" PRIu32 " and plan %" PRIu32,
                      request->size, request->plan);
    }
    if (request->live == 0 || request->live > HY_BENCH_MAX_LIVE) {
        return REFUSE(bench, HY_CAUSE_PLAN, "%" PRIu64 " live blocks: must be 1 to %" PRIu32,
                      request->live, HY_BENCH_MAX_LIVE);
    }
    if (request->low < HY_BENCH_MIN_SIZE || request->high > HY_BENCH_MAX_SIZE ||
        request->low > request->high) {
        return REFUSE(bench, HY_CAUSE_PLAN, "sizes %" PRIu64 "-%" PRIu64 ": must lie in %d to %d",
                      request->low, request->high, (int)HY_BENCH_MIN_SIZE, (int)HY_BENCH_MAX_SIZE);
    }
    return true;
}

static bool subject_is_fit(hy_bench *bench)
{
    const struct heapyard_target *const table = &bench->replay.subject->table;
    if (table->free == NULL && table->free_sized == NULL) {
        return REFUSE(bench, HY_CAUSE_SYMBOL, "%s has no free", table->name);
    }
    bench->replay.is_sized =
        table->free_sized != NULL && (bench->request->is_sized != 0 || table->free == NULL);
    return true;
}

static bool read_plan(hy_bench *bench, const hy_bench_input *input, hy_memory *memory)
{
    hy_plan decoded;
    const void *plan = input->plan;
    const size_t size = input->plan_size;
    if ((uintptr_t)plan % _Alignof(uint64_t) != 0) {
        void *const copy = hy__memory_take(memory, size);
        if (copy == NULL) {
            return REFUSE(bench, HY_CAUSE_MEMORY, "no memory for the plan");
        }
        plan = memcpy(copy, plan, size);
    }
    if (!hy__plan_decode(plan, size, &decoded, &bench->reason) ||
        !hy__tape_from_plan(&decoded, memory, &bench->tape, &bench->reason)) {
        return false;
    }
    if (input->unmaps_plan) {
        (void)munmap((void *)(uintptr_t)input->plan, size);
    }
    return true;
}

/* Everything of ours is in RAM before memory is first read. */
static bool prepare(hy_bench *bench, const hy_bench_input *input, hy_memory *memory)
{
    const bool is_ready =
        request_is_sound(bench) && subject_is_fit(bench) &&
        (bench->request->plan == HY_BENCH_PLAN
             ? read_plan(bench, input, memory)
             : hy__tape_draw(bench->request, memory, &bench->tape, &bench->reason));
    if (!is_ready) {
        return false;
    }
    const size_t slots = (bench->tape.slots + (size_t)1) * sizeof(void *);
    bench->replay.tape = &bench->tape;
    bench->replay.slots = hy__memory_take(memory, slots);
    if (bench->replay.slots == NULL) {
        return REFUSE(bench, HY_CAUSE_MEMORY, "no memory for %" PRIu32 " slots", bench->tape.slots);
    }
    memset((void *)bench->replay.slots, 0xff, slots);
    memset((void *)bench->replay.slots, 0, slots);
    return true;
}

/* --- running --- */

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static uint64_t resident(const hy_bench *bench)
{
    const uint64_t anonymous = hy__process_anonymous();
    return anonymous > bench->before ? anonymous - bench->before : 0;
}

static bool run_part(hy_bench *bench, const hy_tape_part *part, bool is_timed)
{
    const uint64_t wall = now(CLOCK_MONOTONIC);
    const uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    const bool is_double = part->kind == HY_TAPE_SWAP || part->kind == HY_TAPE_PAIR;
    const bool is_done = hy__replay(&bench->replay, part);
    bench->calls += part->count << is_double;
    if (is_timed && part->is_timed) {
        bench->cpu += now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        bench->wall += now(CLOCK_MONOTONIC) - wall;
    }
    return is_done || REFUSE(bench, HY_CAUSE_MEMORY, "malloc returned NULL");
}

static bool run_tape(hy_bench *bench, bool is_timed, bool is_sampled)
{
    for (uint32_t i = 0; i < bench->tape.part_count; i++) {
        const hy_tape_part *const part = &bench->tape.parts[i];
        if (!run_part(bench, part, is_timed)) {
            return false;
        }
        if (is_sampled && part->is_sampled) {
            const uint64_t seen = resident(bench);
            bench->peak = seen > bench->peak ? seen : bench->peak;
        }
    }
    bench->operations += is_timed ? bench->tape.operations : 0;
    return true;
}

/* Memory is read in the first round and in the last one: a heap may grow from round to round. */
static bool run_rounds(hy_bench *bench)
{
    for (uint32_t i = 0; i < bench->request->warm_up; i++) {
        if (!run_tape(bench, false, i == 0)) {
            return false;
        }
    }
    bool is_first = bench->request->warm_up == 0;
    for (bool is_last = false; !is_last; is_first = false) {
        const uint64_t after = bench->operations + bench->tape.operations;
        is_last = bench->tape.operations == 0 || after / 2 >= bench->request->pairs;
        if (!run_tape(bench, true, is_first || is_last)) {
            return false;
        }
    }
    return true;
}

static bool open_target(hy_bench *bench)
{
    const hy_subject *const subject = bench->replay.subject;
    bench->replay.handle = subject->table.open == NULL ? subject->handle : subject->table.open();
    return subject->table.open == NULL || bench->replay.handle != NULL ||
           REFUSE(bench, HY_CAUSE_MEMORY, "no memory for an instance of the target");
}

static bool run(hy_bench *bench)
{
    const struct heapyard_target *const table = &bench->replay.subject->table;
    bench->before = hy__process_anonymous();
    const uint64_t faults = hy__process_faults();
    if (!open_target(bench) || !run_rounds(bench)) {
        return false;
    }
    bench->faults = hy__process_faults() - faults;
    bench->final = resident(bench);
    if (table->trim != NULL) {
        (void)table->trim(bench->replay.handle, 0);
        bench->trimmed = resident(bench);
    }
    if (table->close != NULL) {
        table->close(bench->replay.handle);
    }
    return true;
}

/* --- the answer --- */

static void write_figures(const hy_bench *bench, hy_json *json)
{
    hy__json_number_member(json, "nanoseconds", bench->wall);
    hy__json_number_member(json, "cpu_nanoseconds", bench->cpu);
    hy__json_number_member(json, "operations", bench->operations);
    hy__json_number_member(json, "calls", bench->calls);
    hy__json_number_member(json, "faults", bench->faults);
    hy__json_number_member(json, "live_peak", bench->tape.live_peak);
    hy__json_number_member(json, "peak", bench->peak);
    hy__json_number_member(json, "final", bench->final);
    hy__json_key(json, "trimmed");
    if (bench->replay.subject->table.trim != NULL) {
        hy__json_number(json, bench->trimmed);
    } else {
        hy__json_text(json, NULL);
    }
    hy__json_key(json, "sized");
    hy__json_bool(json, bench->replay.is_sized);
}

static void write_head(hy_json *json, const char *status)
{
    hy__json_open(json, '{');
    hy__json_text_member(json, "schema", "heapyard.bench-run/1");
    hy__json_text_member(json, "status", status);
}

void hy__bench_refused(const hy_reason *reason, hy_json *json)
{
    write_head(json, "refused");
    hy__json_text_member(json, "cause", hy__cause_name(reason->cause));
    hy__json_text_member(json, "reason", reason->text);
    hy__json_close(json, '}');
}

/* A huge page touched by one byte counts for 2 MiB: that is the target's business where it asked for
 * huge pages, and the machine's (`always` or not) where it did not. Before Linux 6.18 there are none. */
static void only_huge_pages_asked_for(void)
{
    if (prctl(PR_SET_THP_DISABLE, 1, EXCEPT_ADVISED, 0, 0) != 0) {
        (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
}

void hy__bench(const hy_bench_input *input, const hy_subject *subject, hy_json *json)
{
    hy_bench bench = {.request = input->request, .replay = {.subject = subject}};
    hy_memory memory;
    if (!hy__memory_open(&memory)) {
        hy__reason(&bench.reason, HY_CAUSE_MEMORY, "no memory for the engine");
        hy__bench_refused(&bench.reason, json);
        return;
    }
    only_huge_pages_asked_for();
    if (prepare(&bench, input, &memory) && run(&bench)) {
        write_head(json, "done");
        write_figures(&bench, json);
        hy__json_close(json, '}');
    } else {
        hy__bench_refused(&bench.reason, json);
    }
    hy__memory_close(&memory);
}

/* The answer, by value: it is written into the caller's buffer. */
static size_t bench_subject(const hy_bench_input *input, const struct hy_trial_functions *functions,
                            hy_json answer)
{
    hy_subject subject;
    hy_reason reason;
    if (hy__subject_from_functions(functions, &subject, &reason)) {
        hy__bench(input, &subject, &answer);
    } else {
        hy__bench_refused(&reason, &answer);
    }
    return hy__json_end(&answer);
}

size_t hy_trial_bench_functions(const hy_trial_bench *request, const void *plan, size_t size,
                                const struct hy_trial_functions *functions, char *json,
                                size_t json_size)
{
    const hy_bench_input input = {.request = request, .plan = plan, .plan_size = size};
    return bench_subject(&input, functions, (hy_json){.buffer = json, .size = json_size});
}
