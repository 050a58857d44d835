/*
 * fuzz_calls.c: the calls of random plans, one at a time.
 */
#include "trial/drawing.h"

uint8_t hy__draw_aligned_call(const hy_drawing *from, uint64_t drawn)
{
    static const struct {
        uint8_t op;
        hy_function function;
    } calls[] = {{HY_OP_ALIGNED_ALLOC, HY_FUNCTION_aligned_alloc},
                 {HY_OP_POSIX_MEMALIGN, HY_FUNCTION_posix_memalign},
                 {HY_OP_MEMALIGN, HY_FUNCTION_memalign}};
    unsigned at = (unsigned)(drawn % 3);
    while (!hy__can(from, calls[at].function)) {
        at = (at + 1) % 3;
    }
    return calls[at].op;
}

bool hy__can_align(const hy_drawing *from)
{
    return hy__can(from, HY_FUNCTION_aligned_alloc) || hy__can(from, HY_FUNCTION_posix_memalign) ||
           hy__can(from, HY_FUNCTION_memalign);
}

/* By malloc, or now and then by realloc of NULL. */
static void add_malloc(hy_drawing *from)
{
    const uint32_t size = hy__swarm_size(&from->swarm, &from->state);
    const bool resizes = size != 0 && from->count % 16 == 9 && from->swarm.resizes;
    hy__add(from, resizes ? HY_OP_REALLOC : HY_OP_MALLOC, hy__claim(from, size, 1), size)->expect =
        hy__expect_of(size);
}

static void add_calloc(hy_drawing *from)
{
    const uint16_t arg = (uint16_t)(hy__draw(&from->state) % HY_FUZZ_COUNTS);
    const uint32_t count = (uint32_t)hy__fuzz_operands[arg];
    const uint32_t size = (hy__swarm_size(&from->swarm, &from->state) + count - 1) / count;
    hy_plan_op *const op = hy__add(from, HY_OP_CALLOC, hy__claim(from, size * count, 1), size);
    op->arg = arg;
    op->expect = hy__expect_of(size * count);
}

/* Never 0: what an alignment means for a block of no bytes, allocators read in different ways. */
static uint32_t aligned_size(hy_drawing *from)
{
    const uint32_t size = hy__swarm_size(&from->swarm, &from->state);
    return size + (size == 0);
}

/* A block that starts a page: these two are rare, since each costs one. */
static bool add_page(hy_drawing *from, uint64_t drawn)
{
    const bool is_whole = (drawn & 1) != 0;
    if (drawn >> 1 & 15 || !hy__can(from, is_whole ? HY_FUNCTION_pvalloc : HY_FUNCTION_valloc)) {
        return false;
    }
    const uint32_t size = aligned_size(from);
    hy__add(from, is_whole ? HY_OP_PVALLOC : HY_OP_VALLOC, hy__claim(from, size, 0), size)->expect =
        hy__expect_of(size);
    return true;
}

/* POSIX leaves open whether posix_memalign serves no bytes; all that programs were written for do. */
static bool add_empty(hy_drawing *from, uint64_t drawn)
{
    const bool is_left_out = (from->fuzzer->request->omits & HY_FUZZ_OMIT_NO_BYTES) != 0;
    if (!from->swarm.has_zero || (drawn >> 16) % 32 != 0 || is_left_out) {
        return false;
    }
    hy__add(from, HY_OP_POSIX_MEMALIGN, hy__claim(from, 0, 0), 0)->arg = HY_FUZZ_COUNTS;
    return true;
}

static void add_aligned(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint8_t call = hy__draw_aligned_call(from, drawn);
    if (add_page(from, drawn >> 8) || (call == HY_OP_POSIX_MEMALIGN && add_empty(from, drawn))) {
        return;
    }
    const uint16_t shift = (uint16_t)hy__draw_below(drawn, from->swarm.alignment_shifts + 1);
    const uint32_t alignment = (uint32_t)hy__fuzz_operands[HY_FUZZ_COUNTS + shift];
    uint32_t size = aligned_size(from);
    if (call == HY_OP_ALIGNED_ALLOC) { /* C11: a multiple of the alignment */
        size = (size + alignment - 1) & ~(alignment - 1);
    }
    const uint32_t asked = call == HY_OP_ALIGNED_ALLOC ? alignment : 0;
    hy_plan_op *const op = hy__add(from, call, hy__claim(from, size, asked), size);
    op->arg = (uint16_t)(HY_FUZZ_COUNTS + shift);
    op->expect = hy__expect_of(size);
}

static uint8_t free_call(const hy_drawing *from, const hy_fuzz_block *block, uint64_t drawn)
{
    const bool is_sized = (drawn & 1) != 0;
    if (is_sized && block->alignment == 1 && hy__can(from, HY_FUNCTION_free_sized)) {
        return HY_OP_FREE_SIZED;
    }
    if (is_sized && block->alignment > 1 && hy__can(from, HY_FUNCTION_free_aligned_sized)) {
        return HY_OP_FREE_ALIGNED_SIZED;
    }
    return HY_OP_FREE;
}

static uint16_t shift_of(uint32_t alignment)
{
    return (uint16_t)(__builtin_ctz(alignment) - 3);
}

void hy__draw_free(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t at = hy__pick_block(from, drawn);
    const hy_fuzz_block block = from->held.blocks[at];
    const uint8_t call = free_call(from, &block, drawn >> 8);
    hy_plan_op *const op = hy__add(from, call, block.slot, call == HY_OP_FREE ? 0 : block.size);
    if (call == HY_OP_FREE_ALIGNED_SIZED) {
        op->arg = (uint16_t)(HY_FUZZ_COUNTS + shift_of(block.alignment));
    }
    from->held.blocks[at] = from->held.blocks[--from->held.live];
    from->held.empty[from->held.vacant++] = block.slot;
}

/* Everything at once: where blocks can't be freed one by one, and now and then. */
static void add_free_all(hy_drawing *from)
{
    hy__add(from, HY_OP_FREE_ALL, HY_PLAN_NO_SLOT, 0);
    while (from->held.live > 0) {
        from->held.empty[from->held.vacant++] = from->held.blocks[--from->held.live].slot;
    }
}

static uint32_t resized(hy_drawing *from, uint32_t size, uint64_t drawn)
{
    switch (drawn % 8) {
    case 0:
        return size + 1;
    case 1:
        return size > 1 ? size - 1 : 1;
    case 2:
        return size / 2 + 1;
    case 3:
        return size + size / 2 + 1;
    case 4:
        return size > 0 ? size : 1;
    default: {
        const uint32_t other = hy__swarm_size(&from->swarm, &from->state);
        return other > 0 ? other : 1;
    }
    }
}

static void add_realloc(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    hy_fuzz_block *const block = &from->held.blocks[hy__pick_block(from, drawn)];
    uint32_t size = resized(from, block->size, drawn >> 8);
    size = size > (uint32_t)2 << 20 ? (uint32_t)2 << 20 : size;
    const bool is_array = (drawn >> 16) % 8 == 0 && hy__can(from, HY_FUNCTION_reallocarray);
    if (is_array) {
        size = (size + 3) & ~(uint32_t)3;
    }
    hy_plan_op *const op = hy__add(from, is_array ? HY_OP_REALLOCARRAY : HY_OP_REALLOC, block->slot,
                                   is_array ? size / 4 : size);
    op->arg = is_array ? 3 : HY_PLAN_NO_ARG;
    op->expect = hy__expect_of(size);
    from->bytes += size;
    if (op->expect == HY_EXPECT_SUCCESS) {
        block->size = size;
        block->alignment = 1;
    } else { /* whether it moved is not known: free it without its size */
        block->alignment = 0;
    }
}

static void add_look(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t slot = from->held.blocks[hy__pick_block(from, drawn)].slot;
    const bool has_usable = hy__can(from, HY_FUNCTION_usable_size);
    switch (drawn >> 8 & 3) {
    case 0:
        hy__add(from, HY_OP_CHECK, slot, 0);
        break;
    case 1:
        hy__add(from, HY_OP_WRITE, slot, 0);
        break;
    case 2:
        hy__add(from, has_usable ? HY_OP_USABLE_SIZE : HY_OP_CHECK, slot, 0);
        break;
    default:
        hy__add(from, has_usable ? HY_OP_FILL_USABLE : HY_OP_CHECK, slot, 0);
        break;
    }
}

/* A call that gets NULL. */
static void add_null(hy_drawing *from, uint64_t drawn)
{
    if (drawn % 4 == 0 && hy__can(from, HY_FUNCTION_usable_size)) {
        hy__add(from, HY_OP_USABLE_SIZE, HY_PLAN_NO_SLOT, 0);
    } else if (drawn % 4 == 1 && hy__can(from, HY_FUNCTION_free_sized)) {
        hy__add(from, HY_OP_FREE_SIZED, HY_PLAN_NO_SLOT, 16);
    } else {
        hy__add(from, HY_OP_FREE, HY_PLAN_NO_SLOT, 0);
    }
}

/* Calls about all blocks, where no other thread has any. */
static void add_sweep(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const bool frees = hy__can(from, HY_FUNCTION_free);
    if (drawn % 64 == 0 && frees && hy__can(from, HY_FUNCTION_trim)) {
        hy__add(from, HY_OP_TRIM, HY_PLAN_NO_SLOT, 0);
    } else if (!from->is_shared && (drawn % 64 == 1 || !frees)) {
        hy__add(from, HY_OP_CHECK_ALL, HY_PLAN_NO_SLOT, 0);
    } else if (!from->is_shared && drawn % 64 == 2) {
        add_free_all(from);
    } else {
        add_null(from, drawn >> 8);
    }
}

/* The act, where there is a block for it and room for another. */
static hy_act possible(const hy_drawing *from, hy_act act)
{
    const bool needs_block = act == HY_ACT_FREE || act == HY_ACT_REALLOC || act == HY_ACT_LOOK;
    if (from->held.live == 0 && needs_block) {
        return HY_ACT_MALLOC;
    }
    return from->held.live >= from->limit && act <= HY_ACT_ALIGNED ? HY_ACT_FREE : act;
}

/* Frees one block, or all where none can be freed by itself. */
static void add_end(hy_drawing *from)
{
    if (hy__can(from, HY_FUNCTION_free)) {
        hy__draw_free(from);
    } else if (from->held.live >= from->limit) {
        add_free_all(from);
    } else {
        add_malloc(from);
    }
}

void hy__draw_act(hy_drawing *from, hy_act act)
{
    switch (possible(from, act)) {
    case HY_ACT_MALLOC:
        add_malloc(from);
        break;
    case HY_ACT_CALLOC:
        add_calloc(from);
        break;
    case HY_ACT_ALIGNED:
        add_aligned(from);
        break;
    case HY_ACT_REALLOC:
        add_realloc(from);
        break;
    case HY_ACT_LOOK:
        add_look(from);
        break;
    case HY_ACT_REFUSED:
        if ((from->fuzzer->request->omits & HY_FUZZ_OMIT_REFUSED) == 0) {
            hy__draw_refused(from);
            break;
        }
        add_sweep(from);
        break;
    case HY_ACT_SWEEP:
        add_sweep(from);
        break;
    default:
        add_end(from);
        break;
    }
}

void hy__draw_any(hy_drawing *from)
{
    hy__draw_act(from, (hy_act)from->swarm.acts[hy__draw(&from->state) >> 56]);
}
