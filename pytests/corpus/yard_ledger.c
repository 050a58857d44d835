#include "yard_ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "yard_defects.h"

#define MOST ((size_t)1 << 22)

/* [ block ][ block ][ NULL ][ block ] ... ; `count` entries were used at some time */
static void **entries;
static size_t count;
static volatile size_t place; /* what a search found last */

static bool is_kept(void)
{
    return yard_defect(DEFECT_malloc_walks_ledger) || yard_defect(DEFECT_free_walks_ledger) ||
           yard_defect(DEFECT_usable_walks_ledger);
}

static bool open_ledger(void)
{
    if (entries == NULL) {
        void *table = mmap(NULL, MOST * sizeof(void *), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        entries = table == MAP_FAILED ? NULL : table;
    }
    return entries != NULL;
}

/* The index of an entry, from the start; `count` where there is none. */
static size_t find(const void *block)
{
    size_t at = 0;
    while (at < count && entries[at] != block) {
        at++;
    }
    return at;
}

void yard_ledger_enter(void *block)
{
    if (block == NULL || !is_kept() || !open_ledger()) {
        return;
    }
    const size_t at = yard_defect(DEFECT_malloc_walks_ledger) ? find(NULL) : count;
    if (at < MOST) {
        entries[at] = block;
        count += at == count;
    }
}

void yard_ledger_leave(const void *block)
{
    if (!is_kept() || entries == NULL) {
        return;
    }
    const size_t at = find(block);
    if (at < count) {
        entries[at] = entries[--count];
    }
}

void yard_ledger_ask(const void *block)
{
    if (yard_defect(DEFECT_usable_walks_ledger)) {
        place = find(block);
    }
}
