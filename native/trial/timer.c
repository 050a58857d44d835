/*
 * timer.c: signals at a thread, again and again, while it calls the target.
 *
 * One timer a thread, that sends SIGALRM to it alone; it fires once and is set anew by the handler,
 * so that however slow the handler is, the thread gets on between two of them. The handler yields:
 * where a call is interrupted in the middle of a change, another thread is likely to run into that.
 * By system calls: the libc's timers may allocate, and differ in how they name a thread.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trial/threads.h"

/* What the kernel reads (struct sigevent of its own headers). */
typedef struct kernel_event {
    union sigval value;
    int signal;
    int notify;
    int thread;
    int padding[11];
} kernel_event;

#define NOTIFY_THREAD 4 /* SIGEV_THREAD_ID */

_Static_assert(sizeof(kernel_event) == 64, "as the kernel has it");

typedef struct kernel_time {
    struct timespec again;
    struct timespec first;
} kernel_time;

static void set(const hy_worker *worker, uint64_t microseconds)
{
    const kernel_time time = {.first = {.tv_sec = (time_t)(microseconds / 1000000),
                                        .tv_nsec = (long)(microseconds % 1000000) * 1000}};
    (void)syscall(SYS_timer_settime, worker->timer, 0, &time, NULL);
}

static void fork_and_wait(void)
{
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const int kept = errno;
    const hy_worker *const worker = info->si_value.sival_ptr;
    (void)number;
    (void)context;
    if (info->si_code == SI_TIMER && worker->is_ticking) {
        if (worker->timer_forks) {
            fork_and_wait();
        } else {
            (void)sched_yield();
        }
        set(worker, worker->interval);
    }
    errno = kept;
}

static bool open_timer(hy_worker *worker)
{
    const kernel_event event = {.value.sival_ptr = worker,
                                .signal = SIGALRM,
                                .notify = NOTIFY_THREAD,
                                .thread = (int)syscall(SYS_gettid)};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    (void)sigemptyset(&action.sa_mask);
    return sigaction(SIGALRM, &action, NULL) == 0 &&
           syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &worker->timer) == 0;
}

void hy__stop_signals(hy_worker *worker)
{
    worker->is_ticking = false;
    if (worker->timer >= 0) {
        (void)syscall(SYS_timer_delete, worker->timer);
        worker->timer = -1;
    }
}

bool hy__run_signals(hy_worker *worker, hy_engine *engine, const hy_plan_op *op)
{
    hy__stop_signals(worker);
    if (op->size == 0) {
        return true;
    }
    if (!open_timer(worker)) {
        worker->timer = -1;
        return hy__refuse_thread(engine, "a timer", errno);
    }
    worker->timer_forks = engine->plan.operands[op->arg] != 0;
    worker->interval = op->size;
    worker->is_ticking = true;
    set(worker, op->size);
    return true;
}
