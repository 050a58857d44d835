#include "record/convert.h"

#include <stdlib.h>

#include "base/bits.h"
#include "record/live.h"

#define THREADS       (1u << HY_WORD_THREAD_BITS)
#define MOST_OPERANDS ((uint32_t)HY_PLAN_NO_ARG - 1)
#define OPERAND_TABLE ((uint32_t)1 << 17) /* entries of the hash table: twice the operands */

static const char *const no_memory = "there is not enough memory to convert it";

/* A realloc between its two numbers: the old block may be freed by now, or still be there. */
typedef struct pending {
    uint64_t start; /* the word where it began */
    hy_live_block block;
} pending;

typedef struct conversion {
    const uint64_t *words;
    uint64_t count;
    hy_convert_options options;
    hy_converted *result;
    hy_live live;
    pending *started; /* as many as there are reallocs at one time: one a thread */
    size_t started_count;
    size_t started_capacity;
    uint16_t *operand_index; /* operand + 1 by hash */
    uint8_t seen[THREADS];
    const char *trouble;
} conversion;

/* One call, taken apart. */
typedef struct hy_call {
    uint64_t at;
    unsigned kind;
    uint64_t address;
    uint64_t arguments[3];
} hy_call;

static const uint8_t argument_counts[HY_WORD_COUNT] = {
#define COUNT(value, name, text, arguments) [value] = (arguments),
    HY_RECORDING_KINDS(COUNT)
#undef COUNT
};

static unsigned kind_of(uint64_t word)
{
    return (unsigned)(word & ((1u << HY_WORD_KIND_BITS) - 1));
}

/* ---- operands ---- */

/* The index of an operand, or HY_PLAN_NO_ARG where the table is full. */
static uint16_t operand(conversion *c, uint64_t value)
{
    uint32_t at = (uint32_t)((value * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & (OPERAND_TABLE - 1);
    while (c->operand_index[at] != 0) {
        const uint16_t index = (uint16_t)(c->operand_index[at] - 1);
        if (c->result->operands[index] == value) {
            return index;
        }
        at = (at + 1) & (OPERAND_TABLE - 1);
    }
    if (c->result->operand_count == MOST_OPERANDS) {
        return HY_PLAN_NO_ARG;
    }
    const uint16_t index = (uint16_t)c->result->operand_count++;
    c->result->operands[index] = value;
    c->operand_index[at] = (uint16_t)(index + 1);
    return index;
}

/* ---- operations ---- */

static void emit(conversion *c, hy_plan_op op)
{
    c->result->ops[c->result->op_count++] = op;
}

static void emit_free(conversion *c, uint32_t slot)
{
    emit(c, (hy_plan_op){.op = HY_OP_FREE, .arg = HY_PLAN_NO_ARG, .slot = slot});
}

/* A call of `bytes` in all whose count does not fit the table of operands, or that must be plain. */
static hy_plan_op plainly(uint8_t op, uint64_t bytes)
{
    return (hy_plan_op){.op = op, .arg = HY_PLAN_NO_ARG, .size = bytes};
}

static hy_plan_op with_operand(conversion *c, uint8_t op, uint64_t arg, uint64_t size)
{
    return (hy_plan_op){.op = op, .arg = operand(c, arg), .size = size};
}

static hy_plan_op counted(conversion *c, uint8_t op, const hy_call *call, uint64_t bytes)
{
    const hy_plan_op exact = with_operand(c, op, call->arguments[0], call->arguments[1]);
    return exact.arg != HY_PLAN_NO_ARG ? exact : with_operand(c, op, 1, bytes);
}

static hy_plan_op aligned(conversion *c, uint8_t op, const hy_call *call)
{
    if (c->options.plain) {
        return plainly(HY_OP_MALLOC, call->arguments[1]);
    }
    const hy_plan_op exact = with_operand(c, op, call->arguments[0], call->arguments[1]);
    return exact.arg != HY_PLAN_NO_ARG ? exact : plainly(HY_OP_MALLOC, call->arguments[1]);
}

/* The operation for a call that answered a block, without its slot. */
static hy_plan_op operation(conversion *c, const hy_call *call, uint64_t bytes)
{
    switch (call->kind) {
    case HY_WORD_CALLOC:
        return counted(c, HY_OP_CALLOC, call, bytes);
    case HY_WORD_REALLOCARRAY:
        return c->options.plain ? plainly(HY_OP_REALLOC, bytes)
                                : counted(c, HY_OP_REALLOCARRAY, call, bytes);
    case HY_WORD_REALLOC:
        return plainly(HY_OP_REALLOC, bytes);
    case HY_WORD_ALIGNED_ALLOC:
        return aligned(c, HY_OP_ALIGNED_ALLOC, call);
    case HY_WORD_POSIX_MEMALIGN:
        return aligned(c, HY_OP_POSIX_MEMALIGN, call);
    case HY_WORD_MEMALIGN:
        return aligned(c, HY_OP_MEMALIGN, call);
    case HY_WORD_VALLOC:
        return plainly(c->options.plain ? HY_OP_MALLOC : HY_OP_VALLOC, bytes);
    case HY_WORD_PVALLOC:
        return plainly(c->options.plain ? HY_OP_MALLOC : HY_OP_PVALLOC, bytes);
    default:
        return plainly(HY_OP_MALLOC, bytes);
    }
}

/* ---- what is live ---- */

static unsigned bin_of(uint64_t bytes)
{
    return bytes == 0 ? 0 : hy__log2_floor(bytes) + 1;
}

static void note_block(conversion *c, uint64_t bytes)
{
    hy_converted *const result = c->result;
    result->allocated += bytes;
    result->sizes[bin_of(bytes)]++;
    result->live_bytes += bytes;
    if (result->live_bytes > result->peak_bytes) {
        result->peak_bytes = result->live_bytes;
        result->peak_blocks = c->live.count;
        result->peak_op = result->op_count;
    }
}

static void end_block(conversion *c, const hy_live_block *block)
{
    c->result->live_bytes -= block->size;
    if (!hy__live_vacate(&c->live, block->slot)) {
        c->trouble = no_memory;
    }
}

/* Whatever the recording still has at an address that is handed out again. */
static void free_lost(conversion *c, uint64_t address)
{
    hy_live_block old;
    if (hy__live_remove(&c->live, address, &old)) {
        c->result->lost++;
        emit_free(c, old.slot);
        end_block(c, &old);
    }
}

static void add_block(conversion *c, const hy_call *call, uint32_t slot, uint64_t bytes)
{
    hy_plan_op op = operation(c, call, bytes);
    op.slot = slot;
    op.expect = bytes == 0 ? HY_EXPECT_EITHER : HY_EXPECT_SUCCESS;
    if (!hy__live_add(&c->live,
                      (hy_live_block){.address = call->address, .size = bytes, .slot = slot})) {
        c->trouble = no_memory;
        return;
    }
    note_block(c, bytes);
    emit(c, op);
}

/* ---- calls ---- */

static uint64_t bytes_of(const hy_call *call)
{
    size_t product;
    switch (call->kind) {
    case HY_WORD_CALLOC:
    case HY_WORD_REALLOCARRAY:
        return hy__multiply(call->arguments[0], call->arguments[1], &product) ? product
                                                                              : HY_WORD_MOST;
    case HY_WORD_ALIGNED_ALLOC:
    case HY_WORD_POSIX_MEMALIGN:
    case HY_WORD_MEMALIGN:
        return call->arguments[1];
    default:
        return call->arguments[0];
    }
}

static void convert_new(conversion *c, const hy_call *call)
{
    if (call->address == 0) {
        c->result->failed++;
        return;
    }
    free_lost(c, call->address);
    add_block(c, call, hy__live_claim(&c->live), bytes_of(call));
}

static void convert_free(conversion *c, const hy_call *call)
{
    hy_live_block block;
    if (call->address == 0) {
        c->result->free_null++;
        emit_free(c, HY_PLAN_NO_SLOT);
    } else if (hy__live_remove(&c->live, call->address, &block)) {
        emit_free(c, block.slot);
        end_block(c, &block);
    } else {
        c->result->unknown++;
    }
}

static void start_realloc(conversion *c, const hy_call *call)
{
    pending begun = {.start = call->at};
    if (!hy__live_remove(&c->live, call->address, &begun.block)) {
        c->result->unknown++;
        return;
    }
    if (c->started_count == c->started_capacity) {
        const size_t capacity = c->started_capacity * 2 + 16;
        pending *const larger = reallocarray(c->started, capacity, sizeof *larger);
        if (larger == NULL) {
            c->trouble = no_memory;
            return;
        }
        c->started = larger;
        c->started_capacity = capacity;
    }
    c->started[c->started_count++] = begun;
}

/* Takes the realloc that began at a word off the list; false where its block is unknown. */
static bool take_started(conversion *c, uint64_t start, hy_live_block *block)
{
    for (size_t i = c->started_count; i-- > 0;) {
        if (c->started[i].start == start) {
            *block = c->started[i].block;
            c->started[i] = c->started[--c->started_count];
            return true;
        }
    }
    return false;
}

/* No block came: the old one was freed (size 0), or is still where it was. */
static void end_realloc_without_block(conversion *c, const hy_live_block *old, uint64_t bytes)
{
    if (bytes == 0) {
        emit_free(c, old->slot);
        end_block(c, old);
    } else if (!hy__live_add(&c->live, *old)) {
        c->trouble = no_memory;
    }
}

static void end_realloc(conversion *c, const hy_call *call)
{
    const uint64_t bytes = bytes_of(call);
    const uint64_t distance = call->arguments[argument_counts[call->kind] - 1];
    hy_live_block old;
    const bool has_old = distance != 0 && take_started(c, call->at - distance, &old);
    c->result->failed += call->address == 0 && bytes != 0;
    if (call->address == 0) {
        if (has_old) {
            end_realloc_without_block(c, &old, bytes);
        }
        return;
    }
    free_lost(c, call->address);
    if (has_old) {
        c->result->live_bytes -= old.size;
    }
    add_block(c, call, has_old ? old.slot : hy__live_claim(&c->live), bytes);
}

static void convert_call(conversion *c, const hy_call *call)
{
    c->result->calls[call->kind]++;
    switch (call->kind) {
    case HY_WORD_FREE:
        convert_free(c, call);
        break;
    case HY_WORD_REALLOC_START:
        start_realloc(c, call);
        break;
    case HY_WORD_REALLOC:
    case HY_WORD_REALLOCARRAY:
        end_realloc(c, call);
        break;
    default:
        convert_new(c, call);
        break;
    }
}

/* Reads the arguments of a call; false where they are not all there. */
static bool read_arguments(const conversion *c, hy_call *call)
{
    const unsigned count = argument_counts[call->kind];
    if (count >= c->count - call->at) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        const uint64_t word = c->words[call->at + 1 + i];
        if (kind_of(word) != HY_WORD_ARGUMENT) {
            return false;
        }
        call->arguments[i] = word >> HY_WORD_KIND_BITS;
    }
    return true;
}

static void note_thread(conversion *c, uint64_t word)
{
    const unsigned thread = (unsigned)(word >> HY_WORD_KIND_BITS) & (THREADS - 1);
    c->result->threads += c->seen[thread] == 0;
    c->seen[thread] = 1;
}

/* Converts what begins at a word; how many words it was. */
static uint64_t convert_at(conversion *c, uint64_t at)
{
    const uint64_t word = c->words[at];
    hy_call call = {.at = at, .kind = kind_of(word)};
    call.address = word >> (HY_WORD_KIND_BITS + HY_WORD_THREAD_BITS);
    if (call.kind <= HY_WORD_ARGUMENT) {
        c->result->cut++;
        return 1;
    }
    if (call.kind >= HY_WORD_COUNT) {
        c->trouble = "it is damaged: a word of a kind that this version does not know";
        return 1;
    }
    if (!read_arguments(c, &call)) {
        c->result->cut++;
        return 1;
    }
    note_thread(c, word);
    convert_call(c, &call);
    return 1u + argument_counts[call.kind];
}

static void convert_all(conversion *c)
{
    (void)operand(c, 1); /* the count of any calloc, once the table is full */
    for (uint64_t at = 0; at < c->count && c->trouble == NULL;) {
        at += convert_at(c, at);
    }
    if (c->live.slots > HY_PLAN_MAX_SLOTS) {
        c->trouble = "more than 2^24 blocks are live at one time, the most that a plan can have";
    }
    /* Cut off inside a realloc: the block was there. */
    c->result->live_blocks = c->live.count + c->started_count;
    c->result->slots = c->live.slots;
}

const char *hy__convert(const uint64_t *words, uint64_t count, hy_convert_options options,
                        hy_converted *result)
{
    conversion c = {.words = words, .count = count, .options = options, .result = result};
    c.operand_index = calloc(OPERAND_TABLE, sizeof *c.operand_index);
    if (!hy__live_open(&c.live) || c.operand_index == NULL) {
        c.trouble = no_memory;
    } else {
        convert_all(&c);
    }
    hy__live_close(&c.live);
    free(c.operand_index);
    free(c.started);
    return c.trouble;
}
