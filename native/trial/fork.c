/*
 * fork.c: a child process of the runner makes the calls of a section.
 *
 *     parent   holds the index | fork | waits .................. | goes on, or dies as the child did
 *     child                      '----> calls on its own copy --> report, _exit
 *
 * Where threads run beside, the child has a copy of the target as it was in the middle of their calls
 * (that is the point), but of the model in a whole state: the lock of the index is held over the
 * fork, and the child touches only slots of its own thread. A child that never ends is a hang of
 * the plan: its ops are noted in the state that the watcher reads.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial/threads.h"

_Noreturn static void live_as_child(hy_engine *engine, hy_span span, hy_child_report *report)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    engine->outcome = &report->outcome;
    for (uint64_t at = span.from; at < span.to; at++) {
        engine->state->op = report->op = at;
        if (!hy__run_op(engine, &engine->plan.ops[at])) {
            break;
        }
    }
    report->is_done = true;
    _exit(0);
}

/* By the same signal, so that the run ends as a crash there. */
_Noreturn static void die_by(int signal_number)
{
    sigset_t only;
    (void)signal(signal_number, SIG_DFL);
    (void)sigemptyset(&only);
    (void)sigaddset(&only, signal_number);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    (void)kill(getpid(), signal_number);
    for (;;) {
        (void)pause();
    }
}

/* A child that did not come to its end: neither do we. */
static void share_its_fate(const hy_engine *engine, int status, const hy_child_report *report)
{
    if (WIFSIGNALED(status)) {
        engine->state->op = report->op;
        die_by(WTERMSIG(status));
    }
    if (WIFEXITED(status) && !report->is_done) {
        engine->state->op = report->op;
        _exit(WEXITSTATUS(status));
    }
}

static bool take_over(hy_engine *engine, const hy_child_report *report)
{
    if (report->outcome.status == HY_STATUS_HELD) {
        return true;
    }
    engine->outcome->status = report->outcome.status;
    engine->outcome->violation = report->outcome.violation;
    engine->outcome->reason = report->outcome.reason;
    engine->outcome->op = report->op;
    engine->outcome->is_placed = true;
    return false;
}

bool hy__run_fork(hy_worker *worker, hy_engine *engine, hy_span span)
{
    hy_child_report *const report = &worker->crew->reports[worker->number];
    int status = 0;
    *report = (hy_child_report){.op = engine->state->op};
    (void)pthread_mutex_lock(&worker->crew->index_lock);
    const pid_t child = fork();
    (void)pthread_mutex_unlock(&worker->crew->index_lock);
    if (child == 0) {
        live_as_child(engine, span, report);
    }
    if (child < 0) {
        return hy__refuse_thread(engine, "a process", errno);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    share_its_fate(engine, status, report);
    return take_over(engine, report);
}
