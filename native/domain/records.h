/*
 * records.h: what the debug hooks know of each block, found by its address alone.
 *
 *                      .--> live, oldest first ---.
 *     malloc --> busy -|                          |--> busy --> quarantine of its hooks --.
 *                 ^    '---------- realloc -------'                                       |
 *                 '-- (its address is handed out again)   history, the last 65,536 <--- busy
 *
 * All states are in one hash table by address. A busy record belongs to the thread that made it
 * so, which may read and write the block without the lock; to all others its block is freed.
 *
 * Stacked hooks: the block of the lower ones that the upper ones got is `covered` by these: it is
 * theirs, and not counted.
 *
 * Everything here is called with the lock of store.h.
 */
#ifndef HEAPYARD_DOMAIN_RECORDS_H
#define HEAPYARD_DOMAIN_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/domain.h>

typedef struct hy__hooks hy__hooks;

typedef enum hy__record_state {
    HY__RECORD_BUSY,
    HY__RECORD_LIVE,
    HY__RECORD_QUARANTINED,
    HY__RECORD_GONE,
} hy__record_state;

typedef struct hy__record {
    unsigned char *block; /* the address that the caller has */
    hy__hooks *hooks;
    size_t size;     /* as asked for */
    size_t capacity; /* the most that it may grow to in place */
    uint64_t serial;
    hy__record_state state;
    bool covered;
    struct hy__record *previous; /* of the list that the state asks for */
    struct hy__record *next;
    struct hy__record *chain; /* of the hash table */
} hy__record;

typedef struct hy__list {
    hy__record *first;
    hy__record *last;
    size_t count;
} hy__list;

void hy__list_append(hy__list *list, hy__record *record);
void hy__list_remove(hy__list *list, hy__record *record);

/* The record of a block with exactly this address; NULL: there is none. O(1). */
hy__record *hy__records_find(const void *block);

/* The live or quarantined block that `address` lies in, guards included. O(records). */
hy__record *hy__records_enclosing(const void *address);

/* A new busy record for an address that has none, or only one of the history, which it replaces.
 * NULL: no memory. */
hy__record *hy__records_new(void *block, hy__hooks *hooks, size_t size);

/* Busy to live, and counted; the live blocks stay in the order of their serial numbers. */
void hy__records_enliven(hy__record *record);

/* Live to busy, and counted off. */
void hy__records_take(hy__record *record);

/* The busy block is at another address now, which is not in use. The old one joins the history, if
 * there is memory for that. */
void hy__records_move(hy__record *record, void *block);

/* Busy to history. */
void hy__records_bury(hy__record *record);

/* The block at `raw`, if it is one of other hooks, is now covered. */
void hy__records_cover(const void *raw);

/* The oldest live record; `next` leads to younger ones. */
hy__record *hy__records_oldest(void);

/* Blocks and bytes in the quarantines of a domain's hooks. */
void hy__records_quarantined(hy_domain domain, uint64_t *blocks, uint64_t *bytes);

#endif /* HEAPYARD_DOMAIN_RECORDS_H */
