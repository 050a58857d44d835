#include "domain/records.h"

#include <heapyard/debug.h>
#include <heapyard/pages.h>

#include "base/count.h"
#include "domain/frame.h"
#include "domain/hooks.h"
#include "domain/stats.h"
#include "domain/store.h"

#define FIRST_BUCKETS ((size_t)1 << 12)

static hy__record **buckets;
static size_t bucket_count; /* a power of two; 0: no table yet */
static size_t record_count;
static hy__record *spare; /* by chain */
static hy__list live;
static hy__list history; /* oldest first */

/* ---- lists ---------------------------------------------------------------------------------- */

static void list_insert_after(hy__list *list, hy__record *place, hy__record *record)
{
    hy__record **const forward = place != NULL ? &place->next : &list->first;
    record->previous = place;
    record->next = *forward;
    hy__record **const backward = record->next != NULL ? &record->next->previous : &list->last;
    *forward = record;
    *backward = record;
    list->count++;
}

void hy__list_append(hy__list *list, hy__record *record)
{
    list_insert_after(list, list->last, record);
}

void hy__list_remove(hy__list *list, hy__record *record)
{
    hy__record **const forward = record->previous != NULL ? &record->previous->next : &list->first;
    hy__record **const backward = record->next != NULL ? &record->next->previous : &list->last;
    *forward = record->next;
    *backward = record->previous;
    record->previous = NULL;
    record->next = NULL;
    list->count--;
}

/* ---- the hash table ------------------------------------------------------------------------- */

static hy__record **bucket_of(const void *block)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)block * UINT64_C(0x9E3779B97F4A7C15);
    return &buckets[(size_t)(mixed >> 32) & (bucket_count - 1)];
}

static void chain_in(hy__record *record)
{
    hy__record **const bucket = bucket_of(record->block);
    record->chain = *bucket;
    *bucket = record;
}

static void chain_out(hy__record *record)
{
    hy__record **place = bucket_of(record->block);
    while (*place != record) {
        place = &(*place)->chain;
    }
    *place = record->chain;
}

/* Twice as many buckets, or the first ones. Old buckets with their chains move over. */
static bool grow(void)
{
    const hy_page_source *const source = hy_pages_mmap();
    hy__record **const old = buckets;
    const size_t old_count = bucket_count;
    const size_t count = old_count != 0 ? 2 * old_count : FIRST_BUCKETS;
    hy__record **const wider = source->map(source->context, count * sizeof(void *), HY_PAGE_SIZE);
    if (wider == NULL) {
        return false;
    }
    buckets = wider;
    bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (hy__record *record = old[i]; record != NULL;) {
            hy__record *const next = record->chain;
            chain_in(record);
            record = next;
        }
    }
    if (old_count != 0) {
        source->unmap(source->context, old, old_count * sizeof(void *));
    }
    return true;
}

hy__record *hy__records_find(const void *block)
{
    hy__record *record = bucket_count != 0 ? *bucket_of(block) : NULL;
    while (record != NULL && record->block != block) {
        record = record->chain;
    }
    return record;
}

static bool encloses(const hy__record *record, const void *address)
{
    const uintptr_t start = (uintptr_t)record->block - hy__frame_front(record->hooks->guard);
    const size_t whole = hy__frame_whole(record->hooks->guard, record->capacity);
    return (record->state == HY__RECORD_LIVE || record->state == HY__RECORD_QUARANTINED) &&
           !record->covered && (uintptr_t)address - start < whole;
}

hy__record *hy__records_enclosing(const void *address)
{
    for (size_t i = 0; i < bucket_count; i++) {
        for (hy__record *record = buckets[i]; record != NULL; record = record->chain) {
            if (encloses(record, address)) {
                return record;
            }
        }
    }
    return NULL;
}

/* ---- records -------------------------------------------------------------------------------- */

static void forget(hy__record *record)
{
    chain_out(record);
    record_count--;
    record->chain = spare;
    spare = record;
}

static hy__record *unused_record(void)
{
    if (record_count >= bucket_count && !grow()) {
        return NULL;
    }
    hy__record *const record = spare;
    if (record == NULL) {
        return hy__domain_keep(sizeof *record);
    }
    spare = record->chain;
    return record;
}

/* An address of the history is about to be in use again. */
static void forget_gone(const void *block)
{
    hy__record *const gone = hy__records_find(block);
    if (gone != NULL) {
        hy__list_remove(&history, gone);
        forget(gone);
    }
}

hy__record *hy__records_new(void *block, hy__hooks *hooks, size_t size)
{
    forget_gone(block);
    hy__record *const record = unused_record();
    if (record != NULL) {
        *record = (hy__record){.block = block, .hooks = hooks, .size = size, .capacity = size};
        chain_in(record);
        record_count++;
    }
    return record;
}

void hy__records_bury(hy__record *record)
{
    record->state = HY__RECORD_GONE;
    hy__list_append(&history, record);
    if (history.count > HY_DEBUG_HISTORY) {
        hy__record *const oldest = history.first;
        hy__list_remove(&history, oldest);
        forget(oldest);
    }
}

void hy__records_move(hy__record *record, void *block)
{
    unsigned char *const old = record->block;
    forget_gone(block);
    chain_out(record);
    record->block = block;
    chain_in(record);
    hy__record *const gone = hy__records_new(old, record->hooks, record->size);
    if (gone != NULL) {
        gone->serial = record->serial;
        hy__records_bury(gone);
    }
}

/* ---- live blocks ---------------------------------------------------------------------------- */

/* Count the block as live, or no more. */
static void count_live(const hy__record *record, bool live_now)
{
    hy__domain_stats *const stats = &hy__domain_stats_of[record->hooks->domain];
    HY_COUNT(stats->live_bytes += live_now ? record->size : (uint64_t)0 - record->size);
    (void)stats;
    (void)live_now;
}

static void note_peak(const hy__record *record)
{
    HY_COUNT(hy__stat_note_peak(&hy__domain_stats_of[record->hooks->domain]));
    (void)record;
}

void hy__records_enliven(hy__record *record)
{
    hy__record *place = live.last;
    while (place != NULL && place->serial > record->serial) {
        place = place->previous;
    }
    list_insert_after(&live, place, record);
    record->state = HY__RECORD_LIVE;
    if (!record->covered) {
        count_live(record, true);
    }
}

/* The peak is noted before the sum falls, and not when it rises: a block that is about to be
 * covered never shows in it. */
void hy__records_take(hy__record *record)
{
    if (!record->covered) {
        note_peak(record);
        count_live(record, false);
    }
    hy__list_remove(&live, record);
    record->state = HY__RECORD_BUSY;
}

void hy__records_cover(const void *raw)
{
    hy__record *const below = hy__records_find(raw);
    if (below != NULL && below->state == HY__RECORD_LIVE && !below->covered) {
        count_live(below, false);
        below->covered = true;
    }
}

hy__record *hy__records_oldest(void)
{
    return live.first;
}

void hy__records_quarantined(hy_domain domain, uint64_t *blocks, uint64_t *bytes)
{
    *blocks = 0;
    *bytes = 0;
    for (const hy__hooks *hooks = hy__hooks_first(); hooks != NULL; hooks = hooks->next) {
        if (hooks->domain == domain) {
            *blocks += hooks->quarantine.count;
            *bytes += hooks->quarantined_bytes;
        }
    }
}
