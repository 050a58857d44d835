/*
 * fuzz_refused.c: calls of random plans that no allocator can serve.
 */
#include "trial/drawing.h"

/* What is expected of a request that can't be served. */
static uint8_t refusal(const hy_drawing *from)
{
    const bool says = (from->fuzzer->request->flags & HEAPYARD_TARGET_SETS_ERRNO) != 0;
    return (uint8_t)(HY_EXPECT_FAILURE | (says ? HY_EXPECT_ENOMEM : 0));
}

/* A slot for what will be no block. */
static uint32_t empty_slot(hy_drawing *from)
{
    if (from->held.vacant == 0) {
        from->held.empty[from->held.vacant++] = from->slots++;
    }
    return from->held.empty[from->held.vacant - 1];
}

/* A count times a size that overflows. */
static void add_overflow(hy_drawing *from, uint64_t drawn)
{
    const bool resizes =
        (drawn & 1) != 0 && from->held.live > 0 && hy__can(from, HY_FUNCTION_reallocarray);
    if (!resizes && !hy__can(from, HY_FUNCTION_calloc)) {
        return;
    }
    const uint32_t slot =
        resizes ? from->held.blocks[hy__pick_block(from, drawn)].slot : empty_slot(from);
    hy_plan_op *const op = hy__add(from, resizes ? HY_OP_REALLOCARRAY : HY_OP_CALLOC, slot,
                                   ((uint64_t)1 << 24) + (drawn >> 8) % 64);
    op->arg = HY_FUZZ_TOO_MANY;
    op->expect = refusal(from);
}

/* By a call that aligns: a size that can't be, or for posix_memalign an alignment that is none.
 * What errno is then no standard of 2017 says but for posix_memalign, which returns it. */
static void add_refused_aligned(hy_drawing *from, uint64_t drawn, uint64_t size)
{
    if (drawn >> 9 & 1 && hy__can(from, HY_FUNCTION_valloc) && hy__can(from, HY_FUNCTION_pvalloc)) {
        const uint8_t whole = drawn >> 10 & 1 ? HY_OP_PVALLOC : HY_OP_VALLOC;
        hy__add(from, whole, empty_slot(from), size)->expect = HY_EXPECT_FAILURE;
        return;
    }
    const uint8_t call = hy__draw_aligned_call(from, drawn);
    const bool is_odd = call == HY_OP_POSIX_MEMALIGN && (drawn >> 8 & 1) != 0;
    hy_plan_op *const op =
        hy__add(from, call, empty_slot(from), is_odd ? 64 : size & ~(uint64_t)63);
    op->arg = is_odd ? HY_FUZZ_ODD : HY_FUZZ_COUNTS + 3;
    op->expect = HY_EXPECT_FAILURE | (is_odd ? HY_EXPECT_EINVAL : 0);
}

/* Sizes that no object can have, products that overflow, an alignment that is none. */
void hy__draw_refused(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint64_t size = (drawn & 1) != 0 ? UINT64_MAX - (drawn >> 8) % 8192
                                           : (uint64_t)PTRDIFF_MAX + 1 + (drawn >> 8) % 8192;
    switch (drawn >> 1 & 3) {
    case 0:
        add_overflow(from, drawn >> 3);
        break;
    case 1:
        if (from->held.live > 0 && hy__can(from, HY_FUNCTION_realloc)) {
            const uint32_t slot = from->held.blocks[hy__pick_block(from, drawn)].slot;
            hy__add(from, HY_OP_REALLOC, slot, size)->expect = refusal(from);
        }
        break;
    case 2:
        if (hy__can_align(from)) {
            add_refused_aligned(from, drawn >> 3, size);
        }
        break;
    default:
        hy__add(from, HY_OP_MALLOC, empty_slot(from), size)->expect = refusal(from);
        break;
    }
}
