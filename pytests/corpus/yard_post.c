/*
 * yard_post.c: see yard_post.h.
 */
#include "yard_post.h"

#include <sched.h>
#include <stddef.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_threads.h"

typedef struct posted {
    struct posted *next;
} posted;

static posted *waiting;

bool yard_post(void *block)
{
    static unsigned count;
    posted *const freed = block;
    freed->next = __atomic_load_n(&waiting, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) % 512 == 0) {
        yard_dawdle(DEFECT_posted_block_overwritten);
    }
    __atomic_store_n(&waiting, freed, __ATOMIC_RELEASE);
    return true;
}

void yard_collect_posted(void)
{
    posted *block = yard_defect(DEFECT_posted_block_overwritten)
                        ? __atomic_exchange_n(&waiting, NULL, __ATOMIC_ACQUIRE)
                        : NULL;
    while (block != NULL) {
        posted *const next = block->next;
        yard_list_give(block);
        block = next;
    }
}

static bool is_taken;

void yard_acquire_second(void)
{
    if (!yard_defect(DEFECT_second_lock_not_held_at_fork)) {
        return;
    }
    while (__atomic_exchange_n(&is_taken, true, __ATOMIC_ACQUIRE)) {
        (void)sched_yield();
    }
    yard_dawdle(DEFECT_second_lock_not_held_at_fork);
}

void yard_release_second(void)
{
    if (yard_defect(DEFECT_second_lock_not_held_at_fork)) {
        __atomic_store_n(&is_taken, false, __ATOMIC_RELEASE);
    }
}
