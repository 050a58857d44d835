/*
 * blocks.h: how a block enters the model, is verified, and leaves it. Inlined into the ops.
 */
#ifndef HEAPYARD_TRIAL_BLOCKS_H
#define HEAPYARD_TRIAL_BLOCKS_H

#include "trial/model.h"
#include "trial/verdict.h"

/* All of these return true for 'go on'. */

/* Before a call: errno gets a known value. */
static inline void hy__arm_errno(const hy_engine *engine)
{
    *engine->errno_address = engine->errno_value;
}

static inline bool hy__errno_is_right(hy_engine *engine, const hy_plan_op *op)
{
    return HY_LIKELY((op->expect & HY_EXPECT_ERRNO_KEPT) == 0 ||
                     *engine->errno_address == engine->errno_value) ||
           hy__judge_errno(engine, op);
}

/* After a call with a result; to be asked before anything else can touch errno. */
static inline bool hy__result_is_right(hy_engine *engine, const hy_plan_op *op, const void *result)
{
    const bool plain =
        result != NULL && (op->expect & HY_EXPECT_FAILURE) == 0 &&
        ((op->expect & HY_EXPECT_ERRNO_KEPT) == 0 || *engine->errno_address == engine->errno_value);
    return HY_LIKELY(plain) || hy__judge_result(engine, op, result, *engine->errno_address);
}

static inline bool hy__take_addresses(hy_engine *engine, const hy_slot *slot, const void *address,
                                      size_t size)
{
    const hy_index_answer answer =
        hy__index_insert(&engine->index, (uintptr_t)address, hy__extent_of(size));
    if (HY_LIKELY(answer == HY_INDEX_OK)) {
        return true;
    }
    return hy__settle_addresses(engine, slot, address, size, answer);
}

/* Whether a block shares a byte with the engine's own memory: what is written into it would be the
 * end of the model. One comparison: the distance wraps where the block ends below. */
static inline bool hy__meets_engine(const hy_engine *engine, const void *address, size_t extent)
{
    const hy_memory *const memory = engine->memory;
    const uintptr_t last = (uintptr_t)address + extent - 1;
    return last - (uintptr_t)memory->base < memory->reserved + (extent - 1);
}

/* Where the block lies: aligned, inside the address space, apart from the engine (whatever the
 * plan checks), free of other blocks, mapped. */
static inline bool hy__admit(hy_engine *engine, const hy_slot *slot, const void *address,
                             size_t size, size_t alignment)
{
    const uint32_t checks = engine->checks;
    if (HY_UNLIKELY(((uintptr_t)address & (alignment - 1)) != 0) && (checks & HY_CHECK_ALIGN)) {
        return hy__report_alignment(engine, slot, address, size, alignment);
    }
    const bool place_counts = (checks & (HY_CHECK_OVERLAP | HY_CHECK_MAPPED)) != 0;
    if (HY_LIKELY(place_counts) &&
        HY_UNLIKELY(!hy__index_covers((uintptr_t)address, hy__extent_of(size)))) {
        return hy__report_outside(engine, slot, address, size);
    }
    if (HY_UNLIKELY(hy__meets_engine(engine, address, hy__extent_of(size)))) {
        return hy__report_engine_met(engine, slot, address, size);
    }
    if (HY_UNLIKELY(!place_counts)) {
        return true;
    }
    if (HY_LIKELY(checks & HY_CHECK_OVERLAP) && !hy__take_addresses(engine, slot, address, size)) {
        return false;
    }
    return HY_LIKELY(
               (checks & HY_CHECK_MAPPED) == 0 || size == 0 ||
               hy__index_is_mapped(&engine->index, (uintptr_t)address, hy__extent_of(size))) ||
           hy__report_unmapped(engine, slot, address, size);
}

/* Where contents are not checked, blocks above this are left as they are: writing would take the
 * machine's memory. */
#define HY_WRITTEN_UNCHECKED ((size_t)1 << 30)

/* A new pattern in the first `filled` bytes of the slot's block. */
static inline void hy__write(hy_engine *engine, hy_slot *slot, size_t filled)
{
    slot->filled = filled;
    slot->key =
        hy__pattern_key(engine->plan.header.seed, hy__slot_number(engine, slot), engine->serial++);
    if (HY_LIKELY(filled <= HY_WRITTEN_UNCHECKED) || hy__checks(engine, HY_CHECK_CONTENT)) {
        hy__pattern_fill(slot->address, filled, slot->key);
    }
}

/* The slot holds this block from now on. */
static inline void hy__adopt(hy_engine *engine, hy_slot *slot, void *address, size_t size)
{
    slot->address = address;
    slot->size = size;
    hy__write(engine, slot, size);
}

/* The contents of a live block. */
static inline bool hy__is_intact(hy_engine *engine, const hy_slot *slot)
{
    return !hy__checks(engine, HY_CHECK_CONTENT) ||
           HY_LIKELY(hy__pattern_holds(slot->address, slot->filled, slot->filled, slot->key)) ||
           hy__report_content(engine, slot, slot->address, slot->filled);
}

/* The block's addresses are free for others. */
static inline void hy__leave_addresses(hy_engine *engine, const hy_slot *slot)
{
    if (HY_LIKELY(hy__checks(engine, HY_CHECK_OVERLAP))) {
        hy__index_remove(&engine->index, (uintptr_t)slot->address, hy__extent_of(slot->size));
    }
}

static inline void hy__forget(hy_engine *engine, hy_slot *slot)
{
    hy__leave_addresses(engine, slot);
    slot->address = NULL;
}

#endif /* HEAPYARD_TRIAL_BLOCKS_H */
