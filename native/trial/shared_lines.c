/*
 * shared_lines.c: how many cache lines hold blocks of several threads (false sharing).
 *
 * Whose a block is follows from the plan alone: the thread of the last op that gives its slot a
 * block. So the calls themselves pay nothing for this figure.
 */
#include "trial/model.h"
#include "trial/names.h"
#include "trial/structure.h"

#define LINE_BITS 6

typedef struct piece {
    uintptr_t first; /* line */
    uintptr_t last;
    uint64_t thread;
} piece;

/* In ascending order of lines: a heap sort, since qsort may allocate. */
static void sift(piece *pieces, size_t root, size_t count)
{
    while (2 * root + 1 < count) {
        size_t child = 2 * root + 1;
        child += child + 1 < count && pieces[child].first < pieces[child + 1].first;
        if (pieces[root].first >= pieces[child].first) {
            return;
        }
        const piece swapped = pieces[root];
        pieces[root] = pieces[child];
        pieces[child] = swapped;
        root = child;
    }
}

static void sort(piece *pieces, size_t count)
{
    for (size_t root = count / 2; root-- > 0;) {
        sift(pieces, root, count);
    }
    for (size_t end = count; end-- > 1;) {
        const piece swapped = pieces[0];
        pieces[0] = pieces[end];
        pieces[end] = swapped;
        sift(pieces, 0, end);
    }
}

/* Two neighbours share a line where one ends in the line in which the other begins; that line is
 * counted once. */
static uint64_t count_shared(const piece *pieces, size_t count)
{
    uint64_t shared = 0;
    uintptr_t counted = 0;
    for (size_t i = 1; i < count; i++) {
        const piece *const before = &pieces[i - 1];
        if (before->last == pieces[i].first && before->thread != pieces[i].thread &&
            counted != pieces[i].first) {
            counted = pieces[i].first;
            shared++;
        }
    }
    return shared;
}

static void find_threads(const hy_engine *engine, uint64_t *threads)
{
    uint64_t thread = 0;
    uint64_t returns = 0;
    unsigned open = 0;
    for (uint64_t i = 0; i < engine->state->op; i++) {
        const hy_plan_op *const op = &engine->plan.ops[i];
        if (hy__opens_section(op->op)) {
            returns = open++ == 0 ? thread : returns;
        } else if (op->op == HY_OP_END_SECTION) {
            thread = --open == 0 ? returns : thread;
        } else if (op->op == HY_OP_ON_THREAD) {
            thread = op->size;
        } else if (op->op == HY_OP_JOIN) {
            thread = op->size == thread ? 0 : thread;
        } else if (op->slot != HY_PLAN_NO_SLOT && (hy__op_facts[op->op].fields & HY_FIELD_SIZE)) {
            threads[op->slot] = thread;
        }
    }
}

static size_t collect(const hy_engine *engine, const uint64_t *threads, piece *pieces)
{
    size_t count = 0;
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        const hy_slot *const slot = &engine->slots[i];
        if (slot->address != NULL) {
            const uintptr_t start = (uintptr_t)slot->address;
            const uintptr_t last = start + hy__extent_of(slot->size) - 1;
            pieces[count++] = (piece){start >> LINE_BITS, last >> LINE_BITS, threads[i]};
        }
    }
    return count;
}

uint64_t hy__shared_lines(const hy_engine *engine)
{
    uint64_t *const threads = hy__memory_take(engine->memory, engine->slot_count * sizeof *threads);
    piece *const pieces = hy__memory_take(engine->memory, engine->slot_count * sizeof *pieces);
    if (threads == NULL || pieces == NULL) {
        return 0;
    }
    find_threads(engine, threads);
    const size_t count = collect(engine, threads, pieces);
    sort(pieces, count);
    return count_shared(pieces, count);
}
