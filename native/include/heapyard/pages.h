/*
 * pages.h: page sources, where every allocator of this library gets its memory.
 *
 * A page source is a table of functions and a context. `map` gives whole pages at an
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

#include <heapyard/block.h>
#include <heapyard/export.h>

HY_BEGIN_DECLS

/* The unit of every page source, in bytes. The kernel's page is the same on the platforms served
 * (x86-64 always; AArch64 with 4 KiB pages); sources round up to the kernel's where it is larger.
 */
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
 * resize: makes a mapping longer or shorter at its end, without moving it. New pages read as zero.
 * Returns false, with no effect, where it can't. May be NULL: the source never can.
 *
 * move: the contents of a mapping, at `from`, are those of another, at `to`, from now on: one as
 * long or longer, and just mapped. `from` is given back. Never fails. May be NULL: copy instead.
 *
 * All are called with `context` first, and may be called from any thread that uses the
 * allocator; a source shared by allocators of several threads must be thread-safe.
 */
typedef struct hy_page_source {
    void *context;
    void *(*map)(void *context, size_t size, size_t alignment);
    void (*unmap)(void *context, void *address, size_t size);
    size_t (*purge)(void *context, void *address, size_t size);
    bool (*resize)(void *context, void *address, size_t old_size, size_t new_size);
    void (*move)(void *context, void *from, size_t size, void *to);
} hy_page_source;

/*
 * ---- The kernel ----
 *
 * The shared source of anonymous private mappings; never NULL. Thread-safe. An alignment above the
 * kernel's page is reached by mapping more and giving the two ends back at once, so that exactly
 * `size` bytes stay mapped:
 *
 *     [ head |------- size -------| tail ]   =>          |------- size -------|
 *            ^ multiple of alignment
 *
 * At most three system calls for a map, one for an unmap or a purge. unmap also takes any whole
 * pages inside one mapping. purge returns `size`, or 0 where the kernel refuses (locked pages:
 * these are then cleared by hand). resize and move are mremap: no page is copied. errno is ENOMEM
 * after a failed map, and unchanged otherwise.
 */
HY_API const hy_page_source *hy_pages_mmap(void);

/* Ask the kernel to back these pages of hy_pages_mmap with huge pages where it can, or not to from now
 * on: pages purged out of a huge one then stay so, where the kernel would fill them up again. */
HY_API void hy_pages_advise_huge(void *address, size_t size, bool huge);

/* Let the kernel take these pages of hy_pages_mmap when memory is short, and not before: what they hold is
 * lost then, and they read as zero. A page that is written is kept again. False: it can't. */
HY_API bool hy_pages_free_lazily(void *address, size_t size);

/*
 * ---- A caller's buffer ----
 *
 * Pages out of memory that the caller owns: no system calls, bounded, any alignment. Free runs are
 * kept in address order, their links in their own first bytes; a map takes the first run that can
 * hold it (O(free runs)), an unmap merges with both neighbours:
 *
 *     buffer   |..|------ whole pages ------|...|
 *                  [used][ free ][used][free]      used pages bear nothing of ours
 *
 * Pages are cleared when they are handed out. It can't purge. unmap takes any whole pages inside
 * one mapping. Not thread-safe. The memory must outlive the source and stay untouched but
 * through it; there is nothing to close.
 */
typedef struct hy_pages_buffer {
    hy_page_source source; /* pass its address to an allocator */
    unsigned char *first;  /* the first whole page */
    size_t capacity;       /* bytes in whole pages */
    size_t used;           /* bytes mapped now */
    size_t peak;           /* the most that `used` has been */
    uint64_t failures;     /* map requests that found no room */
    void *free_runs;       /* internal: the lowest free run */
} hy_pages_buffer;

/*
 * Prepare `buffer` over `size` bytes at `memory` (any alignment: what lies before the first and
 * after the last whole page is not used). Returns &buffer->source, or NULL if and only if not one
 * whole page fits. O(1).
 */
HY_API const hy_page_source *hy_pages_buffer_init(hy_pages_buffer *buffer, void *memory,
                                                  size_t size);

/* What hy_pages_buffer_check finds: X(enumerator, text). */
#define HY_PAGES_BUFFER_CHECKS(X)                                                                  \
    X(SOUND, "sound")                                                                              \
    X(RUN_BOUNDS, "a free run lies outside the buffer")                                            \
    X(RUN_SIZE, "a free run is not made of whole pages")                                           \
    X(RUN_ORDER, "free runs overlap, touch or are out of order")                                   \
    X(TOTAL, "free and used pages do not add up to the buffer")

typedef enum hy_pages_buffer_check_code {
#define HY_PAGES_BUFFER_ENUM(name, text) HY_PAGES_BUFFER_##name,
    HY_PAGES_BUFFER_CHECKS(HY_PAGES_BUFFER_ENUM)
#undef HY_PAGES_BUFFER_ENUM
} hy_pages_buffer_check_code;

/* The first broken invariant (a hy_pages_buffer_check_code) and the free run where it shows.
 * O(free runs). */
HY_API hy_check_result hy_pages_buffer_check(const hy_pages_buffer *buffer);

/* The text of a code; "unknown" for any other value. */
HY_API const char *hy_pages_buffer_check_text(uint32_t code);

/*
 * ---- A source that fails on purpose ----
 *
 * Passes everything on to `inner`, counts it, and refuses the map requests that it is told to: the
 * test hook for running out of memory. Not thread-safe. The counts are for reading.
 */
typedef struct hy_pages_faulty {
    hy_page_source source; /* pass its address to an allocator */
    const hy_page_source *inner;
    uint64_t fail_first; /* internal: the first request (counted in `requests`) to refuse; 0 none */
    uint64_t fail_last;  /* internal: the last one */
    uint64_t requests;   /* map calls, those refused included */
    uint64_t maps;       /* map calls that gave pages */
    uint64_t unmaps;
    uint64_t purges;
    uint64_t resizes;      /* resize and move calls that were done */
    uint64_t refused;      /* map calls refused on purpose */
    size_t mapped_bytes;   /* mapped now */
    size_t peak_bytes;     /* the most that `mapped_bytes` has been */
    size_t total_bytes;    /* all that was ever mapped */
    size_t unmapped_bytes; /* all that was ever unmapped */
    size_t purged_bytes;   /* what the inner source said that its purges gave back */
} hy_pages_faulty;

/* Prepare `faulty` around `inner` (NULL: hy_pages_mmap()), failing nothing. Returns
 * &faulty->source. It purges, resizes and moves if and only if `inner` does. */
HY_API const hy_page_source *hy_pages_faulty_init(hy_pages_faulty *faulty,
                                                  const hy_page_source *inner);

/* Refuse the k-th map request from now on (1: the next), and only that. 0: refuse none. */
HY_API void hy_pages_faulty_fail_at(hy_pages_faulty *faulty, uint64_t k);

/* Refuse the k-th map request from now on (1: the next) and all after it. 0: refuse none. */
HY_API void hy_pages_faulty_fail_from(hy_pages_faulty *faulty, uint64_t k);

HY_END_DECLS

#endif /* HEAPYARD_PAGES_H */
