#include "targets/region_spans.h"

#include <heapyard/pages.h>

#include "base/bits.h"

#define SPAN_SIZE ((size_t)64 << 20)

static void *map(size_t size)
{
    const hy_page_source *const source = hy_pages_mmap();
    return source->map(source->context, size, HY_PAGE_SIZE);
}

static void unmap(void *address, size_t size)
{
    const hy_page_source *const source = hy_pages_mmap();
    source->unmap(source->context, address, size);
}

hy_spans *hy__spans_open(const hy_region_options *options)
{
    hy_spans *const spans = map(SPAN_SIZE);
    if (spans == NULL) {
        return NULL;
    }
    spans->first = (hy_span){.next = NULL, .size = SPAN_SIZE};
    spans->region = hy_region_create(spans + 1, SPAN_SIZE - sizeof *spans, options);
    return spans;
}

void hy__spans_close(void *handle)
{
    hy_spans *const spans = handle;
    hy_region_destroy(spans->region);
    for (hy_span *span = spans->first.next; span != NULL;) {
        hy_span *const next = span->next;
        unmap(span, span->size);
        span = next;
    }
    unmap(spans, spans->first.size);
}

/* The block, its alignment, and what headers and the map of the fast engine (1/65) take. */
static size_t span_size(size_t alignment, size_t size)
{
    const size_t need = size + alignment + size / 32 + alignment / 32 + 16 * HY_PAGE_SIZE;
    return need <= SPAN_SIZE ? SPAN_SIZE : hy__align_down(need + HY_PAGE_SIZE - 1, HY_PAGE_SIZE);
}

bool hy__spans_grow(hy_spans *spans, size_t alignment, size_t size)
{
    if (size > HY_SPANS_MAX_SIZE || alignment > HY_SPANS_MAX_SIZE) {
        return false;
    }
    const size_t whole = span_size(alignment, size);
    hy_span *const span = map(whole);
    if (span == NULL) {
        return false;
    }
    *span = (hy_span){.next = spans->first.next, .size = whole};
    if (hy_region_chain(spans->region, span + 1, whole - sizeof *span) != HY_REGION_OK) {
        unmap(span, whole);
        return false;
    }
    spans->first.next = span;
    return true;
}

const char *hy__spans_check(void *handle)
{
    const hy_check_result result = hy_region_check(hy__spans_region(handle));
    return result.code == HY_REGION_SOUND ? NULL : hy_region_check_text(result.code);
}
