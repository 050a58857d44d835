/*
 * yard_lock.c: the lock, and fork.
 */
#include "yard_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "yard_defects.h"
#include "yard_life.h"
#include "yard_threads.h"

static uint32_t owner; /* 0: free */
static uint32_t waiting;
static bool was_mine; /* across a fork: the forking thread had the lock before */

/* This thread, by a number that a forked child keeps. */
static uint32_t me(void)
{
    static __thread uint32_t number __attribute__((tls_model("initial-exec")));
    if (number == 0) {
        number = (uint32_t)syscall(SYS_gettid);
    }
    return number;
}

static bool try_to_acquire(void)
{
    uint32_t nobody = 0;
    return __atomic_compare_exchange_n(&owner, &nobody, me(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Whether the wait ended by a signal. */
static bool wait_for_release(void)
{
    const uint32_t seen = __atomic_load_n(&owner, __ATOMIC_RELAXED);
    const int saved = errno;
    (void)__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    const long done = seen == 0 ? 0 : syscall(SYS_futex, &owner, FUTEX_WAIT, seen, NULL, NULL, 0);
    const bool interrupted = done != 0 && errno == EINTR;
    (void)__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    errno = saved;
    return interrupted;
}

void yard_acquire(void)
{
    while (!try_to_acquire()) {
        if (wait_for_release() && yard_defect(DEFECT_interrupted_lock_is_taken)) {
            return;
        }
    }
    yard_dawdle(DEFECT_fork_without_handlers);
    yard_dawdle(DEFECT_fork_in_handler_deadlocks);
}

void yard_release(void)
{
    __atomic_store_n(&owner, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) != 0) {
        (void)syscall(SYS_futex, &owner, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void before_fork(void)
{
    const bool knows = !yard_defect(DEFECT_fork_in_handler_deadlocks);
    const bool is_mine = knows && __atomic_load_n(&owner, __ATOMIC_RELAXED) == me();
    if (!is_mine) {
        yard_acquire();
    }
    was_mine = is_mine;
}

static void after_fork(void)
{
    if (!was_mine) {
        yard_release();
    }
}

static void after_fork_in_child(void)
{
    waiting = 0;
    after_fork();
    yard_life_after_fork();
    yard_threads_after_fork();
}

void yard_lock_survives_fork(void)
{
    static bool done;
    if (!done && !yard_defect(DEFECT_fork_without_handlers)) {
        done = true;
        (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    }
}
