/*
 * yard_threads.c: the caches of threads, and what defects do to them.
 */
#include "yard_threads.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "yard_chunks.h"
#include "yard_guard.h"
#include "yard_life.h"
#include "yard_post.h"

enum {
    FILL = 16,     /* blocks of a class in a cache; above that, half of them go back */
    RECENT = 64,   /* the last blocks that a thread was given, for a defect */
    IDS = 1000,    /* threads that a defect has room for */
    REFILL = 4096, /* bytes at most that a cache gets at once, beside a single block */
    MARKS = 256,   /* what a header says of its maker: the number, in 8 bits */
};

#define OF_THREAD __thread __attribute__((tls_model("initial-exec")))

typedef struct cached {
    struct cached *next;
} cached;

typedef struct cache {
    cached *lists[YARD_CLASSES];
    uint16_t counts[YARD_CLASSES];
    uint32_t number; /* of the thread, from 1 */
    bool allocates;  /* it has been asked for a block */
    void *recent[RECENT];
    unsigned next_recent;
} cache;

static OF_THREAD cache *mine;
static OF_THREAD bool is_main;
static OF_THREAD bool has_ended; /* its cache was handed back */

static pthread_key_t key;
static bool started;
static uint32_t last_number;
static bool is_dead[MARKS]; /* threads that have ended */

void yard_dawdle(enum yard_defect defect)
{
    const struct timespec instant = {.tv_nsec = 50000};
    if (yard_defect(defect)) {
        const int saved = errno;
        (void)nanosleep(&instant, NULL);
        errno = saved;
    }
}

/* ---- one cache -------------------------------------------------------------------------------- */

static void push(cache *to, void *block)
{
    yard_header *header = yard_header_of(block);
    cached *freed = block;
    header->clean = 0;
    freed->next = to->lists[header->klass];
    to->lists[header->klass] = freed;
    to->counts[header->klass]++;
}

static void *pop(cache *from, unsigned klass)
{
    cached *block = from->lists[klass];
    if (block != NULL) {
        from->lists[klass] = block->next;
        from->counts[klass]--;
    }
    return block;
}

static void hand_back(cache *from, unsigned klass, unsigned kept)
{
    while (from->counts[klass] > kept) {
        yard_list_give(pop(from, klass));
    }
}

static uint8_t mark_of(const cache *of)
{
    return of == NULL ? 0 : (uint8_t)(1 + (of->number - 1) % (MARKS - 1));
}

/* Blocks that are live, and were made by this thread: who frees them frees what is not his. */
static void free_what_lives(const cache *ended)
{
    for (unsigned i = 0; i < RECENT; i++) {
        void *block = ended->recent[i];
        if (block != NULL && yard_guard_holds(block) &&
            yard_header_of(block)->clean == mark_of(ended) && yard_guard_remove(block)) {
            yard_list_give(block);
        }
    }
}

static void end(void *argument)
{
    cache *ended = argument;
    mine = NULL;
    has_ended = !yard_defect(DEFECT_last_destructor_leaks_cache);
    is_dead[mark_of(ended)] = true;
    if (yard_defect(DEFECT_thread_exit_frees_live)) {
        free_what_lives(ended);
    }
    if (yard_defect(DEFECT_thread_exit_leaks_cache) || yard_defect(DEFECT_thread_exit_orphans)) {
        return;
    }
    for (unsigned klass = 0; klass < YARD_CLASSES; klass++) {
        const bool is_lost =
            yard_defect(DEFECT_thread_exit_leaks_full_lists) && ended->counts[klass] > FILL / 2;
        hand_back(ended, klass, is_lost ? ended->counts[klass] : 0);
    }
    yard_list_give(ended);
}

static cache *make(void)
{
    cache *made = yard_list_take(yard_class_of(sizeof *made));
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof *made);
    made->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    is_dead[mark_of(made)] = false;
    mine = made; /* before the call below, which may allocate */
    (void)pthread_setspecific(key, made);
    return made;
}

/* This thread's; NULL: it has none. */
static cache *own(void)
{
    if (!started || is_main || has_ended) {
        return NULL;
    }
    return mine != NULL ? mine : make();
}

void yard_threads_start(void)
{
    is_main = true;
    started = pthread_key_create(&key, end) == 0;
}

void yard_threads_after_fork(void)
{
    if (yard_defect(DEFECT_fork_of_new_thread_crashes) && started && !is_main) {
        mine->allocates = true;
    }
}

void yard_first_realloc(void)
{
    if (yard_defect(DEFECT_first_realloc_crashes) && started && !is_main) {
        mine->allocates = true;
    }
}

/* ---- blocks ----------------------------------------------------------------------------------- */

bool yard_is_remote(const void *block)
{
    const uint8_t maker = yard_header_of(block)->clean;
    return maker != 0 && maker != mark_of(mine);
}

void *yard_signed(void *block)
{
    if (block != NULL && mine != NULL) {
        yard_header_of(block)->clean = mark_of(mine);
        yard_seal_header(block);
        mine->recent[mine->next_recent++ % RECENT] = block;
    }
    return block;
}

bool yard_thread_is_refused(void)
{
    return yard_defect(DEFECT_thread_ids_run_out) && mine != NULL && mine->number > IDS;
}

static bool is_of_main(const void *block)
{
    return yard_header_of(block)->clean == 0;
}

/* Whether a defect forgets a block that is freed. */
static bool loses(const void *block)
{
    const yard_header *header = yard_header_of(block);
    switch (yard_defect_in_force()) {
    case DEFECT_remote_free_lost:
        return yard_is_remote(block);
    case DEFECT_remote_large_free_lost:
        return header->klass == YARD_BIG && yard_is_remote(block);
    case DEFECT_child_loses_what_it_frees:
        return yard_is_child();
    case DEFECT_dead_threads_blocks_lost:
        return header->clean != 0 && is_dead[header->clean];
    default:
        return false;
    }
}

/* The block that another thread was given last, now and then. */
static void *interleaved(unsigned klass, void *block)
{
    static void *latest;
    static unsigned requests;
    if (!yard_defect(DEFECT_interleaved_blocks_overlap) || klass != 1) {
        return block;
    }
    void *other = __atomic_exchange_n(&latest, block, __ATOMIC_RELAXED);
    return ++requests % 50 == 0 && other != NULL ? other : block;
}

/* A block from the lists, and some more of a small class for the cache: neighbours, so that no line of
 * the processor's cache is shared with another thread but at the ends. With a defect it is one block at
 * a time, as most of them are written for. */
static void *refill(cache *to, unsigned klass)
{
    void *blocks[FILL / 2];
    const bool many = yard_has_books() && yard_class_size(klass) <= REFILL / (FILL / 2);
    yard_dawdle(DEFECT_threads_share_lines);
    unsigned count = yard_lists_take(klass, blocks, many ? FILL / 2 : 1);
    while (count > 1) {
        push(to, blocks[--count]);
    }
    return count == 1 ? blocks[0] : NULL;
}

void *yard_cache_take(unsigned klass)
{
    cache *from = own();
    if (from == NULL) {
        return NULL;
    }
    from->allocates = true;
    void *block = pop(from, klass);
    return interleaved(klass, block != NULL ? block : refill(from, klass));
}

static bool hoards(const cache *full)
{
    return (yard_defect(DEFECT_free_only_thread_hoards) && !full->allocates) ||
           yard_defect(DEFECT_thread_exit_orphans);
}

static void put(cache *to, void *block)
{
    const unsigned klass = yard_header_of(block)->klass;
    push(to, block);
    if (to->counts[klass] > FILL && !hoards(to)) {
        hand_back(to, klass, FILL / 2);
    }
}

/* Where the block can go; NULL: nowhere here. */
static cache *place_for(const void *block)
{
    const yard_header *header = yard_header_of(block);
    const bool is_whole =
        header->klass < YARD_CLASSES && header->shift == 0 && yard_header_is_whole(block);
    if (is_whole && has_ended && yard_defect(DEFECT_destructor_free_crashes)) {
        mine->allocates = true; /* it is gone */
    }
    return is_whole ? own() : NULL;
}

bool yard_thread_takes(void *block)
{
    if (yard_defect(DEFECT_posted_block_overwritten) && !is_main && is_of_main(block)) {
        return yard_guard_remove(block) && yard_post(block);
    }
    if (loses(block)) {
        return yard_guard_remove(block);
    }
    cache *to = place_for(block);
    if (to == NULL) {
        return false;
    }
    if (yard_defect(DEFECT_remote_free_on_two_lists) && yard_is_remote(block)) {
        put(to, block);
        return false;
    }
    const bool is_mine_to_free = yard_guard_remove(block);
    if (is_mine_to_free) {
        put(to, block);
    }
    return is_mine_to_free;
}
