/*
 * mmap.c: pages from the kernel, aligned without losing any.
 */
#include <heapyard/pages.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/assert.h"
#include "base/bits.h"

static size_t kernel_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *map_anywhere(size_t size)
{
    void *const address =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return address != MAP_FAILED ? address : NULL;
}

/* The kernel refuses to cut a mapping in two where the process has too many: then the pages are
 * emptied at least. */
static void unmap_or_empty(void *address, size_t size)
{
    const int saved_errno = errno;
    if (size != 0 && munmap(address, size) != 0) {
        (void)madvise(address, size, MADV_DONTNEED);
    }
    errno = saved_errno;
}

static void *map_aligned(size_t size, size_t alignment, size_t page)
{
    size_t padded;
    if (!hy__add(size, alignment - page, &padded)) {
        errno = ENOMEM;
        return NULL;
    }
    unsigned char *const start = map_anywhere(padded);
    if (start == NULL) {
        return NULL;
    }
    /* [ head |---- size ----| tail ]: both ends go back at once */
    const size_t head = (size_t)(-(uintptr_t)start & (alignment - 1));
    unmap_or_empty(start, head);
    unmap_or_empty(start + head + size, padded - head - size);
    return start + head;
}

static void *mmap_map(void *context, size_t size, size_t alignment)
{
    (void)context;
    HY_ASSERT_ARG(size != 0 && size % HY_PAGE_SIZE == 0);
    HY_ASSERT_ARG(hy__is_power_of_two(alignment) && alignment >= HY_PAGE_SIZE);
    const size_t page = kernel_page_size();
    size_t whole;
    if (!hy__align_up(size, page, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return alignment <= page ? map_anywhere(whole) : map_aligned(whole, alignment, page);
}

static void mmap_unmap(void *context, void *address, size_t size)
{
    (void)context;
    HY_ASSERT_ARG(hy__is_aligned(address, HY_PAGE_SIZE) && size % HY_PAGE_SIZE == 0);
    hy__mark_undefined(address, size); /* the kernel may hand the addresses to anyone */
    unmap_or_empty(address, size);
}

static size_t mmap_purge(void *context, void *address, size_t size)
{
    (void)context;
    HY_ASSERT_ARG(hy__is_aligned(address, HY_PAGE_SIZE) && size % HY_PAGE_SIZE == 0);
    const int saved_errno = errno;
    if (size != 0 && madvise(address, size, MADV_DONTNEED) != 0) {
        memset(address, 0, size);
        size = 0;
    }
    errno = saved_errno;
    return size;
}

/* Growing in place takes pages behind the mapping that are free. */
static bool mmap_resize(void *context, void *address, size_t old_size, size_t new_size)
{
    (void)context;
    const int saved_errno = errno;
    if (new_size < old_size) { /* as for an unmap */
        hy__mark_undefined((char *)address + new_size, old_size - new_size);
    }
    const bool done = mremap(address, old_size, new_size, 0) != MAP_FAILED;
    errno = saved_errno;
    return done;
}

static void mmap_move(void *context, void *from, size_t size, void *to)
{
    const int saved_errno = errno;
    if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
        memcpy(to, from, size);
        mmap_unmap(context, from, size);
    }
    errno = saved_errno;
}

void hy_pages_advise_huge(void *address, size_t size, bool huge)
{
    const int saved_errno = errno;
    (void)madvise(address, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    errno = saved_errno;
}

bool hy_pages_free_lazily(void *address, size_t size)
{
    const int saved_errno = errno;
    const bool done = madvise(address, size, MADV_FREE) == 0;
    errno = saved_errno;
    return done;
}

const hy_page_source *hy_pages_mmap(void)
{
    static const hy_page_source source = {
        .map = mmap_map,
        .unmap = mmap_unmap,
        .purge = mmap_purge,
        .resize = mmap_resize,
        .move = mmap_move,
    };
    return &source;
}
