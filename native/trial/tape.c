#include "trial/tape.h"

#include "base/bits.h"

bool hy__tape_open(hy_tape *tape, hy_memory *memory, uint64_t ops, uint32_t parts,
                   hy_reason *reason)
{
    size_t size;
    *tape = (hy_tape){.parts = hy__memory_take(memory, parts * sizeof(hy_tape_part))};
    if (hy__multiply((size_t)ops, sizeof(hy_tape_op), &size)) {
        tape->ops = hy__memory_take(memory, size);
    }
    if (tape->ops == NULL || tape->parts == NULL) {
        hy__reason(reason, HY_CAUSE_MEMORY, "no memory for a tape of %llu operations",
                   (unsigned long long)ops);
        return false;
    }
    return true;
}

hy_tape_op *hy__tape_add(hy_tape *tape, hy_tape_kind kind, uint32_t slot, uint32_t size,
                         uint32_t old)
{
    hy_tape_op *const op = &tape->ops[tape->op_count++];
    *op = (hy_tape_op){.slot = slot, .size = size, .old = old, .kind = (uint8_t)kind};
    return op;
}

void hy__tape_end_part(hy_tape *tape, hy_tape_kind kind, bool is_timed, bool is_sampled)
{
    const hy_tape_part *const next = &tape->parts[tape->part_count];
    const uint64_t first = tape->part_count == 0 ? 0 : next[-1].first + next[-1].count;
    const uint64_t count = tape->op_count - first;
    const bool is_double = kind == HY_TAPE_SWAP || kind == HY_TAPE_PAIR;
    tape->parts[tape->part_count++] = (hy_tape_part){
        .first = first,
        .count = count,
        .kind = kind,
        .is_timed = is_timed,
        .is_sampled = is_sampled,
    };
    tape->operations += is_timed ? count << is_double : 0;
}
