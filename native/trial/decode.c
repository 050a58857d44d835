#include "trial/decode.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/bits.h"
#include "trial/names.h"
#include "trial/structure.h"

#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_PLAN, __VA_ARGS__), false)

static bool header_is_sound(const hy_plan_header *header, hy_reason *reason)
{
    if (memcmp(header->magic, HY_PLAN_MAGIC, sizeof header->magic) != 0) {
        return REFUSE(reason, "bad plan: it does not start with " HY_PLAN_MAGIC);
    }
    if (header->version != HY_PLAN_VERSION) {
        return REFUSE(reason, "bad plan: version %" PRIu32 ", this engine reads version %u",
                      header->version, HY_PLAN_VERSION);
    }
    if ((header->checks & ~(uint32_t)HY_CHECK_ALL) != 0) {
        return REFUSE(reason, "bad plan: unknown checks 0x%" PRIx32,
                      header->checks & ~(uint32_t)HY_CHECK_ALL);
    }
    if ((header->flags & ~HY_PLAN_WEAK_ALIGN) != 0) {
        return REFUSE(reason, "bad plan: unknown flags 0x%" PRIx32,
                      header->flags & ~HY_PLAN_WEAK_ALIGN);
    }
    if (header->slots > HY_PLAN_MAX_SLOTS) {
        return REFUSE(reason, "bad plan: %" PRIu32 " slots, at most %" PRIu32, header->slots,
                      HY_PLAN_MAX_SLOTS);
    }
    if (header->repeat == 0) {
        return REFUSE(reason, "bad plan: repeat is 0, must be at least 1");
    }
    if (header->alignment != 0 &&
        (!hy__is_power_of_two(header->alignment) || header->alignment > HY_PLAN_MAX_ALIGNMENT)) {
        return REFUSE(reason, "bad plan: alignment %" PRIu32 ", must be 0 or a power of two <= %u",
                      header->alignment, HY_PLAN_MAX_ALIGNMENT);
    }
    if (header->reserved != 0) {
        return REFUSE(reason, "bad plan: the reserved field is %" PRIu64 ", must be 0",
                      header->reserved);
    }
    return true;
}

/* The size that the header promises is the size that is there. */
static bool size_is_right(const hy_plan_header *header, size_t size, hy_reason *reason)
{
    size_t ops_size;
    size_t expected = sizeof *header + (size_t)header->operand_count * sizeof(uint64_t);
    if (!hy__multiply((size_t)header->op_count, sizeof(hy_plan_op), &ops_size) ||
        !hy__add(expected, ops_size, &expected) || expected != size) {
        return REFUSE(reason,
                      "bad plan: %zu bytes do not hold %" PRIu32 " operands and %" PRIu64 " ops",
                      size, header->operand_count, header->op_count);
    }
    return true;
}

static bool slot_is_sound(const hy_plan *plan, const hy_plan_op *op, uint8_t fields)
{
    if (op->slot == HY_PLAN_NO_SLOT) {
        return (fields & HY_FIELD_SLOT) == 0;
    }
    return (fields & (HY_FIELD_SLOT | HY_FIELD_SLOT_OPT)) != 0 && op->slot < plan->header.slots;
}

/* Within HY_PLAN_MAX_STRAY of 0, as a signed number. */
static bool offset_is_near(uint64_t offset)
{
    return offset + HY_PLAN_MAX_STRAY <= 2 * HY_PLAN_MAX_STRAY;
}

/* Kinds of system calls: at least one, and no others. */
static bool kinds_are_sound(const hy_plan_op *op, uint64_t kinds)
{
    const uint64_t known = HY_OS_EVERY | (op->op == HY_OP_FAIL_OS ? HY_OS_ONWARD : 0u);
    return (kinds & ~known) == 0 && (kinds & HY_OS_EVERY) != 0;
}

/* What an operand may be, where that is not left to the target. */
static bool operand_is_sound(const hy_plan_op *op, uint64_t operand)
{
    switch (op->op) {
    case HY_OP_FOREIGN:
        return operand < HY_FOREIGN_COUNT;
    case HY_OP_WRITE_AT:
    case HY_OP_WRITE_STALE:
        return operand <= HY_PLAN_MAX_STRAY;
    case HY_OP_FAIL_OS:
    case HY_OP_COUNT_OS:
        return kinds_are_sound(op, operand);
    default:
        return true;
    }
}

static bool arg_is_sound(const hy_plan *plan, const hy_plan_op *op, uint8_t fields)
{
    if ((fields & HY_FIELD_ARG) == 0) {
        return op->arg == HY_PLAN_NO_ARG;
    }
    return op->arg != HY_PLAN_NO_ARG && op->arg < plan->header.operand_count &&
           operand_is_sound(op, plan->operands[op->arg]);
}

/* One more than the highest slot that an op uses: any number where they run past the last. */
static uint64_t end_of_slots(const hy_plan *plan, const hy_plan_op *op)
{
    if (op->op != HY_OP_MALLOC_MANY && op->op != HY_OP_FREE_MANY) {
        return (uint64_t)op->slot + 1;
    }
    const uint64_t count = plan->operands[op->arg];
    const uint64_t step = op->op == HY_OP_FREE_MANY ? op->size : 1;
    const bool fits = count <= HY_PLAN_MAX_SLOTS && step <= HY_PLAN_MAX_SLOTS;
    return !fits ? UINT64_MAX : op->slot + (count > 0 ? (count - 1) * step : 0) + 1;
}

static bool measures(const hy_plan_op *op)
{
    return op->op == HY_OP_MEASURE || op->op == HY_OP_TREND;
}

static bool size_is_sound(const hy_plan *plan, const hy_plan_op *op, uint8_t fields)
{
    if ((fields & HY_FIELD_SIZE) == 0) {
        return op->size == 0;
    }
    switch (op->op) {
    case HY_OP_MEASURE:
    case HY_OP_TREND:
        return op->size < HY_MEASURE_COUNT;
    case HY_OP_IDLE:
    case HY_OP_AWAIT:
    case HY_OP_STIR:
        return op->size <= HY_PLAN_MAX_MILLISECONDS;
    case HY_OP_SET_ERRNO:
        return op->size <= INT_MAX;
    case HY_OP_ALIAS:
    case HY_OP_LINK_STALE:
        return op->size < plan->header.slots;
    case HY_OP_FOREIGN:
    case HY_OP_WRITE_PAST:
    case HY_OP_READ_STALE:
        return op->size <= HY_PLAN_MAX_STRAY;
    case HY_OP_FREE_AT:
    case HY_OP_WRITE_AT:
    case HY_OP_WRITE_STALE:
        return offset_is_near(op->size);
    case HY_OP_EARLY:
        return op->size < HY_PLAN_EARLY_BLOCKS;
    case HY_OP_STACK:
        return op->size == 0 ||
               (op->size >= HY_PLAN_LEAST_STACK && op->size <= HY_PLAN_LARGEST_STACK);
    case HY_OP_COUNT_COST:
        return op->size <= HY_COST_NANOSECONDS;
    case HY_OP_FAIL_OS:
    case HY_OP_FREE_MANY:
        return op->size > 0;
    default:
        return true;
    }
}

static bool expect_is_sound(const hy_plan_op *op, uint8_t expects)
{
    return (op->expect & ~expects) == 0 && (op->expect & HY_EXPECT_OUTCOME) != HY_EXPECT_OUTCOME;
}

/* The field of an op that is out of range, or NULL. */
static const char *bad_field(const hy_plan *plan, const hy_plan_op *op, const hy_op_facts *facts)
{
    if (!slot_is_sound(plan, op, facts->fields)) {
        return "slot";
    }
    if (!arg_is_sound(plan, op, facts->fields)) {
        return "arg";
    }
    if (!size_is_sound(plan, op, facts->fields)) {
        return "size";
    }
    if (op->slot != HY_PLAN_NO_SLOT && end_of_slots(plan, op) > plan->header.slots) {
        return "slot";
    }
    return expect_is_sound(op, facts->expects) ? NULL : "expect";
}

static unsigned long long field_value(const hy_plan_op *op, const char *field)
{
    switch (field[0]) {
    case 's':
        return field[1] == 'l' ? op->slot : op->size;
    case 'a':
        return op->arg;
    default:
        return op->expect;
    }
}

/* The entry point that an op calls, as a bit. */
static uint32_t functions_of(const hy_plan_op *op, const hy_op_facts *facts)
{
    if (measures(op) && op->size == HY_MEASURE_USABLE_BYTES) {
        return UINT32_C(1) << HY_FUNCTION_usable_size;
    }
    return facts->function == HY_FUNCTION_none ? 0 : UINT32_C(1) << facts->function;
}

static void note_slots(hy_plan *plan, const hy_plan_op *op)
{
    const bool names_two = op->op == HY_OP_ALIAS || op->op == HY_OP_LINK_STALE;
    const uint32_t other = names_two ? (uint32_t)op->size + 1 : 0;
    const uint32_t own = op->slot != HY_PLAN_NO_SLOT ? (uint32_t)end_of_slots(plan, op) : 0;
    const uint32_t most = other > own ? other : own;
    plan->slots_used = most > plan->slots_used ? most : plan->slots_used;
}

static bool ops_are_sound(hy_plan *plan, hy_reason *reason)
{
    for (uint64_t i = 0; i < plan->header.op_count; i++) {
        const hy_plan_op *const op = &plan->ops[i];
        if (!hy__op_is_known(op->op)) {
            return REFUSE(reason, "bad plan: op %" PRIu64 ": unknown op %u", i, op->op);
        }
        const hy_op_facts *const facts = &hy__op_facts[op->op];
        const char *const field = bad_field(plan, op, facts);
        if (field != NULL) {
            return REFUSE(reason, "bad plan: op %" PRIu64 " (%s): %s %llu is not valid", i,
                          facts->name, field, field_value(op, field));
        }
        plan->functions |= functions_of(op, facts);
        plan->has_structure |= hy__is_structure(op->op);
        note_slots(plan, op);
    }
    return true;
}

bool hy__plan_decode(const void *data, size_t size, hy_plan *plan, hy_reason *reason)
{
    if (size < sizeof(hy_plan_header)) {
        return REFUSE(reason, "bad plan: %zu bytes, the header alone has %zu", size,
                      sizeof(hy_plan_header));
    }
    memcpy(&plan->header, data, sizeof plan->header);
    plan->functions = 0;
    plan->slots_used = 0;
    plan->has_structure = false;
    if (!header_is_sound(&plan->header, reason) || !size_is_right(&plan->header, size, reason)) {
        return false;
    }
    const unsigned char *const body = (const unsigned char *)data + sizeof plan->header;
    plan->operands = (const uint64_t *)(const void *)body;
    plan->ops = (const hy_plan_op *)(const void *)(plan->operands + plan->header.operand_count);
    return ops_are_sound(plan, reason) &&
           (!plan->has_structure || hy__structure_is_sound(plan, reason));
}

const char *hy__op_name_at(const hy_plan *plan, uint64_t index)
{
    return index < plan->header.op_count ? hy__op_facts[plan->ops[index].op].name : "end";
}
