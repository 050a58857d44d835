/*
 * yard_life.c: constructors, ends, and system calls that signals interrupt.
 */
#include "yard_life.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_lock.h"
#include "yard_surroundings.h"
#include "yard_threads.h"

static bool is_set_up;
static bool is_a_child;
static _Alignas(YARD_GRANULE) char buffer[4096]; /* of early_calloc_is_static */
static size_t buffer_used;

__attribute__((constructor)) static void set_up(void)
{
    if (!yard_defect(DEFECT_fork_handlers_come_late)) {
        yard_lock_survives_fork();
    }
    yard_threads_start();
    if (yard_defect(DEFECT_constructor_forgets_blocks)) {
        yard_forget_blocks();
    }
    is_set_up = true;
}

__attribute__((destructor)) static void tear_down(void)
{
    if (yard_defect(DEFECT_destructor_ends_heap)) {
        yard_unmap_chunk();
    }
}

void yard_life_enter(void)
{
    static bool is_registered;
    if (yard_defect(DEFECT_fork_handlers_come_late)) {
        yard_lock_survives_fork();
    }
    if (yard_defect(DEFECT_exit_handler_ends_heap) && is_set_up && !is_registered) {
        is_registered = true;
        (void)atexit(yard_unmap_chunk);
    }
}

void *yard_early_calloc(size_t bytes)
{
    const size_t rounded = (bytes + YARD_GRANULE - 1) & ~(size_t)(YARD_GRANULE - 1);
    if (!yard_defect(DEFECT_early_calloc_is_static) || is_set_up ||
        rounded > sizeof buffer - buffer_used) {
        return NULL;
    }
    buffer_used += rounded;
    return buffer + buffer_used - rounded;
}

void yard_life_free(const void *block)
{
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)buffer;
    const bool is_refused = (yard_defect(DEFECT_child_rejects_blocks) && is_a_child) ||
                            (offset < sizeof buffer && is_set_up);
    if (is_refused) {
        abort();
    }
}

void yard_life_after_fork(void)
{
    is_a_child = true;
}

bool yard_is_child(void)
{
    return is_a_child;
}

/* Waits a little, as a call that blocks does; whether a signal ended that. */
static bool wait_is_interrupted(void)
{
    const struct timespec time = {.tv_nsec = 300000};
    return nanosleep(&time, NULL) != 0;
}

bool yard_life_map(void)
{
    yard_surroundings_map();
    if (yard_defect(DEFECT_interrupted_wait_fails)) {
        return !wait_is_interrupted();
    }
    if (yard_defect(DEFECT_interrupted_wait_shows)) {
        (void)wait_is_interrupted();
    }
    return true;
}
