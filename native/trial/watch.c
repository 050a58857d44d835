/*
 * watch.c: which pages of blocks, live or freed, are still in RAM: exact where `rss` is a sum.
 *
 *     | page | page | page |
 *        [ ---- block ---- ]   the two pages inside are watched
 */
#include <sys/mman.h>

#include "base/bits.h"
#include "trial/model.h"
#include "trial/verdict.h"

#define PAGES_AT_ONCE ((size_t)4096)

static bool has_ranges(hy_engine *engine)
{
    hy_watched *const watched = &engine->watched;
    if (watched->ranges == NULL) {
        watched->ranges =
            hy__memory_take(engine->memory, HY_WATCHED_RANGES * sizeof watched->ranges[0]);
    }
    return watched->ranges != NULL && watched->count < HY_WATCHED_RANGES;
}

bool hy__run_watch(hy_engine *engine, const hy_plan_op *op)
{
    const hy_slot *const slot = &engine->slots[op->slot];
    const uintptr_t address = (uintptr_t)slot->address;
    uintptr_t start;
    if (address == 0 || !hy__align_up(address, engine->page_size, &start)) {
        return true;
    }
    const uintptr_t end = hy__align_down(address + slot->size, engine->page_size);
    if (start >= end) {
        return true;
    }
    if (!has_ranges(engine)) {
        return hy__refuse_memory(engine, "another range under watch");
    }
    engine->watched.ranges[engine->watched.count++] = (struct hy_range){start, end};
    return true;
}

/* Pages in RAM from `start` on, at most PAGES_AT_ONCE. What is not mapped has none; a run that is
 * mapped in part is asked page by page. */
static size_t pages_in(uintptr_t start, size_t pages, size_t page_size)
{
    unsigned char present[PAGES_AT_ONCE];
    size_t found = 0;
    if (mincore((void *)start, pages * page_size, present) != 0) {
        for (size_t i = 0; pages > 1 && i < pages; i++) {
            found += pages_in(start + i * page_size, 1, page_size);
        }
        return found;
    }
    for (size_t i = 0; i < pages; i++) {
        found += present[i] & 1u;
    }
    return found;
}

uint64_t hy__residue(const hy_engine *engine)
{
    const size_t page = engine->page_size;
    uint64_t pages = 0;
    for (size_t i = 0; i < engine->watched.count; i++) {
        const struct hy_range range = engine->watched.ranges[i];
        for (uintptr_t at = range.start; at < range.end; at += PAGES_AT_ONCE * page) {
            const size_t rest = (range.end - at) / page;
            pages += pages_in(at, rest < PAGES_AT_ONCE ? rest : PAGES_AT_ONCE, page);
        }
    }
    return pages * page;
}
