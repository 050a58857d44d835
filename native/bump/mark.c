/*
 * mark.c: marks, rewind, reset, trim, and cleanups.
 */
#include "bump/internal.h"

static uintptr_t cleanup_seal(const hy__bump_cleanup *cleanup)
{
    return hy__bump_seal((uintptr_t)cleanup, (uintptr_t)cleanup->previous,
                         (uintptr_t)cleanup->function, (uintptr_t)cleanup->argument);
}

bool hy__bump_cleanup_is_sealed(const hy__bump_cleanup *cleanup)
{
    return cleanup->seal == cleanup_seal(cleanup);
}

static uintptr_t mark_seal(const hy__bump_mark_record *mark)
{
    const uintptr_t lists = hy__bump_seal((uintptr_t)mark->bigs, (uintptr_t)mark->cleanups, 0, 0);
    return hy__bump_seal((uintptr_t)mark, (uintptr_t)mark->previous, (uintptr_t)mark->block,
                         (uintptr_t)mark->serial ^ lists);
}

bool hy__bump_mark_is_sealed(const hy__bump_mark_record *mark)
{
    return mark->seal == mark_seal(mark);
}

bool hy_bump_add_cleanup(hy_bump *handle, hy_bump_cleanup_fn *function, void *argument)
{
    hy__bump *const bump = hy__bump_of(handle);
    hy__bump_cleanup *const cleanup = hy__bump_take_record(bump, sizeof *cleanup);
    if (cleanup == NULL) {
        return false;
    }
    *cleanup =
        (hy__bump_cleanup){.previous = bump->cleanups, .function = function, .argument = argument};
    cleanup->seal = cleanup_seal(cleanup);
    bump->cleanups = cleanup;
    return true;
}

static bool refuse_inside_cleanup(const hy__bump *bump)
{
    if (bump->cleaning) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "bump", bump, "(inside a cleanup)");
    }
    return bump->cleaning;
}

/* Run the cleanups newer than `last`, newest first; one is unlinked before it runs. False where it
 * was called from within a cleanup, or a record is damaged: then that was reported. */
bool hy__bump_clean_to(hy__bump *bump, const hy__bump_cleanup *last)
{
    if (refuse_inside_cleanup(bump)) {
        return false;
    }
    while (bump->cleanups != last) {
        const hy__bump_cleanup *const cleanup = bump->cleanups;
        if (!hy__bump_cleanup_is_sealed(cleanup)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", cleanup, NULL);
            return false;
        }
        bump->cleanups = cleanup->previous;
        bump->cleaning = true;
        cleanup->function(cleanup->argument);
        bump->cleaning = false;
    }
    return true;
}

hy_bump_mark hy_bump_set_mark(hy_bump *handle)
{
    hy__bump *const bump = hy__bump_of(handle);
    hy__bump_mark_record *const mark = hy__bump_take_record(bump, sizeof *mark);
    if (mark == NULL) {
        return (hy_bump_mark){.record = NULL, .serial = 0};
    }
    *mark = (hy__bump_mark_record){
        .previous = bump->marks,
        .block = bump->current,
        .bigs = bump->bigs,
        .cleanups = bump->cleanups,
        .serial = ++bump->serial,
    };
    mark->seal = mark_seal(mark);
    bump->marks = mark;
    return (hy_bump_mark){.record = mark, .serial = mark->serial};
}

/* The record of a mark that is still set, or NULL; each mark passed over is one that goes. */
static hy__bump_mark_record *find_mark(const hy__bump *bump, hy_bump_mark mark)
{
    for (hy__bump_mark_record *set = bump->marks; set != NULL; set = set->previous) {
        if (!hy__bump_mark_is_sealed(set)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", set, NULL);
            return NULL;
        }
        if (set == mark.record && set->serial == mark.serial) {
            return set;
        }
    }
    hy__misuse(HY_MISUSE_BAD_ARGUMENT, "bump", mark.record, "(not a mark that is set)");
    return NULL;
}

bool hy_bump_rewind(hy_bump *handle, hy_bump_mark mark)
{
    hy__bump *const bump = hy__bump_of(handle);
    if (refuse_inside_cleanup(bump)) {
        return false;
    }
    hy__bump_mark_record *const set = find_mark(bump, mark);
    if (set == NULL || !hy__bump_clean_to(bump, set->cleanups) ||
        !hy__bump_big_release_to(bump, set->bigs) || !hy__bump_pop_to(bump, set->block)) {
        return false;
    }
    hy__bump_block_settle(bump);
    bump->marks = set;
    hy__bump_enter(bump, set->block, (char *)set + hy__bump_need(bump, sizeof *set));
    HY_COUNT(bump->rewinds++);
    HY_ASSERT_ALL(hy_bump_check(handle).code == HY_BUMP_CHECK_SOUND);
    return true;
}

bool hy_bump_reset(hy_bump *handle)
{
    hy__bump *const bump = hy__bump_of(handle);
    if (!hy__bump_clean_to(bump, NULL) || !hy__bump_big_release_to(bump, NULL) ||
        !hy__bump_pop_to(bump, bump->oldest)) {
        return false;
    }
    bump->marks = NULL;
    hy__bump_enter(bump, bump->oldest, bump->oldest->start);
    HY_COUNT(bump->resets++);
    HY_ASSERT_ALL(hy_bump_check(handle).code == HY_BUMP_CHECK_SOUND);
    return true;
}

/* Purge [next, dirty) of the current block, as far as that is whole pages. */
static size_t purge_unused(hy__bump *bump)
{
    const hy_page_source *const source = bump->source;
    hy__bump_block_settle(bump);
    size_t first;
    size_t last;
    if (source->purge == NULL ||
        !hy__align_up((uintptr_t)bump->window.next, HY_PAGE_SIZE, &first) ||
        !hy__align_up((uintptr_t)bump->current->dirty, HY_PAGE_SIZE, &last) || first >= last) {
        return 0;
    }
    char *const pages = bump->window.next + (first - (uintptr_t)bump->window.next);
    const size_t purged = source->purge(source->context, pages, last - first);
    bump->current->dirty = pages;
    return purged;
}

size_t hy_bump_trim(hy_bump *handle)
{
    hy__bump *const bump = hy__bump_of(handle);
    size_t bytes = 0;
    while (bump->spare != NULL) {
        hy__bump_block *const block = bump->spare;
        if (!hy__bump_block_is_sealed(block)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", block, NULL);
            return bytes;
        }
        const size_t size = block->span.size;
        bump->spare = block->previous;
        bump->source->unmap(bump->source->context, block, size);
        hy__bump_note_unmapped(bump, size);
        bytes += size;
    }
    return bytes + purge_unused(bump);
}
