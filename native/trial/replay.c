#include "trial/replay.h"

#include <string.h>

#include "base/bits.h"
#include "trial/model.h"

#define INLINE static inline __attribute__((always_inline))
#define PAGE   ((size_t)4096)

/* How the allocator is called. The two flags are constants in each copy of the loops: a plain
 * malloc is called as a program calls it, without an adapter between that drops a handle. */
typedef struct caller {
    const struct heapyard_target *table;
    const struct hy_trial_functions *plain;
    void *handle;
    bool is_plain;
    bool is_sized;
} caller;

INLINE void *call_malloc(const caller to, size_t size)
{
    return to.is_plain ? to.plain->malloc(size) : to.table->malloc(to.handle, size);
}

INLINE void call_free(const caller to, void *block, size_t size)
{
    if (to.is_sized && to.is_plain) {
        to.plain->free_sized(block, size);
    } else if (to.is_sized) {
        to.table->free_sized(to.handle, block, size);
    } else if (to.is_plain) {
        to.plain->free(block);
    } else {
        to.table->free(to.handle, block);
    }
}

INLINE void write_start(void *block)
{
    *(volatile uint64_t *)block = (uintptr_t)block;
}

INLINE bool run_mallocs(const caller to, void **slots, const hy_tape_op *op, uint64_t count)
{
    for (const hy_tape_op *const end = op + count; op != end; op++) {
        void *const block = call_malloc(to, op->size);
        if (HY_UNLIKELY(block == NULL)) {
            return false;
        }
        write_start(block);
        slots[op->slot] = block;
    }
    return true;
}

INLINE bool run_frees(const caller to, void **slots, const hy_tape_op *op, uint64_t count)
{
    for (const hy_tape_op *const end = op + count; op != end; op++) {
        call_free(to, slots[op->slot], op->old);
    }
    return true;
}

INLINE bool run_swaps(const caller to, void **slots, const hy_tape_op *op, uint64_t count)
{
    for (const hy_tape_op *const end = op + count; op != end; op++) {
        call_free(to, slots[op->slot], op->old);
        void *const block = call_malloc(to, op->size);
        if (HY_UNLIKELY(block == NULL)) {
            return false;
        }
        write_start(block);
        slots[op->slot] = block;
    }
    return true;
}

INLINE bool run_pairs(const caller to, const hy_tape_op *op, uint64_t count)
{
    for (const hy_tape_op *const end = op + count; op != end; op++) {
        void *const block = call_malloc(to, op->size);
        if (HY_UNLIKELY(block == NULL)) {
            return false;
        }
        write_start(block);
        call_free(to, block, op->old);
    }
    return true;
}

/* --- what programs do --- */

/* From a block's byte `from` on. */
INLINE void touch(void *block, size_t from, size_t size)
{
    volatile unsigned char *const bytes = block;
    if (HY_LIKELY(size >= sizeof(uint64_t))) {
        write_start(block);
    } else if (size > 0) {
        bytes[0] = 1;
    }
    if (HY_UNLIKELY(size > PAGE)) {
        for (size_t at = from + PAGE; at < size; at += PAGE) {
            bytes[at] = 1;
        }
        bytes[size - 1] = 1;
    }
}

static bool has_aligned(const struct heapyard_target *table)
{
    return table->aligned_alloc != NULL || table->memalign != NULL || table->posix_memalign != NULL;
}

/* What is asked for instead of `size` where there are no aligned calls. */
static size_t padded(const caller to, size_t size, unsigned shift)
{
    const size_t alignment = (size_t)1 << shift;
    const bool is_served = alignment <= to.table->min_alignment || has_aligned(to.table);
    return is_served ? size : size + alignment;
}

static void *call_aligned(const caller to, size_t size, unsigned shift)
{
    const size_t alignment = (size_t)1 << shift;
    void *block = NULL;
    if (alignment <= to.table->min_alignment || !has_aligned(to.table)) {
        return to.table->malloc(to.handle, padded(to, size, shift));
    }
    if (to.table->aligned_alloc != NULL) {
        return to.table->aligned_alloc(to.handle, alignment, size);
    }
    if (to.table->memalign != NULL) {
        return to.table->memalign(to.handle, alignment, size);
    }
    return to.table->posix_memalign(to.handle, &block, alignment, size) == 0 ? block : NULL;
}

static void free_aligned(const caller to, void *block, size_t size, unsigned shift)
{
    const size_t alignment = (size_t)1 << shift;
    const bool is_malloc = alignment <= to.table->min_alignment || !has_aligned(to.table);
    if (to.is_sized && (is_malloc || to.table->free == NULL)) {
        to.table->free_sized(to.handle, block, padded(to, size, shift));
    } else if (to.is_sized && to.table->free_aligned_sized != NULL) {
        to.table->free_aligned_sized(to.handle, block, alignment, size);
    } else {
        to.table->free(to.handle, block);
    }
}

INLINE void free_any(const caller to, void *block, const hy_tape_op *op)
{
    if (HY_UNLIKELY(op->shift != 0)) {
        free_aligned(to, block, op->old, op->shift);
    } else {
        call_free(to, block, op->old);
    }
}

INLINE void *call_calloc(const caller to, size_t size)
{
    if (to.table->calloc != NULL) {
        return to.is_plain ? to.plain->calloc(1, size) : to.table->calloc(to.handle, 1, size);
    }
    void *const block = call_malloc(to, size);
    return block != NULL ? memset(block, 0, size) : NULL;
}

INLINE void *call_realloc(const caller to, void *block, const hy_tape_op *op)
{
    if (to.table->realloc != NULL) {
        return to.is_plain ? to.plain->realloc(block, op->size)
                           : to.table->realloc(to.handle, block, op->size);
    }
    void *const moved = call_malloc(to, op->size);
    if (moved != NULL && block != NULL) {
        memcpy(moved, block, op->old < op->size ? op->old : op->size);
        free_any(to, block, op);
    }
    return moved;
}

INLINE void *make(const caller to, void *old, const hy_tape_op *op)
{
    switch (op->kind) {
    case HY_TAPE_MALLOC:
        return call_malloc(to, op->size);
    case HY_TAPE_REALLOC:
        return call_realloc(to, old, op);
    case HY_TAPE_CALLOC:
        return call_calloc(to, op->size);
    default:
        return call_aligned(to, op->size, op->shift);
    }
}

INLINE void run_other(const caller to, void **slot, const hy_tape_op *op)
{
    if (op->kind == HY_TAPE_FORGET) {
        *slot = NULL;
    } else if (to.table->trim != NULL) {
        (void)to.table->trim(to.handle, 0);
    }
}

INLINE bool run_mixed(const caller to, void **slots, const hy_tape_op *op, uint64_t count)
{
    for (const hy_tape_op *const end = op + count; op != end; op++) {
        void **const slot = &slots[op->slot];
        if (op->kind == HY_TAPE_FREE) {
            free_any(to, *slot, op);
            *slot = NULL;
            continue;
        }
        if (HY_UNLIKELY(op->kind >= HY_TAPE_TRIM)) {
            run_other(to, slot, op);
            continue;
        }
        void *const block = make(to, *slot, op);
        if (HY_UNLIKELY(block == NULL && op->size != 0)) {
            return false;
        }
        touch(block, op->kind == HY_TAPE_REALLOC ? hy__align_down(op->old, PAGE) : 0, op->size);
        *slot = block;
    }
    return true;
}

INLINE bool run_part(const caller to, const hy_replay *replay, const hy_tape_part *part)
{
    const hy_tape_op *const ops = replay->tape->ops + part->first;
    switch (part->kind) {
    case HY_TAPE_MALLOC:
        return run_mallocs(to, replay->slots, ops, part->count);
    case HY_TAPE_FREE:
        return run_frees(to, replay->slots, ops, part->count);
    case HY_TAPE_SWAP:
        return run_swaps(to, replay->slots, ops, part->count);
    case HY_TAPE_PAIR:
        return run_pairs(to, ops, part->count);
    default:
        return run_mixed(to, replay->slots, ops, part->count);
    }
}

/* A copy of the loops for each way of calling. */
#define COPY(name, plain_is, sized_is)                                                             \
    static __attribute__((noinline)) bool name(caller to, const hy_replay *replay,                 \
                                               const hy_tape_part *part)                           \
    {                                                                                              \
        to.is_plain = (plain_is);                                                                  \
        to.is_sized = (sized_is);                                                                  \
        return run_part(to, replay, part);                                                         \
    }
COPY(run_plain, true, false)
COPY(run_plain_sized, true, true)
COPY(run_table, false, false)
COPY(run_table_sized, false, true)
#undef COPY

bool hy__replay(const hy_replay *replay, const hy_tape_part *part)
{
    const caller to = {.table = &replay->subject->table,
                       .plain = replay->subject->plain,
                       .handle = replay->handle};
    if (to.plain != NULL) {
        return (replay->is_sized ? run_plain_sized : run_plain)(to, replay, part);
    }
    return (replay->is_sized ? run_table_sized : run_table)(to, replay, part);
}
