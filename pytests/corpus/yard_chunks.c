/*
 * yard_chunks.c: see yard_chunks.h.
 */
#include "yard_chunks.h"

#include <string.h>
#include <sys/mman.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_statistics.h"

enum {
    SPAN = 0xfff0,    /* the class of free blocks in a row, off their lists */
    DROPPED = 0x8000, /* a bit of the class of one such block, until it is part of a span */
    SPARSE = 64,      /* one live block in so many: purge */
    RUN_MOST = 16,    /* blocks that the defect merge_stops_at_16 joins */
};

typedef struct books {
    struct books *next;
    struct books *previous;
    uintptr_t used;  /* the end of its last block; 0 while blocks are cut in it */
    uint32_t blocks; /* that were cut */
    uint32_t live;
    uint32_t merges;  /* of free neighbours; counted for the defects of merging only */
    uint32_t waiting; /* 1: among those that `ready` counts */
    uint32_t purged;
} books;

_Static_assert(sizeof(books) <= YARD_CHUNK_BOOKS, "books fit in front of the blocks");

static books *chunks;
static books *current;
static unsigned chunk_count;
static unsigned ready; /* chunks that are empty or sparse, and have not been given back */

bool yard_has_books(void)
{
    const enum yard_defect defect = yard_defect_in_force();
    return defect == YARD_SOUND || (defect >= YARD_RELEASE_FIRST && defect <= YARD_RELEASE_LAST);
}

static books *books_of(const void *block)
{
    return (books *)((uintptr_t)block & ~(YARD_CHUNK - 1));
}

/* ---- mapping ------------------------------------------------------------------------------ */

void *yard_chunk_map(void)
{
    char *const start =
        mmap(NULL, 2 * YARD_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return start;
    }
    const size_t before = -(uintptr_t)start & (YARD_CHUNK - 1);
    if (before != 0) {
        (void)munmap(start, before);
    }
    (void)munmap(start + before + YARD_CHUNK, YARD_CHUNK - before);
    yard_count_mapped(YARD_CHUNK);
    return start + before;
}

static void unmap(books *chunk)
{
    books **const from = chunk->previous != NULL ? &chunk->previous->next : &chunks;
    *from = chunk->next;
    if (chunk->next != NULL) {
        chunk->next->previous = chunk->previous;
    }
    chunk_count--;
    yard_count_unmapped(YARD_CHUNK);
    if (yard_defect(DEFECT_chunks_lazily_free)) {
        (void)madvise(chunk, YARD_CHUNK, MADV_FREE);
    } else if (yard_defect(DEFECT_chunks_keep_addresses)) {
        (void)madvise(chunk, YARD_CHUNK, MADV_DONTNEED);
    } else {
        (void)munmap(chunk, YARD_CHUNK);
    }
}

/* ---- merging: only its defects count how free neighbours find each other -------------------- */

static bool counts_merges(void)
{
    switch (yard_defect_in_force()) {
    case DEFECT_merge_not_with_previous:
    case DEFECT_merge_not_with_next:
    case DEFECT_merge_one_side_only:
    case DEFECT_merge_never:
    case DEFECT_merge_stops_at_16:
        return true;
    default:
        return false;
    }
}

/* Blocks of one size lie in a chunk then, so neighbours are one stride away. */
static bool is_free(const books *chunk, uintptr_t block)
{
    const uintptr_t first = (uintptr_t)chunk + YARD_CHUNK_BOOKS + YARD_GRANULE;
    return block >= first && block < (chunk->used != 0 ? chunk->used : first) &&
           (yard_header_of((void *)block)->klass & DROPPED) != 0;
}

static uint32_t merges_of(const books *chunk, const void *block)
{
    const size_t stride = yard_class_size(yard_header_of(block)->klass) + YARD_GRANULE;
    const uint32_t previous = is_free(chunk, (uintptr_t)block - stride);
    const uint32_t next = is_free(chunk, (uintptr_t)block + stride);
    switch (yard_defect_in_force()) {
    case DEFECT_merge_not_with_previous:
        return next;
    case DEFECT_merge_not_with_next:
        return previous;
    case DEFECT_merge_one_side_only:
        return previous | next;
    case DEFECT_merge_stops_at_16:
        return chunk->merges % RUN_MOST == RUN_MOST - 1 ? 0 : previous + next;
    default:
        return 0;
    }
}

/* A free block says so in its class while merges are counted; it is not used again then. */
bool yard_chunk_merges(void *block)
{
    if (yard_defect(DEFECT_survivors_strand)) {
        return books_of(block)->used != 0;
    }
    if (!counts_merges()) {
        return false;
    }
    books *const chunk = books_of(block);
    chunk->merges += merges_of(chunk, block);
    yard_header_of(block)->klass |= DROPPED;
    return true;
}

static bool is_whole(const books *chunk)
{
    return chunk->live == 0 && (!counts_merges() || chunk->merges + 1 >= chunk->blocks);
}

/* ---- what can go ---------------------------------------------------------------------------- */

static bool is_sparse(const books *chunk)
{
    return chunk->used != 0 && chunk->live <= chunk->blocks / SPARSE && !counts_merges();
}

static bool goes_with_its_chunk(void *block)
{
    if (books_of(block)->waiting == 0) {
        return false;
    }
    yard_header_of(block)->klass |= DROPPED;
    return true;
}

/* [free][free][free]  =>  [span ..........], its whole pages given back */
static void purge_run(uintptr_t start, uintptr_t end)
{
    yard_header *const span = (yard_header *)start;
    *span = (yard_header){.capacity = end - start - YARD_GRANULE, .klass = SPAN};
    uintptr_t first = (start + YARD_GRANULE + YARD_PAGE - 1) & ~(YARD_PAGE - 1);
    uintptr_t last = end & ~(YARD_PAGE - 1);
    if (yard_defect(DEFECT_purge_rounds_outward)) {
        last = (end + YARD_PAGE - 1) & ~(YARD_PAGE - 1);
    }
    if (first < last) {
        (void)madvise((void *)first, last - first, MADV_DONTNEED);
    }
}

static bool end_run(uintptr_t run, uintptr_t end, bool is_new)
{
    if (run != 0 && is_new) {
        purge_run(run, end);
    }
    return run != 0 && is_new && end - run >= 2 * YARD_PAGE;
}

static bool is_span_or_dropped(const yard_header *header)
{
    return header->klass == SPAN || (header->klass & DROPPED) != 0;
}

static size_t length_of(const yard_header *header)
{
    const size_t size = header->klass == SPAN ? header->capacity
                                              : yard_class_size(header->klass & ~(unsigned)DROPPED);
    return size + YARD_GRANULE;
}

/* Whether a page went that had not gone before. */
static bool purge(books *chunk)
{
    bool any = false;
    bool is_new = false;
    uintptr_t run = 0;
    uintptr_t at = (uintptr_t)chunk + YARD_CHUNK_BOOKS;
    while (at < chunk->used) {
        const yard_header *const header = (yard_header *)at;
        const uintptr_t next = at + length_of(header);
        if (is_span_or_dropped(header)) {
            run = run != 0 ? run : at;
            is_new = is_new || header->klass != SPAN;
        } else {
            any = end_run(run, at, is_new) || any;
            run = 0;
            is_new = false;
        }
        at = next;
    }
    chunk->purged = 1;
    return end_run(run, at, is_new) || any;
}

static bool give_back_one(books *chunk)
{
    chunk->waiting = 0;
    if (!is_whole(chunk)) {
        return purge(chunk);
    }
    unmap(chunk);
    return true;
}

/* One search of the lists for all chunks that wait. Whether anything went. */
static bool give_back(void)
{
    bool any = false;
    if (ready == 0) {
        return false;
    }
    yard_drop_free_blocks(goes_with_its_chunk);
    for (books *chunk = chunks; chunk != NULL;) {
        books *const next = chunk->next;
        any = (chunk->waiting != 0 && give_back_one(chunk)) || any;
        chunk = next;
    }
    ready = 0;
    return any;
}

static bool waits_for_trim(void)
{
    return yard_defect(DEFECT_trim_top_only) || yard_defect(DEFECT_trim_answers_0) ||
           yard_defect(DEFECT_small_never_released) || yard_defect(DEFECT_whole_needs_new_memory) ||
           yard_defect(DEFECT_release_waits_for_malloc) ||
           yard_defect(DEFECT_classes_keep_memory) || yard_defect(DEFECT_large_finds_no_room) ||
           yard_defect(DEFECT_survivors_strand);
}

static bool keeps_pinned(void)
{
    return yard_defect(DEFECT_survivor_pins_chunk) || yard_defect(DEFECT_trim_skips_pinned);
}

static void note_ready(books *chunk)
{
    const bool goes =
        is_whole(chunk) || (chunk->purged == 0 && is_sparse(chunk) && !keeps_pinned());
    if (chunk->waiting == 0 && chunk->used != 0 && goes) {
        chunk->waiting = 1;
        ready++;
    }
}

/* ---- the interface -------------------------------------------------------------------------- */

void yard_chunk_change(uintptr_t end, uintptr_t chunk)
{
    if (current != NULL) {
        current->used = end;
        note_ready(current);
    }
    current = (books *)chunk;
    *current = (books){.next = chunks};
    if (chunks != NULL) {
        chunks->previous = current;
    }
    chunks = current;
    chunk_count++;
}

void yard_chunk_cut(const void *block)
{
    books_of(block)->blocks++;
    books_of(block)->live++;
}

void yard_chunk_taken(const void *block)
{
    books_of(block)->live++;
}

void yard_chunks_late(void)
{
    if (yard_defect(DEFECT_release_waits_for_malloc)) {
        (void)give_back();
    }
}

void yard_chunk_given(void *block)
{
    books *const chunk = books_of(block);
    chunk->live--;
    if (yard_defect(DEFECT_small_blocks_keep_memory) &&
        yard_header_of(block)->capacity < YARD_PAGE) {
        return;
    }
    note_ready(chunk);
    if (!waits_for_trim() && ready > chunk_count / 8) {
        (void)give_back();
    }
}

/* Those with a free page between live blocks, too. */
bool yard_chunks_trim(void)
{
    if (yard_defect(DEFECT_small_never_released)) {
        return false;
    }
    for (books *chunk = chunks; chunk != NULL; chunk = chunk->next) {
        const bool is_asked = !keeps_pinned() || chunk->live == 0;
        if (chunk->waiting == 0 && chunk->used != 0 && !counts_merges() && is_asked) {
            chunk->waiting = 1;
            ready++;
        }
        if (yard_defect(DEFECT_trim_top_only) && chunk->waiting != 0 && chunk != chunks->next) {
            chunk->waiting = 0;
            ready--;
        }
    }
    return give_back();
}
