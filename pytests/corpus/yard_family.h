/*
 * yard_family.h: what the entry points of the corpus allocator share.
 */
#ifndef HEAPYARD_CORPUS_YARD_FAMILY_H
#define HEAPYARD_CORPUS_YARD_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

#include "yard_defects.h"

#define YARD_API __attribute__((visibility("default")))

/*
 * Every entry point begins here. Answers false where the heap is not set up and this call can't do
 * that (a defect; always true for the sound build).
 */
bool yard_enter(bool is_malloc);

/* A block for one of the entry points, or NULL; alignment is a power of two. */
void *yard_obtain(size_t size, size_t alignment, bool *zero);

/* A count times a size; false where it does not fit. Defects lose bits of it. */
bool yard_product(size_t count, size_t size, size_t *bytes);

/*
 * The end of a request that failed: answers NULL with errno set to `error`, or set back to `saved`
 * where the defect `silent` is in force.
 */
void *yard_fail(int error, int saved, enum yard_defect silent);

/* A block of 16 bytes, aligned to a page, that is never freed. For defects. */
void *yard_shared_block(void);

/* Notes the block that realloc answered last, NULL once another was made or it was freed. */
void yard_set_resized(void *block);

/* Whether malloc_trim was called. */
bool yard_was_trimmed(void);

YARD_API void *malloc(size_t size);
YARD_API void *calloc(size_t count, size_t size);
YARD_API void *realloc(void *old, size_t size);
YARD_API void *reallocarray(void *old, size_t count, size_t size);
YARD_API void free(void *block);
YARD_API void free_sized(void *block, size_t size);
YARD_API void free_aligned_sized(void *block, size_t alignment, size_t size);
YARD_API void *aligned_alloc(size_t alignment, size_t size);
YARD_API int posix_memalign(void **result, size_t alignment, size_t size);
YARD_API void *memalign(size_t alignment, size_t size);
YARD_API void *valloc(size_t size);
YARD_API void *pvalloc(size_t size);
YARD_API size_t malloc_usable_size(void *block);
YARD_API int malloc_trim(size_t pad);

#endif /* HEAPYARD_CORPUS_YARD_FAMILY_H */
