#include "trial/threads.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "trial/index_view.h"
#include "trial/thread_local.h"
#include "trial/verdict.h"

#define STACK_SIZE ((size_t)256 << 10)

static hy_worker *new_worker(hy_crew *crew, uint64_t number)
{
    hy_worker *const worker = hy__memory_take(crew->engine->memory, sizeof *worker);
    if (worker == NULL) {
        (void)hy__refuse_memory(crew->engine, "a thread");
        return NULL;
    }
    worker->crew = crew;
    worker->number = (uint32_t)number;
    worker->timer = -1;
    worker->serial = (number + 1) << 40; /* no two threads give a slot the same pattern */
    (void)pthread_cond_init(&worker->wake, NULL);
    hy__index_view_open(&worker->view, &crew->engine->index, crew->no_leaves, &crew->index_lock);
    crew->workers[number] = worker;
    return worker;
}

static void *shared_pages(size_t size)
{
    void *const pages =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages != MAP_FAILED ? pages : NULL;
}

bool hy__crew_open(hy_engine *engine)
{
    hy_crew *const crew = hy__memory_take(engine->memory, sizeof *crew);
    if (crew == NULL) {
        return hy__refuse_memory(engine, "the threads");
    }
    crew->engine = engine;
    crew->no_leaves = hy__index_no_leaves(engine->memory);
    crew->reports = shared_pages(HY_PLAN_MAX_THREADS * sizeof(hy_child_report));
    (void)pthread_mutex_init(&crew->index_lock, NULL);
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->done, NULL);
    if (crew->no_leaves == NULL || crew->reports == NULL) {
        return hy__refuse_memory(engine, "the threads");
    }
    hy_worker *const self = new_worker(crew, 0);
    if (self == NULL) {
        return false;
    }
    self->errno_address = engine->errno_address;
    self->is_started = true;
    engine->crew = crew;
    return true;
}

/* ---- the worker's side ------------------------------------------------------------------------ */

void hy__copy_engine(hy_worker *worker)
{
    worker->engine = *worker->crew->engine;
    worker->engine.index = worker->view;
    worker->engine.errno_address = worker->errno_address;
    worker->engine.serial = worker->serial;
}

/* What the plan changes for all threads. */
static void bring_back(hy_worker *worker)
{
    hy_engine *const main_engine = worker->crew->engine;
    worker->serial = worker->engine.serial;
    main_engine->handle = worker->engine.handle;
    main_engine->errno_value = worker->engine.errno_value;
}

static bool errno_is_as_left(const hy_worker *worker, hy_engine *engine)
{
    const int found = *worker->errno_address;
    return worker->arrival == NULL || found == worker->left_errno ||
           hy__report_errno_of_thread(engine, worker->number, worker->left_errno, found);
}

static bool work_alone(hy_worker *worker)
{
    const bool held = errno_is_as_left(worker, &worker->engine) &&
                      hy__walk(worker, &worker->engine, worker->span, false);
    worker->left_errno = *worker->errno_address;
    bring_back(worker);
    return held;
}

static void carry_out(hy_worker *worker, hy_order order)
{
    const bool held = order == HY_ORDER_SPAN ? work_alone(worker) : hy__work_in_section(worker);
    (void)pthread_mutex_lock(&worker->crew->lock);
    worker->held = held;
    worker->order = HY_ORDER_NONE;
    worker->crew->busy--;
    (void)pthread_cond_signal(&worker->crew->done);
    (void)pthread_mutex_unlock(&worker->crew->lock);
}

static hy_order next_order(hy_worker *worker)
{
    (void)pthread_mutex_lock(&worker->crew->lock);
    while (worker->order == HY_ORDER_NONE) {
        (void)pthread_cond_wait(&worker->wake, &worker->crew->lock);
    }
    const hy_order order = worker->order;
    (void)pthread_mutex_unlock(&worker->crew->lock);
    return order;
}

/* Nothing here calls the target: its first call from this thread is the plan's. */
static void *work(void *argument)
{
    hy_worker *const worker = argument;
    hy__thread_local_make();
    worker->errno_address = &errno;
    worker->left_errno = errno;
    for (;;) {
        const hy_order order = next_order(worker);
        if (order == HY_ORDER_END) {
            hy__stop_signals(worker);
            return NULL;
        }
        if (order == HY_ORDER_SPAN) {
            worker->engine.errno_address = worker->errno_address;
        }
        carry_out(worker, order);
    }
}

/* ---- main's side ------------------------------------------------------------------------------ */

static bool start(hy_worker *worker)
{
    pthread_attr_t attributes;
    const size_t wanted = worker->crew->stack_size;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, wanted != 0 ? wanted : STACK_SIZE);
    worker->order = HY_ORDER_NONE;
    worker->late_round = 0;
    for (unsigned i = 0; i <= HY_PLAN_LAST_ROUND; i++) {
        worker->late[i] = (hy_span){0, 0};
    }
    const int error = pthread_create(&worker->thread, &attributes, work, worker);
    (void)pthread_attr_destroy(&attributes);
    worker->is_started = error == 0;
    return error == 0 || hy__refuse_thread(worker->crew->engine, "a thread", error);
}

hy_worker *hy__worker(hy_crew *crew, uint64_t number)
{
    hy_worker *worker = crew->workers[number];
    if (worker == NULL) {
        worker = new_worker(crew, number);
    }
    if (worker != NULL && !worker->is_started && !start(worker)) {
        return NULL;
    }
    return worker;
}

static bool run_here(hy_worker *self, hy_span span, const hy_plan_op *arrival)
{
    hy_engine *const engine = self->crew->engine;
    self->arrival = arrival;
    const bool held = errno_is_as_left(self, engine) && hy__walk(self, engine, span, false);
    self->left_errno = *self->errno_address;
    return held;
}

static void wait_until_done(hy_crew *crew)
{
    while (crew->busy > 0) {
        (void)pthread_cond_wait(&crew->done, &crew->lock);
    }
}

bool hy__hand_over(hy_crew *crew, uint64_t number, hy_span span, const hy_plan_op *arrival)
{
    hy_worker *const self = crew->workers[0];
    hy_worker *const worker = hy__worker(crew, number);
    if (worker == NULL) {
        return false;
    }
    if (number == 0) {
        return run_here(self, span, arrival);
    }
    hy__copy_engine(worker);
    worker->span = span;
    worker->arrival = arrival;
    *self->errno_address = self->left_errno; /* starting a thread is not the plan's */
    (void)pthread_mutex_lock(&crew->lock);
    worker->order = HY_ORDER_SPAN;
    crew->busy++;
    (void)pthread_cond_signal(&worker->wake);
    wait_until_done(crew);
    (void)pthread_mutex_unlock(&crew->lock);
    return worker->held;
}

bool hy__join(hy_crew *crew, uint64_t number)
{
    hy_worker *const worker = crew->workers[number];
    if (worker == NULL || !worker->is_started) {
        return true;
    }
    hy__copy_engine(worker); /* for its destructors */
    worker->held = true;
    (void)pthread_mutex_lock(&crew->lock);
    worker->order = HY_ORDER_END;
    (void)pthread_cond_signal(&worker->wake);
    (void)pthread_mutex_unlock(&crew->lock);
    (void)pthread_join(worker->thread, NULL);
    worker->is_started = false;
    bring_back(worker);
    return worker->held;
}

bool hy__join_all(hy_crew *crew)
{
    for (uint64_t i = 1; i < HY_PLAN_MAX_THREADS; i++) {
        if (!hy__join(crew, i)) {
            return false;
        }
    }
    return true;
}
