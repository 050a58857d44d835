#include "trial/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "trial/functions.h"
#include "trial/swarm.h"

#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_PLAN, __VA_ARGS__), false)

#define PROMISED 65535u /* C17 5.2.4.1: larger requests may be refused */
#define WAVE     512    /* calls between two tides */

/* The operands of every drawn plan: counts, alignments (8 << n), and what can't be. */
enum { COUNTS = 8, SHIFTS = 18, ODD = COUNTS + SHIFTS, TOO_MANY, OPERANDS };

static const uint64_t operands[OPERANDS] = {
    1,     2,      3,      4,      5,       7,     8,
    16,    8,      16,     32,     64,      128,   256,
    512,   1024,   2048,   4096,   8192,    16384, 32768,
    65536, 131072, 262144, 524288, 1048576, 24,    (uint64_t)1 << 40,
};

_Static_assert(sizeof operands / sizeof operands[0] == COUNTS + SHIFTS + 2, "all are given");

/* One plan while it is drawn. */
typedef struct drawing {
    hy_fuzzer *fuzzer;
    hy_swarm swarm;
    uint64_t state;
    uint64_t bytes;
    uint32_t count;
    uint32_t live;
    uint32_t limit; /* of live blocks, for now */
    uint32_t vacant;
    uint32_t slots;
} drawing;

static bool can(const drawing *from, hy_function function)
{
    return ((from->fuzzer->request->functions >> function) & 1u) != 0;
}

static hy_plan_op *add(drawing *from, uint8_t op, uint32_t slot, uint64_t size)
{
    hy_plan_op *const added = &from->fuzzer->ops[from->count++];
    *added = (hy_plan_op){.op = op, .arg = HY_PLAN_NO_ARG, .slot = slot, .size = size};
    return added;
}

/* A slot for a new block, which is live from now on. */
static uint32_t claim(drawing *from, uint32_t size, uint32_t alignment)
{
    const uint32_t slot = from->vacant > 0 ? from->fuzzer->vacant[--from->vacant] : from->slots++;
    from->fuzzer->live[from->live++] =
        (hy_fuzz_block){.slot = slot, .size = size, .alignment = alignment};
    from->bytes += size;
    return slot;
}

static uint8_t expect_of(uint32_t size)
{
    return size == 0 || size > PROMISED ? HY_EXPECT_EITHER : HY_EXPECT_SUCCESS;
}

/* By malloc, or now and then by realloc of NULL. */
static void add_malloc(drawing *from)
{
    const uint32_t size = hy__swarm_size(&from->swarm, &from->state);
    const bool resizes = size != 0 && from->count % 16 == 9 && from->swarm.resizes;
    add(from, resizes ? HY_OP_REALLOC : HY_OP_MALLOC, claim(from, size, 1), size)->expect =
        expect_of(size);
}

static void add_calloc(drawing *from)
{
    const uint16_t arg = (uint16_t)(hy__draw(&from->state) % COUNTS);
    const uint32_t count = (uint32_t)operands[arg];
    const uint32_t size = (hy__swarm_size(&from->swarm, &from->state) + count - 1) / count;
    hy_plan_op *const op = add(from, HY_OP_CALLOC, claim(from, size * count, 1), size);
    op->arg = arg;
    op->expect = expect_of(size * count);
}

/* Which of the calls that align: one that there is. */
static uint8_t aligned_call(const drawing *from, uint64_t drawn)
{
    static const struct {
        uint8_t op;
        hy_function function;
    } calls[] = {{HY_OP_ALIGNED_ALLOC, HY_FUNCTION_aligned_alloc},
                 {HY_OP_POSIX_MEMALIGN, HY_FUNCTION_posix_memalign},
                 {HY_OP_MEMALIGN, HY_FUNCTION_memalign}};
    unsigned at = (unsigned)(drawn % 3);
    while (!can(from, calls[at].function)) {
        at = (at + 1) % 3;
    }
    return calls[at].op;
}

/* Never 0: what an alignment means for a block of no bytes, allocators read in different ways. */
static uint32_t aligned_size(drawing *from)
{
    const uint32_t size = hy__swarm_size(&from->swarm, &from->state);
    return size + (size == 0);
}

/* A block that starts a page: these two are rare, since each costs one. */
static bool add_page(drawing *from, uint64_t drawn)
{
    const bool is_whole = (drawn & 1) != 0;
    if (drawn >> 1 & 15 || !can(from, is_whole ? HY_FUNCTION_pvalloc : HY_FUNCTION_valloc)) {
        return false;
    }
    const uint32_t size = aligned_size(from);
    add(from, is_whole ? HY_OP_PVALLOC : HY_OP_VALLOC, claim(from, size, 0), size)->expect =
        expect_of(size);
    return true;
}

static void add_aligned(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    if (add_page(from, drawn >> 8)) {
        return;
    }
    const uint8_t call = aligned_call(from, drawn);
    const uint16_t shift = (uint16_t)hy__draw_below(drawn, from->swarm.alignment_shifts + 1);
    const uint32_t alignment = (uint32_t)operands[COUNTS + shift];
    uint32_t size = aligned_size(from);
    if (call == HY_OP_ALIGNED_ALLOC) { /* C11: a multiple of the alignment */
        size = (size + alignment - 1) & ~(alignment - 1);
    }
    const uint32_t asked = call == HY_OP_ALIGNED_ALLOC ? alignment : 0;
    hy_plan_op *const op = add(from, call, claim(from, size, asked), size);
    op->arg = (uint16_t)(COUNTS + shift);
    op->expect = expect_of(size);
}

/* The block that the plan's habit picks. */
static uint32_t pick(drawing *from, uint64_t drawn)
{
    hy_pick how = from->swarm.pick;
    if (how == HY_PICK_MIXED) {
        how = (hy_pick)(drawn % 3);
    }
    if (how == HY_PICK_ANY) {
        return hy__draw_below(drawn, from->live);
    }
    return how == HY_PICK_NEWEST ? from->live - 1 : 0;
}

static uint8_t free_call(const drawing *from, const hy_fuzz_block *block, uint64_t drawn)
{
    const bool is_sized = (drawn & 1) != 0;
    if (is_sized && block->alignment == 1 && can(from, HY_FUNCTION_free_sized)) {
        return HY_OP_FREE_SIZED;
    }
    if (is_sized && block->alignment > 1 && can(from, HY_FUNCTION_free_aligned_sized)) {
        return HY_OP_FREE_ALIGNED_SIZED;
    }
    return HY_OP_FREE;
}

static uint16_t shift_of(uint32_t alignment)
{
    return (uint16_t)(__builtin_ctz(alignment) - 3);
}

static void add_free(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t at = pick(from, drawn);
    const hy_fuzz_block block = from->fuzzer->live[at];
    const uint8_t call = free_call(from, &block, drawn >> 8);
    hy_plan_op *const op = add(from, call, block.slot, call == HY_OP_FREE ? 0 : block.size);
    if (call == HY_OP_FREE_ALIGNED_SIZED) {
        op->arg = (uint16_t)(COUNTS + shift_of(block.alignment));
    }
    from->fuzzer->live[at] = from->fuzzer->live[--from->live];
    from->fuzzer->vacant[from->vacant++] = block.slot;
}

/* Everything at once: where blocks can't be freed one by one, and now and then. */
static void add_free_all(drawing *from)
{
    add(from, HY_OP_FREE_ALL, HY_PLAN_NO_SLOT, 0);
    while (from->live > 0) {
        from->fuzzer->vacant[from->vacant++] = from->fuzzer->live[--from->live].slot;
    }
}

static uint32_t resized(drawing *from, uint32_t size, uint64_t drawn)
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

static void add_realloc(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    hy_fuzz_block *const block = &from->fuzzer->live[pick(from, drawn)];
    uint32_t size = resized(from, block->size, drawn >> 8);
    size = size > (uint32_t)2 << 20 ? (uint32_t)2 << 20 : size;
    const bool is_array = (drawn >> 16) % 8 == 0 && can(from, HY_FUNCTION_reallocarray);
    if (is_array) {
        size = (size + 3) & ~(uint32_t)3;
    }
    hy_plan_op *const op = add(from, is_array ? HY_OP_REALLOCARRAY : HY_OP_REALLOC, block->slot,
                               is_array ? size / 4 : size);
    op->arg = is_array ? 3 : HY_PLAN_NO_ARG;
    op->expect = expect_of(size);
    from->bytes += size;
    if (op->expect == HY_EXPECT_SUCCESS) {
        block->size = size;
        block->alignment = 1;
    } else { /* whether it moved is not known: free it without its size */
        block->alignment = 0;
    }
}

static void add_look(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t slot = from->fuzzer->live[pick(from, drawn)].slot;
    const bool has_usable = can(from, HY_FUNCTION_usable_size);
    switch (drawn >> 8 & 3) {
    case 0:
        add(from, HY_OP_CHECK, slot, 0);
        break;
    case 1:
        add(from, HY_OP_WRITE, slot, 0);
        break;
    case 2:
        add(from, has_usable ? HY_OP_USABLE_SIZE : HY_OP_CHECK, slot, 0);
        break;
    default:
        add(from, has_usable ? HY_OP_FILL_USABLE : HY_OP_CHECK, slot, 0);
        break;
    }
}

/* What is expected of a request that can't be served. */
static uint8_t refusal(const drawing *from)
{
    const bool says = (from->fuzzer->request->flags & HEAPYARD_TARGET_SETS_ERRNO) != 0;
    return (uint8_t)(HY_EXPECT_FAILURE | (says ? HY_EXPECT_ENOMEM : 0));
}

static bool can_align(const drawing *from)
{
    return can(from, HY_FUNCTION_aligned_alloc) || can(from, HY_FUNCTION_posix_memalign) ||
           can(from, HY_FUNCTION_memalign);
}

/* A slot for what will be no block. */
static uint32_t empty_slot(drawing *from)
{
    if (from->vacant == 0) {
        from->fuzzer->vacant[from->vacant++] = from->slots++;
    }
    return from->fuzzer->vacant[from->vacant - 1];
}

/* A count times a size that overflows. */
static void add_overflow(drawing *from, uint64_t drawn)
{
    const bool resizes = (drawn & 1) != 0 && from->live > 0 && can(from, HY_FUNCTION_reallocarray);
    if (!resizes && !can(from, HY_FUNCTION_calloc)) {
        return;
    }
    const uint32_t slot = resizes ? from->fuzzer->live[pick(from, drawn)].slot : empty_slot(from);
    hy_plan_op *const op = add(from, resizes ? HY_OP_REALLOCARRAY : HY_OP_CALLOC, slot,
                               ((uint64_t)1 << 24) + (drawn >> 8) % 64);
    op->arg = TOO_MANY;
    op->expect = refusal(from);
}

/* By a call that aligns: a size that can't be, or for posix_memalign an alignment that is none.
 * What errno is then no standard of 2017 says but for posix_memalign, which returns it. */
static void add_refused_aligned(drawing *from, uint64_t drawn, uint64_t size)
{
    if (drawn >> 9 & 1 && can(from, HY_FUNCTION_valloc) && can(from, HY_FUNCTION_pvalloc)) {
        const uint8_t whole = drawn >> 10 & 1 ? HY_OP_PVALLOC : HY_OP_VALLOC;
        add(from, whole, empty_slot(from), size)->expect = HY_EXPECT_FAILURE;
        return;
    }
    const uint8_t call = aligned_call(from, drawn);
    const bool is_odd = call == HY_OP_POSIX_MEMALIGN && (drawn >> 8 & 1) != 0;
    hy_plan_op *const op = add(from, call, empty_slot(from), is_odd ? 64 : size & ~(uint64_t)63);
    op->arg = is_odd ? ODD : COUNTS + 3;
    op->expect = HY_EXPECT_FAILURE | (is_odd ? HY_EXPECT_EINVAL : 0);
}

/* Sizes that no object can have, products that overflow, an alignment that is none. */
static void add_refused(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint64_t size = (drawn & 1) != 0 ? UINT64_MAX - (drawn >> 8) % 8192
                                           : (uint64_t)PTRDIFF_MAX + 1 + (drawn >> 8) % 8192;
    switch (drawn >> 1 & 3) {
    case 0:
        add_overflow(from, drawn >> 3);
        break;
    case 1:
        if (from->live > 0 && can(from, HY_FUNCTION_realloc)) {
            const uint32_t slot = from->fuzzer->live[pick(from, drawn)].slot;
            add(from, HY_OP_REALLOC, slot, size)->expect = refusal(from);
        }
        break;
    case 2:
        if (can_align(from)) {
            add_refused_aligned(from, drawn >> 3, size);
        }
        break;
    default:
        add(from, HY_OP_MALLOC, empty_slot(from), size)->expect = refusal(from);
        break;
    }
}

/* A call that gets NULL. */
static void add_null(drawing *from, uint64_t drawn)
{
    if (drawn % 4 == 0 && can(from, HY_FUNCTION_usable_size)) {
        add(from, HY_OP_USABLE_SIZE, HY_PLAN_NO_SLOT, 0);
    } else if (drawn % 4 == 1 && can(from, HY_FUNCTION_free_sized)) {
        add(from, HY_OP_FREE_SIZED, HY_PLAN_NO_SLOT, 16);
    } else {
        add(from, HY_OP_FREE, HY_PLAN_NO_SLOT, 0);
    }
}

static void add_sweep(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    if (drawn % 64 == 0 && can(from, HY_FUNCTION_trim)) {
        add(from, HY_OP_TRIM, HY_PLAN_NO_SLOT, 0);
    } else if (drawn % 64 == 1) {
        add(from, HY_OP_CHECK_ALL, HY_PLAN_NO_SLOT, 0);
    } else if (drawn % 64 == 2) {
        add_free_all(from);
    } else {
        add_null(from, drawn >> 8);
    }
}

/* The act, where there is a block for it and room for another. */
static hy_act possible(const drawing *from, hy_act act)
{
    const bool needs_block = act == HY_ACT_FREE || act == HY_ACT_REALLOC || act == HY_ACT_LOOK;
    if (from->live == 0 && needs_block) {
        return HY_ACT_MALLOC;
    }
    return from->live >= from->limit && act <= HY_ACT_ALIGNED ? HY_ACT_FREE : act;
}

static void add_one(drawing *from)
{
    const bool frees = can(from, HY_FUNCTION_free);
    const uint8_t drawn = from->swarm.acts[hy__draw(&from->state) >> 56];
    switch (possible(from, (hy_act)drawn)) {
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
        add_refused(from);
        break;
    case HY_ACT_SWEEP:
        if (frees) {
            add_sweep(from);
            break;
        }
        add(from, HY_OP_CHECK_ALL, HY_PLAN_NO_SLOT, 0);
        break;
    default:
        if (frees) {
            add_free(from);
        } else if (from->live >= from->limit) {
            add_free_all(from);
        } else {
            add_malloc(from);
        }
        break;
    }
}

/* Now and then the limit falls, so that most blocks are freed one after the other, and rises. */
static void turn_tide(drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    from->limit = from->swarm.live;
    if (from->swarm.is_wavy && (drawn & 1) != 0) {
        from->limit = 1 + hy__draw_below(drawn, from->swarm.live);
    }
}

static hy_plan_header header_of(const drawing *from, uint64_t number)
{
    return (hy_plan_header){.magic = HY_PLAN_MAGIC,
                            .version = HY_PLAN_VERSION,
                            .checks = from->fuzzer->request->checks,
                            .slots = from->slots,
                            .operand_count = OPERANDS,
                            .op_count = from->count,
                            .repeat = 1,
                            .seed = from->fuzzer->request->seed + number,
                            .flags = HY_PLAN_WEAK_ALIGN};
}

void hy__fuzz_draw(hy_fuzzer *fuzzer, uint64_t number, hy_plan *plan)
{
    drawing from = {.fuzzer = fuzzer, .state = fuzzer->request->seed};
    from.state = hy__draw(&from.state) + number * UINT64_C(0xd1b54a32d192ed03);
    hy__swarm_draw(&from.swarm, &from.state, fuzzer->request->functions);
    while (from.count < from.swarm.calls && from.bytes <= from.swarm.bytes) {
        if (from.count % WAVE == 0) {
            turn_tide(&from);
        }
        add_one(&from);
    }
    *plan = (hy_plan){.header = header_of(&from, number),
                      .operands = operands,
                      .ops = fuzzer->ops,
                      .functions = fuzzer->request->functions,
                      .slots_used = from.slots};
}

bool hy__fuzz_is_request(const void *data, size_t size)
{
    const uint64_t magic = HY_TRIAL_FUZZ_MAGIC;
    return size >= sizeof(hy_trial_fuzz) && memcmp(data, &magic, sizeof magic) == 0;
}

bool hy__fuzz_open(hy_fuzzer *fuzzer, const hy_trial_fuzz *request, hy_memory *memory,
                   hy_reason *reason)
{
    if (request->size != sizeof *request || request->count == 0 ||
        ((request->functions >> HY_FUNCTION_malloc) & 1u) == 0 ||
        request->functions >> HY_FUNCTION_COUNT != 0 ||
        (request->checks & ~(uint32_t)HY_CHECK_ALL) != 0) {
        return REFUSE(reason,
                      "bad request: size %" PRIu32 ", count %" PRIu64 ", functions 0x%" PRIx32,
                      request->size, request->count, request->functions);
    }
    *fuzzer = (hy_fuzzer){
        .request = request,
        .ops = hy__memory_take(memory, HY_FUZZ_MOST_CALLS * sizeof(hy_plan_op)),
        .live = hy__memory_take(memory, HY_FUZZ_MOST_SLOTS * sizeof(hy_fuzz_block)),
        .vacant = hy__memory_take(memory, HY_FUZZ_MOST_SLOTS * sizeof(uint32_t)),
    };
    if (fuzzer->ops == NULL || fuzzer->live == NULL || fuzzer->vacant == NULL) {
        hy__reason(reason, HY_CAUSE_MEMORY, "no memory for random plans");
        return false;
    }
    return true;
}
