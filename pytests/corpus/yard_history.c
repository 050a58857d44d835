/*
 * yard_history.c: what long histories do to an allocator with one of these defects.
 */
#include "yard_history.h"

#include <stdint.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_guard.h"
#include "yard_threads.h"

enum {
    TABLE = 512,       /* live small blocks that a list has room for */
    SMALL = 128,       /* bytes of such a block at most */
    IN_A_ROW = 300,    /* requests of one class */
    CHAIN = 32,        /* times that one block is resized */
    GENERATIONS = 128, /* of an address */
    PLACES = 4096,     /* addresses that generations are kept of */
    MERGES = 200,      /* frees right after a block of another class was made */
    TRUSTED = 150,     /* frees without a calloc */
    THOUSAND = 1000,
    REMOTE = 100, /* entries of the list of blocks that other threads freed */
};

static void *latest[YARD_CLASSES]; /* the block of each class that was made last */
static void *suspect;              /* live, and handed out again to the next that fits */

static bool is_small(const void *block)
{
    return block != NULL && yard_header_of(block)->klass < YARD_CLASSES;
}

static bool is_live_of(const void *block, unsigned klass)
{
    return block != NULL && yard_guard_holds(block) && yard_header_of(block)->klass == klass;
}

/* The live block in place of the new one, which goes back; the new one where that is none. */
static void *in_place_of(void *block, void *live)
{
    if (live == block || !is_live_of(live, yard_header_of(block)->klass)) {
        return block;
    }
    yard_give(block, false);
    return live;
}

/* ---- counters ----------------------------------------------------------------------------------- */

static uint8_t frees[YARD_CLASSES]; /* wraps */
static bool is_new[YARD_CLASSES];

static void *made_in_new_class(void *block, unsigned klass)
{
    void *const answer = is_new[klass] ? in_place_of(block, latest[klass]) : block;
    is_new[klass] = is_new[klass] && answer == block;
    return answer;
}

static void count_free(unsigned klass)
{
    is_new[klass] = ++frees[klass] == 0 || is_new[klass];
}

static void *made_in_a_row(void *block, unsigned klass)
{
    static unsigned last_class;
    static unsigned count;
    count = klass == last_class ? count + 1 : 1;
    last_class = klass;
    return count % IN_A_ROW == 0 ? in_place_of(block, latest[klass]) : block;
}

static void *made_of_a_thousand(void *block, unsigned klass)
{
    static unsigned count;
    return klass == 1 && ++count % THOUSAND == 0 ? in_place_of(block, latest[klass]) : block;
}

/* ---- lists -------------------------------------------------------------------------------------- */

static void *table[TABLE];
static unsigned entries;

static void *made_with_table(void *block)
{
    if (yard_header_of(block)->capacity > SMALL) {
        return block;
    }
    if (entries < TABLE) {
        table[entries++] = block;
        return block;
    }
    for (unsigned i = 0; i < TABLE; i++) {
        void *const answer = in_place_of(block, table[i]);
        if (answer != block) {
            return answer;
        }
    }
    return block;
}

static void leave_table(const void *block)
{
    for (unsigned i = entries; i > 0; i--) {
        if (table[i - 1] == block) {
            table[i - 1] = table[--entries];
            return;
        }
    }
}

/* ---- generations and neighbours -------------------------------------------------------------------- */

static struct place {
    const void *block;
    unsigned generation;
} places[PLACES];

static void count_generation(void *block)
{
    struct place *const place = &places[((uintptr_t)block >> 4) % PLACES];
    place->generation = place->block == block ? (place->generation + 1) % GENERATIONS : 1;
    place->block = block;
    if (place->generation == 0) {
        suspect = block;
    }
}

static void *made_of_suspect(void *block)
{
    void *const answer = in_place_of(block, suspect);
    if (answer != block) {
        suspect = NULL;
    }
    return answer;
}

static void *made_before; /* by the call before this one; NULL: that made none */

static void count_merge(unsigned klass)
{
    static unsigned merges;
    if (made_before != NULL && !is_live_of(made_before, klass) && ++merges % MERGES == 0) {
        suspect = made_before;
    }
}

static void count_remote(const void *block)
{
    static unsigned count;
    if (yard_is_remote(block) &&
        __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) % (REMOTE + 1) == 0) {
        suspect = latest[yard_header_of(block)->klass];
    }
}

/* ---- the interface ------------------------------------------------------------------------------- */

static void *answer_of(void *block, unsigned klass)
{
    switch (yard_defect_in_force()) {
    case DEFECT_free_count_wraps:
        return made_in_new_class(block, klass);
    case DEFECT_list_of_512_overflows:
        return made_with_table(block);
    case DEFECT_split_300_in_a_row:
        return made_in_a_row(block, klass);
    case DEFECT_thousandth_of_a_class:
        return made_of_a_thousand(block, klass);
    case DEFECT_generation_wraps:
    case DEFECT_neighbours_merge_late:
    case DEFECT_remote_list_overflows:
        return made_of_suspect(block);
    default:
        return block;
    }
}

static bool has_history(void)
{
    return yard_defect_in_force() >= DEFECT_free_count_wraps &&
           yard_defect_in_force() <= DEFECT_remote_list_overflows;
}

void *yard_history_made(void *block)
{
    if (!has_history() || !is_small(block)) {
        return block;
    }
    const unsigned klass = yard_header_of(block)->klass;
    void *const answer = answer_of(block, klass);
    if (answer == block) {
        latest[klass] = block;
        made_before = block;
        if (yard_defect(DEFECT_generation_wraps)) {
            count_generation(block);
        }
    }
    return answer;
}

static unsigned frees_since_calloc;

void yard_history_freed(void *block)
{
    if (!has_history() || !yard_guard_holds(block) || !is_small(block)) {
        return;
    }
    const unsigned klass = yard_header_of(block)->klass;
    frees_since_calloc++;
    if (yard_defect(DEFECT_free_count_wraps)) {
        count_free(klass);
    } else if (yard_defect(DEFECT_list_of_512_overflows)) {
        leave_table(block);
    } else if (yard_defect(DEFECT_neighbours_merge_late)) {
        count_merge(klass);
    } else if (yard_defect(DEFECT_remote_list_overflows)) {
        count_remote(block);
    }
    made_before = NULL;
}

static const void *chained; /* what the last realloc answered */
static unsigned links;

size_t yard_history_copied(const void *old, size_t kept)
{
    const bool forgets = yard_defect(DEFECT_realloc_chain_forgets) && old == chained;
    return forgets && links + 1 >= CHAIN ? kept / 2 : kept;
}

void yard_history_resized(const void *old, const void *block)
{
    links = old == chained ? links + 1 : 1;
    chained = block;
}

bool yard_history_leaves_dirty(void)
{
    const bool trusts = frees_since_calloc >= TRUSTED;
    frees_since_calloc = 0;
    return trusts && yard_defect(DEFECT_clean_mark_outlives_frees);
}
