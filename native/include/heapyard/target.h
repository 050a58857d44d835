/*
 * target.h: how an allocator offers itself to the trial.
 *
 * A shared library may export one constant with the name `heapyard_target`:
 *
 *     HEAPYARD_EXPORT_TARGET = {
 *         HEAPYARD_TARGET_HEADER, .name = "arena", .min_alignment = 16, .max_size = PTRDIFF_MAX,
 *         .open = arena_open, .close = arena_close, .malloc = arena_malloc, .free = arena_free,
 *     };
 *
 * That serves allocators with a handle (an arena, a region, a heap). A library that replaces malloc
 * needs no table: its entry points are looked up by name.
 *
 *     open() -> handle ---> malloc(handle, n) ... free(handle, p) ---> close(handle)
 *
 * Entry points that the allocator does not have are NULL: rules that need one are then skipped, and
 * say so. Each has the contract of the C or POSIX function of its name. This header needs nothing
 * of heapyard but itself, so that it can be copied into another project.
 */
#ifndef HEAPYARD_TARGET_H
#define HEAPYARD_TARGET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEAPYARD_TARGET_VERSION 1u

/* Flags. */
#define HEAPYARD_TARGET_SETS_ERRNO     ((uint64_t)1)  /* a failing call sets errno to ENOMEM, ... */
#define HEAPYARD_TARGET_BULK_FREE_ONLY ((uint64_t)2)  /* no single free; close() frees all */
#define HEAPYARD_TARGET_THREAD_SAFE    ((uint64_t)4)  /* one handle may serve several threads */
#define HEAPYARD_TARGET_KEEPS_MEMORY   ((uint64_t)64) /* gives the system nothing before close() */

/*
 * Flags of an allocator that promises to tell misuse: the process ends, with a message on standard
 * error that names it. The rules of misuse then bind it; without them they only look.
 *
 *  TELLS_BAD_FREE    free and realloc of what is no live block: freed already (while its memory was
 *                    not handed out again), never the allocator's, inside a block, misaligned
 *  TELLS_BAD_WRITE   bytes written beside a block, or into a freed one: by the block's free, or at
 *                    the latest when `check` is asked
 *  TELLS_WRONG_SIZE  a sized free with a size of another class: by the free, or at the latest when
 *                    `trim` or `check` is asked
 */
#define HEAPYARD_TARGET_TELLS_BAD_FREE   ((uint64_t)8)
#define HEAPYARD_TARGET_TELLS_BAD_WRITE  ((uint64_t)16)
#define HEAPYARD_TARGET_TELLS_WRONG_SIZE ((uint64_t)32)

/* Every flag: X(enumerator after HEAPYARD_TARGET_, name in JSON). */
#define HEAPYARD_TARGET_FLAGS(X)                                                                   \
    X(SETS_ERRNO, "errno")                                                                         \
    X(BULK_FREE_ONLY, "bulk_free_only")                                                            \
    X(THREAD_SAFE, "threads")                                                                      \
    X(KEEPS_MEMORY, "keeps_memory")                                                                \
    X(TELLS_BAD_FREE, "tells_bad_free")                                                            \
    X(TELLS_BAD_WRITE, "tells_bad_write")                                                          \
    X(TELLS_WRONG_SIZE, "tells_wrong_size")

/* Every entry point, in the order of the struct. */
#define HEAPYARD_TARGET_FUNCTIONS(X)                                                               \
    X(malloc)                                                                                      \
    X(calloc)                                                                                      \
    X(realloc)                                                                                     \
    X(reallocarray)                                                                                \
    X(free)                                                                                        \
    X(free_sized)                                                                                  \
    X(free_aligned_sized)                                                                          \
    X(aligned_alloc)                                                                               \
    X(posix_memalign)                                                                              \
    X(memalign)                                                                                    \
    X(valloc)                                                                                      \
    X(pvalloc)                                                                                     \
    X(usable_size)                                                                                 \
    X(trim)                                                                                        \
    X(check)

struct heapyard_target {
    uint32_t size;        /* sizeof(struct heapyard_target) as the library was compiled */
    uint32_t version;     /* HEAPYARD_TARGET_VERSION */
    const char *name;     /* shown in reports; must not be NULL */
    uint64_t flags;       /* HEAPYARD_TARGET_...; unknown bits are refused */
    size_t min_alignment; /* of every block, a power of two; 0: 16 */
    size_t max_size;      /* the largest size that can ever be served; 0: PTRDIFF_MAX. No rule
                           * expects success where all live blocks would take more than half */

    /* A fresh instance of the allocator, or NULL if it can't be made. Both NULL: there are no
     * instances, and every call gets a NULL handle. */
    void *(*open)(void);
    void (*close)(void *handle); /* frees everything, live blocks included */

    void *(*malloc)(void *handle, size_t size);
    void *(*calloc)(void *handle, size_t count, size_t size);
    void *(*realloc)(void *handle, void *block, size_t size);
    void *(*reallocarray)(void *handle, void *block, size_t count, size_t size);
    void (*free)(void *handle, void *block);
    void (*free_sized)(void *handle, void *block, size_t size);
    void (*free_aligned_sized)(void *handle, void *block, size_t alignment, size_t size);
    void *(*aligned_alloc)(void *handle, size_t alignment, size_t size);
    int (*posix_memalign)(void *handle, void **block, size_t alignment, size_t size);
    void *(*memalign)(void *handle, size_t alignment, size_t size);
    void *(*valloc)(void *handle, size_t size);
    void *(*pvalloc)(void *handle, size_t size);
    size_t (*usable_size)(void *handle, void *block); /* 0 for NULL */
    int (*trim)(void *handle, size_t pad);            /* as malloc_trim */
    const char *(*check)(
        void *handle); /* walks all its structures; NULL: sound, else what is not */
};

/* The first two fields of every table. */
#define HEAPYARD_TARGET_HEADER                                                                     \
    .size = (uint32_t)sizeof(struct heapyard_target), .version = HEAPYARD_TARGET_VERSION

/* Defines the exported table, also where a library is compiled with hidden visibility. */
#define HEAPYARD_EXPORT_TARGET                                                                     \
    extern __attribute__((visibility("default"))) const struct heapyard_target heapyard_target;    \
    const struct heapyard_target heapyard_target

#ifdef __cplusplus
}
#endif

#endif /* HEAPYARD_TARGET_H */
