/*
 * faulty.c: a page source that refuses the requests it is told to, and counts the rest.
 */
#include <heapyard/pages.h>

#include <errno.h>

static bool must_refuse(const hy_pages_faulty *faulty)
{
    return faulty->fail_first != 0 && faulty->requests >= faulty->fail_first &&
           faulty->requests <= faulty->fail_last;
}

static void *faulty_map(void *context, size_t size, size_t alignment)
{
    hy_pages_faulty *const faulty = context;
    faulty->requests++;
    if (must_refuse(faulty)) {
        faulty->refused++;
        errno = ENOMEM;
        return NULL;
    }
    void *const pages = faulty->inner->map(faulty->inner->context, size, alignment);
    if (pages == NULL) {
        return NULL;
    }
    faulty->maps++;
    faulty->total_bytes += size;
    faulty->mapped_bytes += size;
    if (faulty->mapped_bytes > faulty->peak_bytes) {
        faulty->peak_bytes = faulty->mapped_bytes;
    }
    return pages;
}

static void faulty_unmap(void *context, void *address, size_t size)
{
    hy_pages_faulty *const faulty = context;
    faulty->unmaps++;
    faulty->unmapped_bytes += size;
    faulty->mapped_bytes -= size;
    faulty->inner->unmap(faulty->inner->context, address, size);
}

static size_t faulty_purge(void *context, void *address, size_t size)
{
    hy_pages_faulty *const faulty = context;
    const size_t given = faulty->inner->purge(faulty->inner->context, address, size);
    faulty->purges++;
    faulty->purged_bytes += given;
    return given;
}

const hy_page_source *hy_pages_faulty_init(hy_pages_faulty *faulty, const hy_page_source *inner)
{
    const hy_page_source *const real = inner != NULL ? inner : hy_pages_mmap();
    *faulty = (hy_pages_faulty){
        .source = {.context = faulty,
                   .map = faulty_map,
                   .unmap = faulty_unmap,
                   .purge = real->purge != NULL ? faulty_purge : NULL},
        .inner = real,
    };
    return &faulty->source;
}

static void refuse(hy_pages_faulty *faulty, uint64_t k, bool all_after)
{
    uint64_t first;
    if (k == 0 || __builtin_add_overflow(faulty->requests, k, &first)) {
        first = 0; /* none, or further away than any program gets */
    }
    faulty->fail_first = first;
    faulty->fail_last = all_after ? UINT64_MAX : first;
}

void hy_pages_faulty_fail_at(hy_pages_faulty *faulty, uint64_t k)
{
    refuse(faulty, k, false);
}

void hy_pages_faulty_fail_from(hy_pages_faulty *faulty, uint64_t k)
{
    refuse(faulty, k, true);
}
