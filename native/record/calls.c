/*
 * calls.c: libheapyard_record, the functions that a program calls instead of its malloc's.
 *
 * Each calls the real one and notes the call: what allocates after the real call, free before it,
 * realloc on both sides. Between a real call and its note other threads may have theirs, but not
 * about that address: it is this thread's alone until it is noted (allocated) or freed.
 */
#include "record/calls.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "record/real.h"
#include "record/recorder.h"

/* The first word comes last: where it is, the others are. */
static inline void put(_Atomic uint64_t *words, uint64_t first)
{
    atomic_store_explicit(words, first, memory_order_release);
}

static inline void put_argument(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, hy__argument_word(value), memory_order_relaxed);
}

static inline _Atomic uint64_t *note(hy_recording_kind kind, const void *block)
{
    _Atomic uint64_t *const words = hy__recorder_take(1);
    if (words != NULL) {
        put(words, hy__first_word(kind, block));
    }
    return words;
}

static inline void note_size(hy_recording_kind kind, const void *block, size_t size)
{
    _Atomic uint64_t *const words = hy__recorder_take(2);
    if (words != NULL) {
        put_argument(words + 1, size);
        put(words, hy__first_word(kind, block));
    }
}

/* Of calloc: count and size; of the aligned calls: alignment and size. */
static inline void note_pair(hy_recording_kind kind, const void *block, size_t first, size_t second)
{
    _Atomic uint64_t *const words = hy__recorder_take(3);
    if (words != NULL) {
        put_argument(words + 1, first);
        put_argument(words + 2, second);
        put(words, hy__first_word(kind, block));
    }
}

static inline uint64_t distance(const _Atomic uint64_t *start, const _Atomic uint64_t *end)
{
    return start != NULL ? (uint64_t)(end - start) : 0;
}

void *malloc(size_t size)
{
    void *const block = hy__real.malloc(size);
    note_size(HY_WORD_MALLOC, block, size);
    return block;
}

void *calloc(size_t count, size_t size)
{
    void *const block = hy__real.calloc(count, size);
    note_pair(HY_WORD_CALLOC, block, count, size);
    return block;
}

void free(void *block)
{
    (void)note(HY_WORD_FREE, block);
    if (!hy__is_early(block)) {
        hy__real.free(block);
    }
}

/* A block of the pool moves out of it; how long it is, nobody knows. */
static void *move_early(const void *block, size_t size)
{
    void *const moved = hy__real.malloc(size);
    const size_t rest = hy__early_rest(block);
    return moved != NULL ? memcpy(moved, block, size < rest ? size : rest) : NULL;
}

static void *resize(void *block, size_t size)
{
    return block != NULL && hy__is_early(block) ? move_early(block, size)
                                                : hy__real.realloc(block, size);
}

void *realloc(void *block, size_t size)
{
    const _Atomic uint64_t *const start = block != NULL ? note(HY_WORD_REALLOC_START, block) : NULL;
    void *const moved = resize(block, size);
    _Atomic uint64_t *const words = hy__recorder_take(3);
    if (words != NULL) {
        put_argument(words + 1, size);
        put_argument(words + 2, distance(start, words));
        put(words, hy__first_word(HY_WORD_REALLOC, moved));
    }
    return moved;
}

static void note_array(const _Atomic uint64_t *start, const void *moved, size_t count, size_t size)
{
    _Atomic uint64_t *const words = hy__recorder_take(4);
    if (words != NULL) {
        put_argument(words + 1, count);
        put_argument(words + 2, size);
        put_argument(words + 3, distance(start, words));
        put(words, hy__first_word(HY_WORD_REALLOCARRAY, moved));
    }
}

/* Not the real one: libc's calls realloc by its name, and would be noted twice. */
void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!hy__multiply(count, size, &bytes)) {
        note_array(NULL, NULL, count, size);
        errno = ENOMEM;
        return NULL;
    }
    const _Atomic uint64_t *const start = block != NULL ? note(HY_WORD_REALLOC_START, block) : NULL;
    void *const moved = resize(block, bytes);
    note_array(start, moved, count, size);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *const block = hy__real.aligned_alloc(alignment, size);
    note_pair(HY_WORD_ALIGNED_ALLOC, block, alignment, size);
    return block;
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    const int code = hy__real.posix_memalign(block, alignment, size);
    note_pair(HY_WORD_POSIX_MEMALIGN, code == 0 ? *block : NULL, alignment, size);
    return code;
}

void *memalign(size_t alignment, size_t size)
{
    void *const block = hy__real.memalign(alignment, size);
    note_pair(HY_WORD_MEMALIGN, block, alignment, size);
    return block;
}

void *valloc(size_t size)
{
    void *const block = hy__real.valloc(size);
    note_size(HY_WORD_VALLOC, block, size);
    return block;
}

void *pvalloc(size_t size)
{
    void *const block = hy__real.pvalloc(size);
    note_size(HY_WORD_PVALLOC, block, size);
    return block;
}
