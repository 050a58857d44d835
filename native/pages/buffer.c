/*
 * buffer.c: pages out of a caller's buffer.
 *
 * Free runs form one list in address order; a run's header lies in its own first bytes. Two free
 * runs never touch: an unmap merges with its neighbours.
 *
 *     map, aligned inside a run:   [ ---------- run ---------- ]
 *                              =>  [ before ][ given ][ after  ]
 */
#include <heapyard/pages.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/annotate.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/misuse.h"

typedef struct run {
    struct run *next;
    size_t size;
} run;

static_assert(sizeof(run) <= HY_PAGE_SIZE, "a free page holds its run's header");

static unsigned char *run_end(const run *r)
{
    return (unsigned char *)r + r->size;
}

/* Make a free run of `size` bytes at `place` and link it; `size` 0 makes none. */
static run **put_run(run **link, unsigned char *place, size_t size)
{
    if (size == 0) {
        return link;
    }
    run *const made = (run *)(void *)place;
    made->next = *link;
    made->size = size;
    *link = made;
    return &made->next;
}

/* Bytes to skip in `r` before `size` bytes at `alignment` fit; SIZE_MAX where they don't. */
static size_t gap_before_fit(const run *r, size_t size, size_t alignment)
{
    const size_t gap = (size_t)(-(uintptr_t)r & (alignment - 1));
    return gap <= r->size && size <= r->size - gap ? gap : SIZE_MAX;
}

static unsigned char *take_from_run(run **link, size_t gap, size_t size)
{
    run *const whole = *link;
    const size_t after = whole->size - gap - size;
    unsigned char *const start = (unsigned char *)whole;
    *link = whole->next;
    run **const next = put_run(link, start, gap);
    put_run(next, start + gap + size, after);
    return start + gap;
}

static void *buffer_map(void *context, size_t size, size_t alignment)
{
    hy_pages_buffer *const buffer = context;
    HY_ASSERT_ARG(size != 0 && size % HY_PAGE_SIZE == 0);
    HY_ASSERT_ARG(hy__is_power_of_two(alignment) && alignment >= HY_PAGE_SIZE);
    for (run **link = (run **)&buffer->free_runs; *link != NULL; link = &(*link)->next) {
        const size_t gap = gap_before_fit(*link, size, alignment);
        if (gap == SIZE_MAX) {
            continue;
        }
        unsigned char *const pages = take_from_run(link, gap, size);
        memset(pages, 0, size);
        buffer->used += size;
        buffer->peak = buffer->used > buffer->peak ? buffer->used : buffer->peak;
        HY_ASSERT_ALL(hy_pages_buffer_check(buffer).code == HY_PAGES_BUFFER_SOUND);
        return pages;
    }
    buffer->failures++;
    errno = ENOMEM;
    return NULL;
}

/* Names what is wrong with an unmap of these pages; false where something is. */
static bool is_inside(const hy_pages_buffer *buffer, const unsigned char *place, size_t size)
{
    const size_t offset = (size_t)((uintptr_t)place - (uintptr_t)buffer->first);
    if (offset >= buffer->capacity) {
        hy__misuse(HY_MISUSE_FOREIGN_POINTER, "pages", place, "(outside the buffer)");
        return false;
    }
    if (!hy__is_aligned(place, HY_PAGE_SIZE)) {
        hy__misuse(HY_MISUSE_MISALIGNED_POINTER, "pages", place, NULL);
        return false;
    }
    if (size == 0 || size % HY_PAGE_SIZE != 0 || size > buffer->capacity - offset) {
        hy__misuse(HY_MISUSE_WRONG_SIZE, "pages", place, NULL);
        return false;
    }
    return true;
}

/* The link where a run at `place` belongs; *before is the run below it, or NULL. */
static run **find_link(hy_pages_buffer *buffer, const unsigned char *place, run **before)
{
    run **link = (run **)&buffer->free_runs;
    *before = NULL;
    while (*link != NULL && (const unsigned char *)*link <= place) {
        *before = *link;
        link = &(*link)->next;
    }
    return link;
}

static void merge_with_next(run *r)
{
    /* [ r ][ next ]  =>  [ ---- r ---- ] */
    if (r->next != NULL && run_end(r) == (unsigned char *)r->next) {
        r->size += r->next->size;
        r->next = r->next->next;
    }
}

static void buffer_unmap(void *context, void *address, size_t size)
{
    hy_pages_buffer *const buffer = context;
    unsigned char *const place = address;
    if (!is_inside(buffer, place, size)) {
        return;
    }
    run *before;
    run **const link = find_link(buffer, place, &before);
    if ((before != NULL && run_end(before) > place) ||
        (*link != NULL && place + size > (unsigned char *)*link)) {
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "pages", place, NULL);
        return;
    }
    hy__mark_undefined(place, size);
    put_run(link, place, size);
    merge_with_next(*link);
    if (before != NULL) {
        merge_with_next(before);
    }
    buffer->used -= size;
    HY_ASSERT_ALL(hy_pages_buffer_check(buffer).code == HY_PAGES_BUFFER_SOUND);
}

const hy_page_source *hy_pages_buffer_init(hy_pages_buffer *buffer, void *memory, size_t size)
{
    const size_t skip = (size_t)(-(uintptr_t)memory & (HY_PAGE_SIZE - 1));
    if (size < skip || size - skip < HY_PAGE_SIZE) {
        return NULL;
    }
    *buffer = (hy_pages_buffer){
        .source = {.context = buffer, .map = buffer_map, .unmap = buffer_unmap, .purge = NULL},
        .first = (unsigned char *)memory + skip,
        .capacity = hy__align_down(size - skip, HY_PAGE_SIZE),
    };
    put_run((run **)&buffer->free_runs, buffer->first, buffer->capacity);
    return &buffer->source;
}

static hy_pages_buffer_check_code check_run(const hy_pages_buffer *buffer, const run *r,
                                            const unsigned char *low)
{
    const size_t offset = (size_t)((uintptr_t)r - (uintptr_t)buffer->first);
    if (offset >= buffer->capacity || offset % HY_PAGE_SIZE != 0) {
        return HY_PAGES_BUFFER_RUN_BOUNDS;
    }
    if ((const unsigned char *)r < low) {
        return HY_PAGES_BUFFER_RUN_ORDER;
    }
    if (r->size == 0 || r->size % HY_PAGE_SIZE != 0) {
        return HY_PAGES_BUFFER_RUN_SIZE;
    }
    return r->size <= buffer->capacity - offset ? HY_PAGES_BUFFER_SOUND
                                                : HY_PAGES_BUFFER_RUN_BOUNDS;
}

hy_check_result hy_pages_buffer_check(const hy_pages_buffer *buffer)
{
    const unsigned char *low = buffer->first; /* the lowest place where the next run may start */
    size_t free_bytes = 0;
    for (const run *r = buffer->free_runs; r != NULL; r = r->next) {
        const hy_pages_buffer_check_code code = check_run(buffer, r, low);
        if (code != HY_PAGES_BUFFER_SOUND) {
            return (hy_check_result){.code = code, .address = r};
        }
        free_bytes += r->size;
        low = run_end(r) + HY_PAGE_SIZE; /* at least one used page lies between two free runs */
    }
    if (free_bytes + buffer->used != buffer->capacity) {
        return (hy_check_result){.code = HY_PAGES_BUFFER_TOTAL, .address = buffer->first};
    }
    return (hy_check_result){.code = HY_PAGES_BUFFER_SOUND, .address = NULL};
}

const char *hy_pages_buffer_check_text(uint32_t code)
{
    static const char *const texts[] = {
#define HY_PAGES_BUFFER_TEXT(name, text) [HY_PAGES_BUFFER_##name] = (text),
        HY_PAGES_BUFFER_CHECKS(HY_PAGES_BUFFER_TEXT)
#undef HY_PAGES_BUFFER_TEXT
    };
    return code < sizeof texts / sizeof texts[0] ? texts[code] : "unknown";
}
