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

/* Count a request for memory; whether it is to be refused. */
static bool refuses_request(hy_pages_faulty *faulty)
{
    faulty->requests++;
    if (!must_refuse(faulty)) {
        return false;
    }
    faulty->refused++;
    errno = ENOMEM;
    return true;
}

static void note_mapped(hy_pages_faulty *faulty, size_t size)
{
    faulty->total_bytes += size;
    faulty->mapped_bytes += size;
    if (faulty->mapped_bytes > faulty->peak_bytes) {
        faulty->peak_bytes = faulty->mapped_bytes;
    }
}

static void note_unmapped(hy_pages_faulty *faulty, size_t size)
{
    faulty->unmapped_bytes += size;
    faulty->mapped_bytes -= size;
}

static void *faulty_map(void *context, size_t size, size_t alignment)
{
    hy_pages_faulty *const faulty = context;
    if (refuses_request(faulty)) {
        return NULL;
    }
    void *const pages = faulty->inner->map(faulty->inner->context, size, alignment);
    if (pages == NULL) {
        return NULL;
    }
    faulty->maps++;
    note_mapped(faulty, size);
    return pages;
}

static void faulty_unmap(void *context, void *address, size_t size)
{
    hy_pages_faulty *const faulty = context;
    faulty->unmaps++;
    note_unmapped(faulty, size);
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

/* Growing is a request like a map. */
static bool faulty_resize(void *context, void *address, size_t old_size, size_t new_size)
{
    hy_pages_faulty *const faulty = context;
    if ((new_size > old_size && refuses_request(faulty)) ||
        !faulty->inner->resize(faulty->inner->context, address, old_size, new_size)) {
        return false;
    }
    faulty->resizes++;
    if (new_size > old_size) {
        note_mapped(faulty, new_size - old_size);
    } else {
        note_unmapped(faulty, old_size - new_size);
    }
    return true;
}

static void faulty_move(void *context, void *from, size_t size, void *to)
{
    hy_pages_faulty *const faulty = context;
    faulty->resizes++;
    note_unmapped(faulty, size);
    faulty->inner->move(faulty->inner->context, from, size, to);
}

const hy_page_source *hy_pages_faulty_init(hy_pages_faulty *faulty, const hy_page_source *inner)
{
    const hy_page_source *const real = inner != NULL ? inner : hy_pages_mmap();
    *faulty = (hy_pages_faulty){
        .source = {.context = faulty,
                   .map = faulty_map,
                   .unmap = faulty_unmap,
                   .purge = real->purge != NULL ? faulty_purge : NULL,
                   .resize = real->resize != NULL ? faulty_resize : NULL,
                   .move = real->move != NULL ? faulty_move : NULL},
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
