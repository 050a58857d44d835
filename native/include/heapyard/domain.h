/*
 * domain.h: raw, mem and obj: who memory is for, and which allocator serves it.
 *
 *     hy_raw_malloc ---> [ table of raw ] ---> libc's malloc
 *     hy_mem_malloc ---> [ table of mem ] ---> debug hooks ---> a heap
 *     hy_obj_malloc ---> [ table of obj ] ---> yours       ---> a heap
 *
 * A program asks a domain; a table of functions, which can be replaced while it runs, answers. So
 * what serves a domain (libc, a heap, an allocator of a test, debug hooks on top of any of these:
 * <heapyard/debug.h>) is nobody's business but the one's who sets it.
 *
 * The ancestor is CPython's PyMem_SetAllocator (PEP 445, Victor Stinner): the same three domains
 * and the same semantics. There, a reader takes a table's function and its context one after the
 * other while they may be replaced; here a table is replaced as one.
 *
 * What every domain promises, as long as its table keeps to hy_allocator's terms:
 *   - 0 bytes: a distinct block, never NULL
 *   - more than PTRDIFF_MAX bytes, or a product beyond it: NULL; the table is not asked
 *   - realloc(NULL, n) is malloc(n); realloc(block, 0) is a block for no bytes and not a free
 *   - free(NULL) does nothing
 *   - out of memory: NULL; realloc's block is then as it was. errno is not part of the promise
 *   - blocks are aligned to 16
 *
 * A block goes back through the domain that it came from. It goes to the table in force at that
 * time, not to the one that served it: replace a table when no block of the old one is live, or by
 * one that passes on to the old one (as hooks do).
 *
 * Threads: raw may be called by any thread at any time. mem and obj need a lock of the caller's, one
 * for both or one for each. Tables may be got and set by any thread at any time.
 */
#ifndef HEAPYARD_DOMAIN_H
#define HEAPYARD_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

/* Every domain: X(enumerator, name, prefix of its functions: hy_raw_malloc, ...). */
#define HY_DOMAINS(X)                                                                              \
    X(RAW, "raw", raw)                                                                             \
    X(MEM, "mem", mem)                                                                             \
    X(OBJ, "obj", obj)

typedef enum hy_domain {
#define HY_DOMAIN_ENUM(name, text, prefix) HY_DOMAIN_##name,
    HY_DOMAINS(HY_DOMAIN_ENUM)
#undef HY_DOMAIN_ENUM
        HY_DOMAIN_COUNT
} hy_domain;

/*
 * An allocator: a context and four functions that get it first, none of them NULL.
 *
 * Sizes are at most PTRDIFF_MAX, and so is calloc's product. The functions give blocks aligned to
 * 16, or NULL for out of memory; for 0 bytes a distinct block. A domain never passes NULL for a
 * block. For raw they must be thread-safe.
 */
typedef struct hy_allocator {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
} hy_allocator;

/* ---- asking a domain ------------------------------------------------------------------------ */

/* The contracts are above. calloc's bytes read as zero, all others' contents are unspecified. The
 * cost is that of the table, a load and an indirect call. */

HY_API HY_NODISCARD void *hy_raw_malloc(size_t size);
HY_API HY_NODISCARD void *hy_raw_calloc(size_t count, size_t size);
HY_API HY_NODISCARD void *hy_raw_realloc(void *block, size_t size);
HY_API void hy_raw_free(void *block);

HY_API HY_NODISCARD void *hy_mem_malloc(size_t size);
HY_API HY_NODISCARD void *hy_mem_calloc(size_t count, size_t size);
HY_API HY_NODISCARD void *hy_mem_realloc(void *block, size_t size);
HY_API void hy_mem_free(void *block);

HY_API HY_NODISCARD void *hy_obj_malloc(size_t size);
HY_API HY_NODISCARD void *hy_obj_calloc(size_t count, size_t size);
HY_API HY_NODISCARD void *hy_obj_realloc(void *block, size_t size);
HY_API void hy_obj_free(void *block);

/* ---- which allocator serves it -------------------------------------------------------------- */

/* "raw", "mem", "obj"; "unknown" for any other value. */
HY_API const char *hy_domain_name(hy_domain domain);

/* Copy the table in force to `allocator`. For an unknown domain all its members become NULL, as in
 * CPython: a program can ask for a domain that this version may not have. */
HY_API void hy_domain_get_allocator(hy_domain domain, hy_allocator *allocator);

/*
 * Let a copy of `allocator` serve the domain. A call that runs at the same time sees the old table
 * or the new one, whole, and never waits; it may still be inside the old one when this returns.
 * That is why copies are kept for good: 64 bytes for each table that differs from all before, none
 * for one that was in force before. Put what the context points to where it stays.
 *
 * Returns false, with nothing changed, if and only if the domain is unknown (as in CPython, that is
 * not misuse), there is no memory for the copy, or a function is NULL (misuse: bad argument). O(1).
 */
HY_API bool hy_domain_set_allocator(hy_domain domain, const hy_allocator *allocator);

/*
 * ---- how it starts ----
 *
 * The first call of any function of this header, or of <heapyard/debug.h>, reads the environment:
 *
 *     HEAPYARD_MALLOC    raw       mem, obj    debug hooks
 *     default, or unset  malloc    heaps       no
 *     debug              malloc    heaps       yes
 *     heap               a heap    heaps       no
 *     heap_debug         a heap    heaps       yes
 *     malloc             malloc    malloc      no
 *     malloc_debug       malloc    malloc      yes
 *
 *     HEAPYARD_MALLOC_LEAKS   1: report leaks when the process exits (needs debug hooks)
 *
 * An empty value counts as unset. Any other value ends the process with exit code 2 and one line on
 * standard error that names the allowed ones: as CPython does, for a check that was asked for and
 * does not happen is worse than none. Programs that run with raised privileges read neither.
 *
 * Each domain has a heap (<heapyard/heap.h>) of its own; raw's is behind a mutex, which fork takes
 * into account. A misuse handler that returns must not call raw while raw is on a heap.
 */

/* ---- counting ------------------------------------------------------------------------------- */

/*
 * The counters of a domain: X(type, name, meaning). Calls are counted as they enter the domain,
 * held bytes where libc or a heap serves it, live bytes in the debug hooks: each goes on under any
 * stack of hooks, each block counts once.
 */
#define HY_DOMAIN_COUNTERS(X)                                                                      \
    X(uint32_t, size, "sizeof(hy_domain_counters)")                                                \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, allocs, "total: blocks handed out")                                                \
    X(uint64_t, frees, "total: calls of free, without those of NULL or refused by hooks")          \
    X(uint64_t, reallocs, "total: blocks resized")                                                 \
    X(uint64_t, failures, "total: requests refused")                                               \
    X(uint64_t, live_blocks, "allocs less frees")                                                  \
    X(uint64_t, held_bytes, "in blocks of libc or of the heap: rounding, hooks, quarantine too")   \
    X(uint64_t, peak_held_bytes, "the most that was held")                                         \
    X(uint64_t, live_bytes, "as asked for, in live blocks; with debug hooks only")                 \
    X(uint64_t, peak_live_bytes, "the most that was live; with debug hooks only")                  \
    X(uint64_t, quarantined_blocks, "freed, and kept by the debug hooks")                          \
    X(uint64_t, quarantined_bytes, "their bytes, guards included")

typedef struct hy_domain_counters {
#define HY_DOMAIN_COUNTER_FIELD(type, name, meaning) type name;
    HY_DOMAIN_COUNTERS(HY_DOMAIN_COUNTER_FIELD)
#undef HY_DOMAIN_COUNTER_FIELD
} hy_domain_counters;

/* Fill in `counters`. Returns false, with all but `size` and `version` zero, if and only if the
 * domain is unknown or the library was built without counters. While other threads use raw, each
 * value is right for itself. O(stacked hooks). */
HY_API bool hy_domain_get_counters(hy_domain domain, hy_domain_counters *counters);

HY_END_DECLS

#endif /* HEAPYARD_DOMAIN_H */
