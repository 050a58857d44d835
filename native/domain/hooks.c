/*
 * hooks.c: the four functions of a table of hooks.
 *
 *     malloc    ask below -> record (busy) -> frame and fill -> live
 *     free      live -> judged -> busy -> fill -> quarantine -> out of it: verified -> free below
 */
#include "domain/hooks.h"

#include <stdatomic.h>
#include <string.h>

#include "base/annotate.h"
#include "base/bits.h"
#include "domain/frame.h"
#include "domain/judge.h"
#include "domain/stats.h"
#include "domain/store.h"

static _Atomic uint64_t last_serial;

uint64_t hy_debug_serial(void)
{
    return atomic_load_explicit(&last_serial, memory_order_relaxed);
}

static uint64_t next_serial(void)
{
    return atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
}

/* ---- serving -------------------------------------------------------------------------------- */

static void enliven(hy__record *record)
{
    hy__domain_lock();
    hy__records_enliven(record);
    hy__domain_unlock();
}

/* A busy record for what the table below gave. NULL: no memory for it, or misuse, reported: the
 * table below gave what is still in use. */
static hy__record *claim(hy__hooks *hooks, unsigned char *raw, size_t size)
{
    unsigned char *const block = raw + hy__frame_front(hooks->guard);
    hy__finding finding = {.kind = HY_MISUSE_CORRUPTED, .address = block, .through = hooks};
    hy__record *record = NULL;
    hy__domain_lock();
    const hy__record *const there = hy__records_find(block);
    const bool in_use = there != NULL && there->state != HY__RECORD_GONE;
    if (in_use) {
        finding.record = *there;
    } else {
        record = hy__records_new(block, hooks, size);
    }
    if (record != NULL) {
        record->serial = next_serial();
        hy__records_cover(raw);
    }
    hy__domain_unlock();
    if (in_use) {
        hy__report(&finding);
    } else if (record == NULL) {
        hooks->below.free(hooks->below.context, raw);
    }
    return record;
}

static void *ask_below(const hy__hooks *hooks, size_t whole, bool zeroed)
{
    const hy_allocator *const below = &hooks->below;
    return zeroed ? below->calloc(below->context, 1, whole) : below->malloc(below->context, whole);
}

static void *serve(hy__hooks *hooks, size_t size, bool zeroed)
{
    if (!hy__frame_fits(hooks->guard, size)) {
        return NULL;
    }
    void *const raw = ask_below(hooks, hy__frame_whole(hooks->guard, size), zeroed);
    hy__record *const record = raw != NULL ? claim(hooks, raw, size) : NULL;
    if (record == NULL) {
        return NULL;
    }
    void *const block = record->block;
    hy__frame_write(record);
    if (!zeroed) {
        hy__frame_fill(record->block, HY_DEBUG_CLEAN_BYTE, size);
        hy__mark_undefined(block, size);
    }
    enliven(record);
    return block;
}

/* ---- taking back ---------------------------------------------------------------------------- */

/* The block's record, busy; NULL: misuse, reported, and `finding` tells of it. */
static hy__record *take(hy__hooks *hooks, const void *block, hy__finding *finding)
{
    hy__domain_lock();
    hy__record *const record = hy__records_find(block);
    const bool sound = hy__judge(hooks, record, block, finding);
    if (sound) {
        hy__records_take(record);
    }
    hy__domain_unlock();
    if (!sound) {
        hy__report(finding);
        return NULL;
    }
    return record;
}

/* Out of quarantine: the last look at it, then the table below may hand it out again. It is in the
 * history before that, so that whoever gets the address finds no record in use. */
static void release(hy__hooks *hooks, hy__record *record)
{
    hy__damage damage;
    if (record->capacity <= HY_DEBUG_MAX_FILL && hy__frame_find_late_write(record, &damage)) {
        hy__report(&(hy__finding){.kind = damage.kind,
                                  .address = record->block,
                                  .record = *record,
                                  .through = hooks,
                                  .offset = damage.offset});
    }
    void *const raw = hy__frame_raw(record);
    hy__domain_lock();
    hy__records_bury(record);
    hy__domain_unlock();
    hooks->below.free(hooks->below.context, raw);
}

static size_t whole_of(const hy__record *record)
{
    return hy__frame_whole(record->hooks->guard, record->capacity);
}

static hy__record *evict_oldest(hy__hooks *hooks)
{
    hy__record *const oldest = hooks->quarantine.first;
    hy__list_remove(&hooks->quarantine, oldest);
    hooks->quarantined_bytes -= whole_of(oldest);
    oldest->state = HY__RECORD_BUSY;
    return oldest;
}

/* Puts the record in, and pushes out what is too much. Returns these, by `next`. With the lock. */
static hy__record *quarantine(hy__hooks *hooks, hy__record *record)
{
    const size_t whole = whole_of(record);
    if (whole > hooks->quarantine_bytes || record->capacity > HY_DEBUG_MAX_FILL ||
        hooks->quarantine_blocks == 0) {
        return record;
    }
    hy__list_append(&hooks->quarantine, record);
    hooks->quarantined_bytes += whole;
    record->state = HY__RECORD_QUARANTINED;
    hy__record *evicted = NULL;
    hy__record **end = &evicted;
    while (hooks->quarantined_bytes > hooks->quarantine_bytes ||
           hooks->quarantine.count > hooks->quarantine_blocks) {
        *end = evict_oldest(hooks);
        end = &(*end)->next;
    }
    return evicted;
}

static void retire(hy__hooks *hooks, hy__record *record)
{
    hy__frame_fill(record->block, HY_DEBUG_DEAD_BYTE, record->size);
    hy__domain_lock();
    hy__record *evicted = quarantine(hooks, record);
    hy__domain_unlock();
    while (evicted != NULL) {
        hy__record *const next = evicted->next;
        release(hooks, evicted);
        evicted = next;
    }
}

/* ---- resizing ------------------------------------------------------------------------------- */

static void resize_in_place(hy__record *record, size_t size)
{
    const size_t before = record->size;
    record->size = size;
    record->serial = next_serial();
    hy__frame_write(record);
    if (size > before) {
        hy__frame_fill(record->block + before, HY_DEBUG_CLEAN_BYTE, size - before);
        hy__mark_undefined(record->block + before, size - before);
    }
    enliven(record);
}

/* There is no memory to move the block: a shrink stays where it is; else NULL, and nothing changed. */
static void *stay(hy__record *record, size_t size)
{
    void *const block = record->block;
    if (size <= record->capacity) {
        resize_in_place(record, size);
        return block;
    }
    enliven(record);
    return NULL;
}

/* A new block with the contents; the old one is freed. */
static void *move(hy__hooks *hooks, hy__record *record, size_t size)
{
    void *const moved = serve(hooks, size, false);
    if (moved == NULL) {
        return stay(record, size);
    }
    memcpy(moved, record->block, record->size < size ? record->size : size);
    retire(hooks, record);
    return moved;
}

/* The table below has resized the busy block to `raw`. False: misuse, reported: that is in use, and
 * the block is lost. */
static bool follow(hy__hooks *hooks, hy__record *record, unsigned char *raw)
{
    unsigned char *const block = raw + hy__frame_front(hooks->guard);
    hy__finding finding = {.kind = HY_MISUSE_CORRUPTED, .address = block, .through = hooks};
    bool in_use = false;
    hy__domain_lock();
    if (block != record->block) {
        const hy__record *const there = hy__records_find(block);
        in_use = there != NULL && there->state != HY__RECORD_GONE;
        if (in_use) {
            finding.record = *there;
            hy__records_bury(record);
        } else {
            hy__records_move(record, block);
        }
    }
    hy__records_cover(raw);
    hy__domain_unlock();
    if (in_use) {
        hy__report(&finding);
    }
    return !in_use;
}

/* A large block is not moved by copy, so that it is not there twice. What a shrink cuts off is
 * filled while it is still ours. */
static void *resize_below(hy__hooks *hooks, hy__record *record, size_t size)
{
    const hy_allocator *const below = &hooks->below;
    if (!hy__frame_fits(hooks->guard, size)) {
        return stay(record, size);
    }
    if (size < record->size) {
        memset(record->block + size, HY_DEBUG_DEAD_BYTE, record->size - size);
    }
    unsigned char *const raw =
        below->realloc(below->context, hy__frame_raw(record), hy__frame_whole(hooks->guard, size));
    if (raw == NULL) {
        return stay(record, size);
    }
    if (!follow(hooks, record, raw)) {
        return NULL;
    }
    void *const block = record->block;
    record->capacity = size;
    resize_in_place(record, size);
    return block;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void *hooks_malloc(void *context, size_t size)
{
    hy__hooks *const hooks = context;
    return hy__lock_is_held(hooks, "malloc", NULL) ? serve(hooks, size, false) : NULL;
}

static void *hooks_calloc(void *context, size_t count, size_t size)
{
    hy__hooks *const hooks = context;
    size_t product;
    if (!hy__lock_is_held(hooks, "calloc", NULL) || !hy__multiply(count, size, &product)) {
        return NULL;
    }
    return serve(hooks, product, true);
}

static void *hooks_realloc(void *context, void *block, size_t size)
{
    hy__hooks *const hooks = context;
    if (block == NULL) {
        return hooks_malloc(context, size);
    }
    hy__finding finding;
    hy__record *const record =
        hy__lock_is_held(hooks, "realloc", block) ? take(hooks, block, &finding) : NULL;
    if (record == NULL) {
        return NULL;
    }
    if (size <= record->capacity && size >= record->capacity / 2) {
        resize_in_place(record, size);
        return block;
    }
    return record->capacity > HY_DEBUG_MAX_MOVE ? resize_below(hooks, record, size)
                                                : move(hooks, record, size);
}

/* The door has counted a free that had no effect. What hooks above gave back, it has not counted. */
static void uncount_free(const hy__hooks *hooks, const hy__finding *finding)
{
    hy__domain_stats *const stats = &hy__domain_stats_of[hooks->domain];
    if (!finding->record.covered) {
        HY_COUNT(hy__stat_add(stats, &stats->frees, UINT64_MAX)); /* less one */
    }
    (void)stats;
}

static void hooks_free(void *context, void *block)
{
    hy__hooks *const hooks = context;
    hy__finding finding = {.through = hooks};
    hy__record *record = NULL;
    if (block == NULL) {
        return;
    }
    if (hy__lock_is_held(hooks, "free", block)) {
        record = take(hooks, block, &finding);
    }
    if (record == NULL) {
        uncount_free(hooks, &finding);
        return;
    }
    retire(hooks, record);
}

hy_allocator hy__hooks_table(hy__hooks *hooks)
{
    return (hy_allocator){.context = hooks,
                          .malloc = hooks_malloc,
                          .calloc = hooks_calloc,
                          .realloc = hooks_realloc,
                          .free = hooks_free};
}

bool hy__is_hooks(const hy_allocator *table)
{
    return table->malloc == hooks_malloc;
}
