/*
 * bump.h (internal): the data of a bump arena, shared by the files of this folder.
 *
 * The arena's own struct lies in its first block of pages, behind that block's header:
 *
 *     [hy__bump_block|hy__bump|start ... next ... end]   the oldest block
 *     [hy__bump_block|start ..................... end]   every other one
 *
 * Blocks in use form a chain from the newest (`current`) to the oldest; those kept for reuse form
 * another, `spare`. Marks, cleanups and the records of large blocks lie among the caller's blocks,
 * so that a rewind drops them with the memory; each kind forms a list, newest first.
 *
 * What lies where a caller's overflow can reach it bears a seal: a checksum over its own address
 * and its links, verified before a link is followed or a function called.
 */
#ifndef HEAPYARD_BUMP_INTERNAL_H
#define HEAPYARD_BUMP_INTERNAL_H

#include <assert.h>
#include <heapyard/bump.h>

#include "base/annotate.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/count.h"
#include "base/misuse.h"

/* The arena's mappings, blocks of pages and large blocks alike, as a walk sorts them. */
typedef struct hy__bump_span {
    struct hy__bump_span *sorted; /* valid during a walk only */
    char *address;
    size_t size; /* bytes mapped */
    bool big;
    bool spare;
} hy__bump_span;

/* The header of a block of pages. */
typedef struct hy__bump_block {
    _Alignas(16) hy__bump_span span;
    struct hy__bump_block *previous; /* the next older one; in the spare list: the next */
    char *start;                     /* where the first request goes */
    char *top;                       /* the end of what was handed out; not kept for `current` */
    char *dirty;                     /* from here on the pages still read as zero */
    uintptr_t seal;
} hy__bump_block;

/* The record of a large block. A block that is gone has the address NULL: marks point at records,
 * so these are never unlinked but by a rewind. */
typedef struct hy__bump_big {
    hy__bump_span span;
    struct hy__bump_big *previous;
    size_t requested;
    uintptr_t seal;
} hy__bump_big;

typedef struct hy__bump_cleanup {
    struct hy__bump_cleanup *previous;
    hy_bump_cleanup_fn *function;
    void *argument;
    uintptr_t seal;
} hy__bump_cleanup;

/* A mark, with the heads of the lists at the time when it was set. */
typedef struct hy__bump_mark_record {
    struct hy__bump_mark_record *previous;
    hy__bump_block *block;
    hy__bump_big *bigs;
    hy__bump_cleanup *cleanups;
    uint64_t serial;
    uintptr_t seal;
} hy__bump_mark_record;

typedef struct hy__bump {
    hy_bump window; /* first: a hy_bump * is a hy__bump * */
    char *end;      /* of the current block; window.limit where nothing watches */
    hy__bump_block *current;
    hy__bump_block *oldest;
    hy__bump_block *spare;
    hy__bump_big *bigs;
    hy__bump_cleanup *cleanups;
    hy__bump_mark_record *marks;
    const hy_page_source *source;
    size_t block_size; /* of the next block of pages */
    size_t max_block_size;
    size_t redzone;   /* bytes behind each block that nobody may touch; 0 or 16 */
    uintptr_t lowest; /* all pages ever mapped lie in [lowest, highest) */
    uintptr_t highest;
    uint64_t serial; /* of the newest mark */
    bool cleaning;   /* a cleanup is running */
#if HEAPYARD_COUNTERS
    uint64_t reallocs;
    uint64_t in_place;
    uint64_t rewinds;
    uint64_t resets;
    uint64_t mapped_bytes;
    uint64_t peak_mapped_bytes;
#endif
} hy__bump;

static_assert(sizeof(hy__bump_block) % 16 == 0, "blocks start 16-aligned");
static_assert(offsetof(hy__bump, window) == 0, "a hy_bump * is a hy__bump *");
static_assert(sizeof(hy__bump_block) + sizeof(hy__bump) < HY_PAGE_SIZE / 2,
              "the smallest first block has room");

static inline hy__bump *hy__bump_of(hy_bump *bump)
{
    return (hy__bump *)(void *)bump;
}

static inline const hy__bump *hy__bump_of_const(const hy_bump *bump)
{
    return (const hy__bump *)(const void *)bump;
}

/* The bytes that a request takes, rounding and redzone included. `size` is at most PTRDIFF_MAX. */
static inline size_t hy__bump_need(const hy__bump *bump, size_t size)
{
    const size_t least = size != 0 ? size : 1;
    return hy__round_up(least, HY_BUMP_ALIGNMENT) + bump->redzone;
}

/* Where the next block goes. The inline path's window is left empty where a tool watches. */
static inline void hy__bump_set_next(hy__bump *bump, char *next)
{
    bump->window.next = next;
    bump->window.limit = bump->redzone == 0 ? bump->end : next;
}

static inline char *hy__bump_block_end(const hy__bump_block *block)
{
    return block->span.address + block->span.size;
}

/* The part of a large block's pages that is in use, as an address range of at least 16 bytes. */
static inline size_t hy__bump_big_used(const hy__bump_big *big)
{
    return hy__round_up(big->requested != 0 ? big->requested : 1, HY_BUMP_ALIGNMENT);
}

/* block.c: blocks of pages */
uintptr_t hy__bump_block_seal(const hy__bump_block *block);
bool hy__bump_block_is_sealed(const hy__bump_block *block);
hy__bump_block *hy__bump_block_map(hy__bump *bump, const hy_page_source *source, size_t size);
bool hy__bump_block_push(hy__bump *bump, size_t span);
void hy__bump_block_settle(hy__bump *bump);
bool hy__bump_pop_to(hy__bump *bump, hy__bump_block *block);
void hy__bump_enter(hy__bump *bump, hy__bump_block *block, char *next);
void hy__bump_note_mapped(hy__bump *bump, const void *address, size_t size);
void hy__bump_note_unmapped(hy__bump *bump, size_t size);

/* request.c: requests; no counting */
void *hy__bump_take(hy__bump *bump, size_t size, size_t alignment);
void *hy__bump_take_record(hy__bump *bump, size_t size);

/* big.c: blocks with pages of their own */
void *hy__bump_big_new(hy__bump *bump, size_t size, size_t alignment);
hy__bump_big *hy__bump_big_find(const hy__bump *bump, const void *address);
void *hy__bump_big_realloc(hy__bump *bump, hy__bump_big *big, size_t new_size, bool *in_place);
bool hy__bump_big_is_sealed(const hy__bump_big *big);
bool hy__bump_big_release_to(hy__bump *bump, const hy__bump_big *last);

/* mark.c: marks and cleanups */
bool hy__bump_cleanup_is_sealed(const hy__bump_cleanup *cleanup);
bool hy__bump_mark_is_sealed(const hy__bump_mark_record *mark);
bool hy__bump_clean_to(hy__bump *bump, const hy__bump_cleanup *last);

/* A seal mixes words so that no single overwritten one leaves it right. */
static inline uintptr_t hy__bump_seal(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    const uintptr_t odd = (uintptr_t)0x9e3779b97f4a7c15U;
    return ((((((a * odd) ^ b) * odd) ^ c) * odd) ^ d) * odd;
}

#endif /* HEAPYARD_BUMP_INTERNAL_H */
