/*
 * threads.h: the threads of a plan: the crew.
 *
 * Each thread but main's is a worker that waits for an order: a span of ops to run alone, while main
 * waits, or its part of a parallel section. It has an engine of its own, a copy of main's with
 * another errno and a view of the index (index_view.h); slots, target and outcome are shared.
 *
 *     main     script.c ---- order ----> | waits for `done`        | goes on
 *     worker   waits for an order        | walk.c: op, op, op ...  | waits
 *
 * All fields below the lock are main's and the worker's in turn. The memory is the engine's, and
 * is there as long as the process: a thread that never comes back can't be taken anything away.
 */
#ifndef HEAPYARD_TRIAL_THREADS_H
#define HEAPYARD_TRIAL_THREADS_H

#include <pthread.h>

#include "trial/model.h"

/* Ops [from, to). */
typedef struct hy_span {
    uint64_t from;
    uint64_t to;
} hy_span;

typedef enum hy_order { HY_ORDER_NONE, HY_ORDER_SPAN, HY_ORDER_SECTION, HY_ORDER_END } hy_order;

/* What a forked child says; its parent sees it even if the child dies. */
typedef struct hy_child_report {
    volatile bool is_done;
    volatile uint64_t op;
    hy_outcome outcome;
} hy_child_report;

typedef struct hy_worker {
    struct hy_crew *crew;
    uint32_t number;
    pthread_t thread;
    pthread_cond_t wake;
    bool is_started;

    hy_order order;
    hy_span span;
    uint64_t times;            /* of a section */
    const hy_plan_op *arrival; /* the on_thread by which it was called, where it asks for errno */
    bool held;

    hy_engine engine;         /* its copy; main's worker uses it in parallel sections only */
    hy_index view;            /* what stands in that copy */
    hy_outcome outcome;       /* of a parallel section */
    volatile uint64_t at;     /* op that runs now, in one */
    volatile bool is_at_work; /* in one */
    int *errno_address;
    int left_errno;  /* after its last call */
    uint64_t serial; /* patterns written so far */

    hy_span late[HY_PLAN_LAST_ROUND + 1]; /* destructor.c: by round; empty: none */
    unsigned late_round;

    int timer; /* timer.c: -1: off */
    uint64_t interval;
    volatile bool is_ticking;
    bool timer_forks;
} hy_worker;

typedef struct hy_crew {
    hy_engine *engine; /* main's */
    hy_index_leaf **no_leaves;
    hy_child_report *reports; /* one a thread, in memory shared with children */
    pthread_mutex_t index_lock;
    pthread_mutex_t lock;
    pthread_cond_t done;
    pthread_barrier_t barrier;
    size_t stack_size; /* of threads that start from here on; 0: the usual */
    unsigned busy;     /* workers with an order */
    volatile bool is_stopped;
    hy_worker *workers[HY_PLAN_MAX_THREADS]; /* NULL: never used; 0 is main's */
    hy_span exits[8];                        /* exit.c: last registered last */
    unsigned exit_count;
} hy_crew;

/* The crew of an engine that is open, with main as worker 0. False: refused, no memory. */
bool hy__crew_open(hy_engine *engine);

/* The worker of a number, started if it is not. NULL: refused, no memory or no thread. */
hy_worker *hy__worker(hy_crew *crew, uint64_t number);

/* Runs a span on a thread (0: the caller) and waits for it. `arrival`: the on_thread, or NULL. */
bool hy__hand_over(hy_crew *crew, uint64_t number, hy_span span, const hy_plan_op *arrival);

/* Ends a thread and waits for it; nothing where it is not there. */
bool hy__join(hy_crew *crew, uint64_t number);
bool hy__join_all(hy_crew *crew);

/* walk.c: runs a span on this thread, which is the worker's, by `engine`. `section`: it is a parallel
 * one, in which only this thread's calls are made. */
bool hy__walk(hy_worker *worker, hy_engine *engine, hy_span span, bool section);

/* parallel.c: the section that the op at `from` opens; main's side, and a worker's. */
bool hy__run_parallel(hy_crew *crew, uint64_t from);
bool hy__work_in_section(hy_worker *worker);

/* A worker's engine as main's is now. */
void hy__copy_engine(hy_worker *worker);

/* fork.c: a child makes the calls of the span. */
bool hy__run_fork(hy_worker *worker, hy_engine *engine, hy_span span);

/* timer.c */
bool hy__run_signals(hy_worker *worker, hy_engine *engine, const hy_plan_op *op);
void hy__stop_signals(hy_worker *worker);

/* destructor.c: the span is run when this thread ends. */
bool hy__run_in_destructor(hy_worker *worker, hy_engine *engine, uint64_t round, hy_span span);

/* exit.c */
bool hy__run_at_exit(hy_crew *crew, hy_span span);
bool hy__run_atfork(hy_engine *engine);
/* After the rounds of a plan with at_exit. */
_Noreturn void hy__leave_by_exit(hy_crew *crew);

/* script.c: one round of a plan with structure. */
bool hy__run_script(hy_engine *engine);

/* Violations and refusals outside of the slots, in verdict.c's words. */
HY_COLD bool hy__report_errno_of_thread(hy_engine *engine, uint64_t thread, int left, int found);
HY_COLD bool hy__refuse_thread(hy_engine *engine, const char *what, int error);

#endif /* HEAPYARD_TRIAL_THREADS_H */
