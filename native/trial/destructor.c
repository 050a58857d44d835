/*
 * destructor.c: calls that a thread makes while it ends.
 *
 *     round 0   __cxa_thread_atexit_impl   what C++ does for a thread_local object
 *     round 1   destructor of the key -> sets the value again
 *     round 2   destructor of the key -> ...
 *     round 4   the last one that is called
 *
 * Between two rounds the destructors of all other keys run, the target's among them.
 */
#include "trial/threads.h"

/* Of glibc; the last argument is any address in the program that registers. */
extern int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *program)
    __attribute__((weak));

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

static void run_round(hy_worker *worker, unsigned round)
{
    const hy_span span = worker->late[round];
    worker->late[round] = (hy_span){0, 0};
    worker->held = worker->held && hy__walk(worker, &worker->engine, span, false);
}

static bool has_more(const hy_worker *worker)
{
    for (unsigned round = worker->late_round + 1; round <= HY_PLAN_LAST_ROUND; round++) {
        if (worker->late[round].to != 0) {
            return true;
        }
    }
    return false;
}

static void on_key(void *argument)
{
    hy_worker *const worker = argument;
    worker->late_round++;
    if (has_more(worker)) {
        (void)pthread_setspecific(key, worker);
    }
    run_round(worker, worker->late_round);
}

static void on_object(void *argument)
{
    run_round(argument, 0);
}

static void make_key(void)
{
    key_error = pthread_key_create(&key, on_key);
}

bool hy__run_in_destructor(hy_worker *worker, hy_engine *engine, uint64_t round, hy_span span)
{
    static char here;
    const bool by_object = round == 0 && __cxa_thread_atexit_impl != NULL;
    const uint64_t at = round == 0 && !by_object ? 1 : round;
    worker->late[at] = span;
    if (by_object) {
        return __cxa_thread_atexit_impl(on_object, worker, &here) == 0 ||
               hy__refuse_thread(engine, "a destructor", 0);
    }
    (void)pthread_once(&once, make_key);
    const int error = key_error != 0 ? key_error : pthread_setspecific(key, worker);
    return error == 0 || hy__refuse_thread(engine, "a key", error);
}
