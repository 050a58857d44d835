/*
 * pages.h: page sources, where every allocator of this library gets its memory.
 *
 * A page source is a table of three functions and a context. `map` gives whole pages at an
 * address with the alignment asked for; `unmap` takes back exactly what one `map` gave (or, where
 * the source says so, a part of it); `purge` tells that the contents are no longer needed while
 * the addresses stay in use.
 *
 *     bump, heap, ...  ---- map / unmap / purge ---->  page source  ---- mmap ---->  kernel
 *                                                      (or a caller's buffer, or one that fails)
 */
#ifndef HEAPYARD_PAGES_H
#define HEAPYARD_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

/* The unit of every page source, in bytes. The kernel's page is the same on the platforms served
 * (x86-64 always; AArch64 with 4 KiB pages); sources round up to the kernel's where it is larger. */
#define HY_PAGE_SIZE ((size_t)4096)

/*
 * map: `size` bytes (a multiple of HY_PAGE_SIZE, not 0) at a multiple of `alignment` (a power of
 * two, at least HY_PAGE_SIZE). The pages read as zero. Returns NULL if and only if it can't.
 *
 * unmap: gives back what `map` returned, whole. Never fails.
 *
 * purge: the contents of these whole pages, inside one mapping, are no longer needed. They read
 * as zero afterwards. May be NULL: the source can't purge. Returns the bytes given back.
 *
 * All three are called with `context` first, and may be called from any thread that uses the
 * allocator; a source shared by allocators of several threads must be thread-safe.
 */
typedef struct hy_page_source {
    void *context;
    void *(*map)(void *context, size_t size, size_t alignment);
    void (*unmap)(void *context, void *address, size_t size);
    size_t (*purge)(void *context, void *address, size_t size);
} hy_page_source;

HY_END_DECLS

#endif /* HEAPYARD_PAGES_H */
