/*
 * tape_plan.c: a plan's calls, played once on sizes alone, become a tape.
 *
 * What verifies, asks or expects a failure costs an allocator nothing that a program pays for, and
 * is left out.
 */
#include <inttypes.h>

#include "base/bits.h"
#include "trial/tape.h"

#define SAMPLES_MOST        4096u
#define SAMPLE_FIRST        ((uint64_t)64 << 10) /* live bytes below this are not looked at */
#define SIZE_BITS           32
#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_PLAN, __VA_ARGS__), false)

typedef struct model_slot {
    uint32_t size;
    uint8_t shift;
    bool is_live;
} model_slot;

typedef struct reading {
    const hy_plan *plan;
    hy_tape *tape;
    model_slot *slots;
    uint64_t live;
    uint64_t next_sample; /* live bytes at which memory is looked at next */
} reading;

/* Bytes that an op asks for; false where the product overflows: no block comes of it. */
static bool size_of(const reading *from, const hy_plan_op *op, size_t *size)
{
    if (op->op == HY_OP_CALLOC || op->op == HY_OP_REALLOCARRAY) {
        return hy__multiply((size_t)from->plan->operands[op->arg], (size_t)op->size, size);
    }
    *size = (size_t)op->size;
    return true;
}

static uint8_t shift_of(const reading *from, const hy_plan_op *op)
{
    if (op->op == HY_OP_VALLOC || op->op == HY_OP_PVALLOC) {
        return 12;
    }
    const uint64_t alignment = from->plan->operands[op->arg];
    return hy__is_power_of_two(alignment) ? (uint8_t)hy__log2_floor(alignment) : 0;
}

static void sample_at_new_peak(reading *from)
{
    hy_tape *const tape = from->tape;
    tape->live_peak = from->live > tape->live_peak ? from->live : tape->live_peak;
    if (from->live >= from->next_sample && tape->part_count < SAMPLES_MOST) {
        from->next_sample = from->live + from->live / 64;
        hy__tape_end_part(tape, HY_TAPE_MIXED, true, true);
        tape->parts[tape->part_count - 1].live = from->live;
    }
}

/* Joins the parts that end below half of the peak with those after them. */
static void drop_low_samples(hy_tape *tape)
{
    uint32_t kept = 0;
    uint64_t first = 0;
    for (uint32_t i = 0; i < tape->part_count; i++) {
        const hy_tape_part part = tape->parts[i];
        if (part.live == 0 || part.live >= tape->live_peak / 2) {
            const uint64_t end = part.first + part.count;
            tape->parts[kept] = part;
            tape->parts[kept].first = first;
            tape->parts[kept].count = end - first;
            first = end;
            kept++;
        }
    }
    tape->part_count = kept;
}

static void set_slot(reading *from, uint32_t slot, model_slot now)
{
    model_slot *const was = &from->slots[slot];
    from->live -= was->is_live ? was->size : 0;
    from->live += now.is_live ? now.size : 0;
    *was = now;
}

static void read_free(reading *from, uint32_t slot)
{
    if (slot != HY_PLAN_NO_SLOT && from->slots[slot].is_live) {
        const model_slot was = from->slots[slot];
        hy__tape_add(from->tape, HY_TAPE_FREE, slot, 0, was.size)->shift = was.shift;
        set_slot(from, slot, (model_slot){0});
    }
}

static bool read_block(reading *from, const hy_plan_op *op, hy_tape_kind kind, uint32_t size,
                       hy_reason *reason)
{
    const model_slot was = from->slots[op->slot];
    if (was.is_live && kind != HY_TAPE_REALLOC) {
        return REFUSE(reason, "bad plan: op %td: slot %" PRIu32 " is live", op - from->plan->ops,
                      op->slot);
    }
    const uint8_t shift = kind == HY_TAPE_ALIGNED ? shift_of(from, op) : 0;
    hy__tape_add(from->tape, kind, op->slot, size, was.size)->shift =
        kind == HY_TAPE_REALLOC ? was.shift : shift;
    set_slot(from, op->slot, (model_slot){.size = size, .shift = shift, .is_live = true});
    sample_at_new_peak(from);
    return true;
}

static bool read_sized(reading *from, const hy_plan_op *op, hy_tape_kind kind, hy_reason *reason)
{
    size_t size;
    if ((op->expect & HY_EXPECT_OUTCOME) == HY_EXPECT_FAILURE || !size_of(from, op, &size)) {
        return true;
    }
    if (kind == HY_TAPE_REALLOC && size == 0) {
        read_free(from, op->slot);
        return true;
    }
    if (size >> SIZE_BITS != 0) {
        return REFUSE(reason, "op %td asks for %zu bytes: a benchmark replays sizes below 4 GiB",
                      op - from->plan->ops, size);
    }
    return read_block(from, op, kind, (uint32_t)size, reason);
}

static void read_free_all(reading *from)
{
    for (uint32_t slot = 0; slot < from->plan->slots_used; slot++) {
        read_free(from, slot);
    }
}

static bool read_op(reading *from, const hy_plan_op *op, hy_reason *reason)
{
    switch (op->op) {
    case HY_OP_MALLOC:
        return read_sized(from, op, HY_TAPE_MALLOC, reason);
    case HY_OP_CALLOC:
        return read_sized(from, op, HY_TAPE_CALLOC, reason);
    case HY_OP_REALLOC:
    case HY_OP_REALLOCARRAY:
        return read_sized(from, op, HY_TAPE_REALLOC, reason);
    case HY_OP_ALIGNED_ALLOC:
    case HY_OP_POSIX_MEMALIGN:
    case HY_OP_MEMALIGN:
    case HY_OP_VALLOC:
    case HY_OP_PVALLOC:
        return read_sized(from, op, HY_TAPE_ALIGNED, reason);
    case HY_OP_FREE:
    case HY_OP_FREE_SIZED:
    case HY_OP_FREE_ALIGNED_SIZED:
        read_free(from, op->slot);
        return true;
    case HY_OP_FREE_ALL:
        read_free_all(from);
        return true;
    case HY_OP_TRIM:
        hy__tape_add(from->tape, HY_TAPE_TRIM, 0, 0, 0);
        return true;
    case HY_OP_FORGET:
        hy__tape_add(from->tape, HY_TAPE_FORGET, op->slot, 0, 0);
        set_slot(from, op->slot, (model_slot){0});
        return true;
    default:
        return true;
    }
}

static uint64_t ops_at_most(const hy_plan *plan)
{
    uint64_t count = plan->header.op_count + plan->slots_used;
    for (uint64_t i = 0; i < plan->header.op_count; i++) {
        count += plan->ops[i].op == HY_OP_FREE_ALL ? plan->slots_used : 0;
    }
    return count;
}

bool hy__tape_from_plan(const hy_plan *plan, hy_memory *memory, hy_tape *tape, hy_reason *reason)
{
    reading from = {.plan = plan,
                    .tape = tape,
                    .slots = hy__memory_take(memory, plan->slots_used * sizeof(model_slot)),
                    .next_sample = SAMPLE_FIRST};
    if (from.slots == NULL ||
        !hy__tape_open(tape, memory, ops_at_most(plan), SAMPLES_MOST + 2, reason)) {
        hy__reason(reason, HY_CAUSE_MEMORY, "no memory for the plan");
        return false;
    }
    tape->slots = plan->slots_used;
    if (plan->has_structure) {
        return REFUSE(reason,
                      "the plan has threads, forks or sections: a benchmark replays calls of"
                      " one thread");
    }
    for (uint64_t i = 0; i < plan->header.op_count; i++) {
        if (!read_op(&from, &plan->ops[i], reason)) {
            return false;
        }
    }
    hy__tape_end_part(tape, HY_TAPE_MIXED, true, true);
    drop_low_samples(tape);
    read_free_all(&from);
    hy__tape_end_part(tape, HY_TAPE_MIXED, false, false);
    return true;
}
