/*
 * parallel.c: a section in which threads run at the same time.
 *
 *     main      orders, barrier | own part, if any | waits, and notes who is late | goes on
 *     worker    order,  barrier | its part, `times` times                         | waits for orders
 *
 * Each has an outcome of its own. The first that finds something ends the run: it publishes its
 * outcome where the host can do that, since another thread may crash or hang on the same fault at
 * any moment; in the library the others stop before their next op.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trial/structure.h"
#include "trial/threads.h"

#define LATE_NANOSECONDS 50000000L /* how often main notes who is late */

/* ---- who takes part --------------------------------------------------------------------------- */

typedef struct party {
    hy_worker *workers[HY_PLAN_MAX_THREADS];
    unsigned count;
} party;

static bool join_party(hy_crew *crew, party *all, uint64_t number)
{
    hy_worker *const worker = hy__worker(crew, number);
    for (unsigned i = 0; i < all->count; i++) {
        if (all->workers[i] == worker) {
            return true;
        }
    }
    all->workers[all->count] = worker;
    all->count += worker != NULL;
    return worker != NULL;
}

static bool gather(hy_crew *crew, party *all, hy_span span)
{
    for (uint64_t at = span.from; at < span.to; at++) {
        const hy_plan_op *const op = &crew->engine->plan.ops[at];
        if (op->op == HY_OP_ON_THREAD && !join_party(crew, all, op->size)) {
            return false;
        }
    }
    return true;
}

/* ---- each one's part -------------------------------------------------------------------------- */

/* The first verdict is the run's. */
static void speak_up(hy_worker *worker)
{
    hy_crew *const crew = worker->crew;
    hy_outcome *const whole = crew->engine->outcome;
    (void)pthread_mutex_lock(&crew->lock);
    if (!crew->is_stopped) {
        whole->status = worker->outcome.status;
        whole->violation = worker->outcome.violation;
        whole->reason = worker->outcome.reason;
        whole->op = worker->outcome.is_placed ? worker->outcome.op : worker->at;
        whole->is_placed = true;
        crew->is_stopped = true;
        if (crew->engine->host->publish != NULL) {
            hy__finish(crew->engine);
            crew->engine->host->publish(crew->engine->host->context, whole);
            _exit(0);
        }
    }
    (void)pthread_mutex_unlock(&crew->lock);
}

static bool run_times(hy_worker *worker)
{
    for (uint64_t i = 0; i < worker->times; i++) {
        if (!hy__walk(worker, &worker->engine, worker->span, true)) {
            return false;
        }
    }
    return true;
}

bool hy__work_in_section(hy_worker *worker)
{
    worker->engine.errno_address = worker->errno_address;
    (void)pthread_barrier_wait(&worker->crew->barrier);
    const bool held = run_times(worker);
    if (!held && worker->outcome.status != HY_STATUS_HELD) {
        speak_up(worker);
    }
    worker->left_errno = *worker->errno_address;
    worker->serial = worker->engine.serial;
    worker->is_at_work = false;
    return held;
}

/* ---- main's part ------------------------------------------------------------------------------ */

static void prepare(hy_worker *worker, hy_span span, uint64_t times)
{
    hy__copy_engine(worker);
    memset(&worker->outcome, 0, sizeof worker->outcome);
    worker->engine.outcome = &worker->outcome;
    worker->span = span;
    worker->times = times;
    worker->at = span.from;
    worker->is_at_work = true;
}

static void send(const party *all)
{
    hy_crew *const crew = all->workers[0]->crew;
    (void)pthread_mutex_lock(&crew->lock);
    for (unsigned i = 0; i < all->count; i++) {
        if (all->workers[i]->number != 0) {
            all->workers[i]->order = HY_ORDER_SECTION;
            crew->busy++;
            (void)pthread_cond_signal(&all->workers[i]->wake);
        }
    }
    (void)pthread_mutex_unlock(&crew->lock);
}

/* Where a hang is, the state says the op of a thread that has not come back. */
static void note_the_late(const party *all)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (all->workers[i]->is_at_work) {
            all->workers[0]->crew->engine->state->op = all->workers[i]->at;
            return;
        }
    }
}

static void soon(struct timespec *time)
{
    (void)clock_gettime(CLOCK_REALTIME, time);
    time->tv_nsec += LATE_NANOSECONDS;
    time->tv_sec += time->tv_nsec / 1000000000L;
    time->tv_nsec %= 1000000000L;
}

static void wait_for(const party *all)
{
    hy_crew *const crew = all->workers[0]->crew;
    (void)pthread_mutex_lock(&crew->lock);
    while (crew->busy > 0 && !crew->is_stopped) {
        struct timespec until;
        soon(&until);
        if (pthread_cond_timedwait(&crew->done, &crew->lock, &until) == ETIMEDOUT) {
            note_the_late(all);
        }
    }
    (void)pthread_mutex_unlock(&crew->lock);
}

static bool run_party(const party *all, hy_span span, uint64_t times)
{
    hy_crew *const crew = all->workers[0]->crew;
    bool is_main_in = false;
    (void)pthread_barrier_init(&crew->barrier, NULL, all->count);
    for (unsigned i = 0; i < all->count; i++) {
        prepare(all->workers[i], span, times);
        is_main_in |= all->workers[i]->number == 0;
    }
    send(all);
    if (is_main_in) {
        (void)hy__work_in_section(crew->workers[0]);
    }
    wait_for(all);
    if (crew->is_stopped) {
        return false;
    }
    (void)pthread_barrier_destroy(&crew->barrier);
    return true;
}

bool hy__run_parallel(hy_crew *crew, uint64_t from)
{
    const hy_plan *const plan = &crew->engine->plan;
    const hy_span span = {from + 1, hy__section_end(plan, from)};
    party all = {.count = 0};
    crew->engine->state->op = from;
    if (!gather(crew, &all, span)) {
        return false;
    }
    return all.count == 0 || run_party(&all, span, plan->ops[from].size);
}
