#include "trial/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/bits.h"
#include "trial/threads.h"

/* Bytes that a block may take beside those asked for. */
#define ROUNDING 64u

static void write_text(char *to, size_t size, const char *format, va_list arguments)
{
    (void)vsnprintf(to, size, format, arguments);
}

HY_PRINTF(2, 3) static void expected(hy_engine *engine, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_text(engine->outcome->violation.expected, sizeof engine->outcome->violation.expected,
               format, arguments);
    va_end(arguments);
}

HY_PRINTF(2, 3) static void seen(hy_engine *engine, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_text(engine->outcome->violation.seen, sizeof engine->outcome->violation.seen, format,
               arguments);
    va_end(arguments);
}

/* The block that it is about, after both texts. */
static bool violate(hy_engine *engine, uint32_t kind, const hy_slot *slot, const void *address,
                    size_t size)
{
    hy_violation *const violation = &engine->outcome->violation;
    violation->kind = kind;
    violation->slot = hy__slot_number(engine, slot);
    violation->size = size;
    violation->address = (uintptr_t)address;
    engine->outcome->status = HY_STATUS_VIOLATION;
    return false;
}

/* "ENOMEM", "EINVAL", "0", or a number. */
static const char *errno_text(int value, char *buffer, size_t size)
{
    switch (value) {
    case 0:
        return "0";
    case ENOMEM:
        return "ENOMEM";
    case EINVAL:
        return "EINVAL";
    default:
        (void)snprintf(buffer, size, "%d", value);
        return buffer;
    }
}

/* Which errors a failure may say, as a text; NULL: any. */
static const char *allowed_errors(uint8_t expect)
{
    switch (expect & (HY_EXPECT_ENOMEM | HY_EXPECT_EINVAL)) {
    case HY_EXPECT_ENOMEM:
        return "ENOMEM";
    case HY_EXPECT_EINVAL:
        return "EINVAL";
    case HY_EXPECT_ENOMEM | HY_EXPECT_EINVAL:
        return "ENOMEM or EINVAL";
    default:
        return NULL;
    }
}

static bool error_is_allowed(uint8_t expect, int value)
{
    return allowed_errors(expect) == NULL ||
           ((expect & HY_EXPECT_ENOMEM) != 0 && value == ENOMEM) ||
           ((expect & HY_EXPECT_EINVAL) != 0 && value == EINVAL);
}

static const hy_slot *slot_of(const hy_engine *engine, const hy_plan_op *op)
{
    return op->slot == HY_PLAN_NO_SLOT ? NULL : &engine->slots[op->slot];
}

static bool violate_call(hy_engine *engine, uint32_t kind, const hy_plan_op *op,
                         const void *address)
{
    return violate(engine, kind, slot_of(engine, op), address, op->size);
}

bool hy__judge_errno(hy_engine *engine, const hy_plan_op *op)
{
    const int value = *engine->errno_address;
    if ((op->expect & HY_EXPECT_ERRNO_KEPT) == 0 || value == engine->errno_value ||
        !hy__checks(engine, HY_CHECK_ERRNO)) {
        return true;
    }
    char was[16];
    char is[16];
    expected(engine, "errno left at %s", errno_text(engine->errno_value, was, sizeof was));
    seen(engine, "errno is %s after the call", errno_text(value, is, sizeof is));
    return violate_call(engine, HY_CHECK_ERRNO, op, NULL);
}

/* posix_memalign answers its errors; every other call sets errno. */
static bool judge_error(hy_engine *engine, const hy_plan_op *op, int code)
{
    const bool returns_it = op->op == HY_OP_POSIX_MEMALIGN;
    const uint32_t kind = returns_it ? HY_CHECK_RETURN_CODE : HY_CHECK_ERRNO;
    const char *const allowed = allowed_errors(op->expect);
    const bool is_error = !returns_it || code == ENOMEM || code == EINVAL;
    if (!hy__checks(engine, kind) || (is_error && error_is_allowed(op->expect, code))) {
        return true;
    }
    char text[16];
    expected(engine, "a failure that %s %s", returns_it ? "returns" : "sets errno to",
             allowed != NULL ? allowed : "ENOMEM or EINVAL");
    seen(engine, "%s %s", returns_it ? "it returned" : "NULL, with errno",
         errno_text(code, text, sizeof text));
    return violate_call(engine, kind, op, NULL);
}

static bool asks_for_nothing(const hy_engine *engine, const hy_plan_op *op)
{
    const bool counts = op->op == HY_OP_CALLOC || op->op == HY_OP_REALLOCARRAY;
    return op->size == 0 || (counts && engine->plan.operands[op->arg] == 0);
}

/* All that is live, and its rounding, may be half of what the target says that it can hold: the
 * other half is left to headers, gaps between blocks, and a realloc that needs both places. */
static bool is_within_means(const hy_engine *engine, const hy_plan_op *op)
{
    const size_t most = engine->target->max_size / 2;
    const bool counts = op->op == HY_OP_CALLOC || op->op == HY_OP_REALLOCARRAY;
    size_t sum;
    if (engine->target->max_size >= PTRDIFF_MAX) {
        return true; /* no bound was declared */
    }
    if (!hy__multiply(counts ? engine->plan.operands[op->arg] : 1, op->size, &sum) || sum > most) {
        return false;
    }
    for (uint32_t i = 0; i < engine->slot_count && sum <= most; i++) {
        const hy_slot *const slot = &engine->slots[i];
        sum += slot->address != NULL ? hy__extent_of(slot->size) + ROUNDING : 0;
    }
    return sum <= most;
}

static bool judge_failure(hy_engine *engine, const hy_plan_op *op, int code)
{
    if ((op->expect & HY_EXPECT_OUTCOME) == HY_EXPECT_SUCCESS &&
        hy__checks(engine, HY_CHECK_NULL) && is_within_means(engine, op)) {
        char text[16];
        expected(engine, "a block of %" PRIu64 " bytes", op->size);
        seen(engine, "NULL (%s %s)", op->op == HY_OP_POSIX_MEMALIGN ? "returned" : "errno",
             errno_text(code, text, sizeof text));
        return violate_call(engine, HY_CHECK_NULL, op, NULL);
    }
    if (asks_for_nothing(engine, op) && (op->expect & HY_EXPECT_OUTCOME) == HY_EXPECT_EITHER) {
        return true; /* NULL for no bytes is an answer, not an error */
    }
    return judge_error(engine, op, code);
}

bool hy__judge_result(hy_engine *engine, const hy_plan_op *op, const void *result, int code)
{
    if (result == NULL && !judge_failure(engine, op, code)) {
        return false;
    }
    if (result != NULL && (op->expect & HY_EXPECT_OUTCOME) == HY_EXPECT_FAILURE &&
        hy__checks(engine, HY_CHECK_REFUSE)) {
        const char *const allowed = allowed_errors(op->expect);
        expected(engine, "a failure%s%s", allowed != NULL ? " with " : "",
                 allowed != NULL ? allowed : "");
        seen(engine, "a block at %p", result);
        return violate_call(engine, HY_CHECK_REFUSE, op, result);
    }
    /* a failure where a success was expected has a right to its errno */
    const bool surprises = result == NULL && (op->expect & HY_EXPECT_OUTCOME) == HY_EXPECT_SUCCESS;
    return surprises || hy__judge_errno(engine, op);
}

bool hy__report_alignment(hy_engine *engine, const hy_slot *slot, const void *address, size_t size,
                          size_t alignment)
{
    expected(engine, "an address that is a multiple of %zu", alignment);
    seen(engine, "%p, a multiple of %zu only", address,
         (size_t)((uintptr_t)address & -(uintptr_t)address));
    return violate(engine, HY_CHECK_ALIGN, slot, address, size);
}

bool hy__report_outside(hy_engine *engine, const hy_slot *slot, const void *address, size_t size)
{
    expected(engine, "a block inside the address space");
    seen(engine, "%zu bytes at %p run past its end", size, address);
    return violate(engine,
                   hy__checks(engine, HY_CHECK_OVERLAP) ? HY_CHECK_OVERLAP : HY_CHECK_MAPPED, slot,
                   address, size);
}

bool hy__report_engine_met(hy_engine *engine, const hy_slot *slot, const void *address, size_t size)
{
    expected(engine, "a block in memory of the target's own");
    seen(engine, "%zu bytes at %p, in memory that is the engine's", size, address);
    return violate(engine, HY_CHECK_ENGINE, slot, address, size);
}

/* The live block that shares a byte with [start, end); `but` does not count. */
static const hy_slot *owner_of(const hy_engine *engine, const hy_slot *but, uintptr_t start,
                               uintptr_t end)
{
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        const hy_slot *const slot = &engine->slots[i];
        const uintptr_t address = (uintptr_t)slot->address;
        if (slot != but && address != 0 && address < end &&
            start < address + hy__extent_of(slot->size)) {
            return slot;
        }
    }
    return NULL;
}

/* Where threads run at once, the other's slot may not name its block yet. */
static const hy_slot *owner_soon(const hy_engine *engine, const hy_slot *but, uintptr_t start,
                                 uintptr_t end)
{
    const hy_slot *owner = owner_of(engine, but, start, end);
    for (unsigned i = 0; owner == NULL && engine->index.shared != NULL && i < 1000; i++) {
        (void)sched_yield();
        owner = owner_of(engine, but, start, end);
    }
    return owner;
}

/* The index alone knows of it: the other thread's slot still does not. */
static bool report_unnamed_overlap(hy_engine *engine, const hy_slot *slot, const void *address,
                                   size_t size)
{
    expected(engine, "%zu bytes that no live block owns", size);
    seen(engine, "%zu bytes at %p, where another thread holds a block", size, address);
    return violate(engine, HY_CHECK_OVERLAP, slot, address, size);
}

static bool report_overlap(hy_engine *engine, const hy_slot *slot, const void *address, size_t size,
                           const hy_slot *owner)
{
    const void *const taken = owner->address;
    if (taken == NULL) { /* its thread has freed it in this moment */
        return report_unnamed_overlap(engine, slot, address, size);
    }
    expected(engine, "%zu bytes that no live block owns", size);
    seen(engine, "%zu bytes at %p, where slot %" PRIu32 " holds %zu bytes at %p", size, address,
         hy__slot_number(engine, owner), owner->size, taken);
    return violate(engine, HY_CHECK_OVERLAP, slot, address, size);
}

bool hy__settle_addresses(hy_engine *engine, const hy_slot *slot, const void *address, size_t size,
                          hy_index_answer answer)
{
    const uintptr_t start = (uintptr_t)address;
    const size_t extent = hy__extent_of(size);
    const bool is_certain = start % HY_INDEX_GRANULE == 0;
    const bool is_shared = engine->index.shared != NULL;
    if (answer == HY_INDEX_TAKEN) {
        /* slots of other threads change meanwhile: where the index is not sure, nobody is */
        const hy_slot *const owner =
            is_certain || !is_shared ? owner_soon(engine, slot, start, start + extent) : NULL;
        if (owner != NULL) {
            return report_overlap(engine, slot, address, size, owner);
        }
        if (is_certain && is_shared) {
            return report_unnamed_overlap(engine, slot, address, size);
        }
        answer = hy__index_insert_anyway(&engine->index, start, extent);
    }
    return answer == HY_INDEX_OK || hy__refuse_memory(engine, "the index of addresses");
}

bool hy__report_unmapped(hy_engine *engine, const hy_slot *slot, const void *address, size_t size)
{
    expected(engine, "a block in mapped memory");
    seen(engine, "%zu bytes at %p, where a page is not mapped", size, address);
    return violate(engine, HY_CHECK_MAPPED, slot, address, size);
}

bool hy__report_content(hy_engine *engine, const hy_slot *slot, const unsigned char *address,
                        size_t limit)
{
    const size_t at = hy__pattern_first_wrong(address, slot->filled, limit, slot->key);
    expected(engine, "0x%02x in byte %zu of %zu, as it was written",
             (unsigned)(hy__pattern_at(slot->key, at) & 0xff), at, slot->filled);
    seen(engine, "0x%02x", address[at]);
    return violate(engine, HY_CHECK_CONTENT, slot, address, slot->size);
}

bool hy__report_not_zero(hy_engine *engine, const hy_slot *slot, const unsigned char *address,
                         size_t size, size_t offset)
{
    expected(engine, "%zu bytes of zero", size);
    seen(engine, "0x%02x in byte %zu", address[offset], offset);
    return violate(engine, HY_CHECK_ZERO, slot, address, size);
}

bool hy__report_moved(hy_engine *engine, const hy_slot *slot, const void *address, size_t size)
{
    expected(engine, "the block stays at %p", (const void *)slot->address);
    seen(engine, "it moved to %p", address);
    return violate(engine, HY_CHECK_IN_PLACE, slot, address, size);
}

bool hy__report_usable(hy_engine *engine, const hy_slot *slot, size_t least, size_t usable)
{
    const bool none = slot == NULL || slot->address == NULL;
    expected(engine, none ? "a usable size of %zu for NULL" : "a usable size of at least %zu",
             least);
    seen(engine, "%zu", usable);
    return violate(engine, HY_CHECK_USABLE, slot, none ? NULL : slot->address,
                   none ? 0 : slot->size);
}

bool hy__report_memptr(hy_engine *engine, const hy_slot *slot, const void *address, int code)
{
    expected(engine, "a failing call leaves the pointer alone");
    seen(engine, "it returned %d and changed the pointer to %p", code, address);
    return violate(engine, HY_CHECK_MEMPTR, slot, address, 0);
}

bool hy__report_no_answer(hy_engine *engine, const hy_slot *slot)
{
    expected(engine, "0 and an address in *memptr, or an error code");
    seen(engine, "it returned 0 and left *memptr as it was");
    return violate(engine, HY_CHECK_RETURN_CODE, slot, NULL, 0);
}

bool hy__report_overflow(hy_engine *engine, const hy_slot *slot, const void *address,
                         uint64_t count, uint64_t size)
{
    expected(engine, "NULL: %" PRIu64 " * %" PRIu64 " does not fit in size_t", count, size);
    seen(engine, "a block at %p", address);
    return violate(engine, HY_CHECK_REFUSE, slot, address, size);
}

bool hy__report_self_check(hy_engine *engine, const char *text)
{
    expected(engine, "the target's own check finds nothing");
    seen(engine, "%s", text);
    return violate(engine, HY_CHECK_SELF_CHECK, NULL, NULL, 0);
}

bool hy__report_untold(hy_engine *engine)
{
    expected(engine, "the process to end, with a message that names the misuse");
    seen(engine, "the program went on");
    return violate(engine, HY_CHECK_MISUSE, NULL, NULL, 0);
}

bool hy__refuse_live_slot(hy_engine *engine, const hy_slot *slot)
{
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_PLAN,
               "bad plan: op %" PRIu64 " (%s): slot %" PRIu32 " still holds a block",
               engine->state->op, hy__op_name_at(&engine->plan, engine->state->op),
               hy__slot_number(engine, slot));
    return false;
}

bool hy__refuse_memory(hy_engine *engine, const char *what)
{
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_MEMORY, "no memory for %s", what);
    return false;
}

bool hy__refuse_symbol(hy_engine *engine, const char *what)
{
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_SYMBOL, "the plan needs %s", what);
    return false;
}

bool hy__refuse_thread(hy_engine *engine, const char *what, int error)
{
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_MEMORY, "the system refuses %s (error %d)", what,
               error);
    return false;
}

bool hy__report_errno_of_thread(hy_engine *engine, uint64_t thread, int left, int found)
{
    char was[16];
    char is[16];
    if (!hy__checks(engine, HY_CHECK_ERRNO)) {
        return true;
    }
    expected(engine, "errno of thread %" PRIu64 " as it left it: %s", thread,
             errno_text(left, was, sizeof was));
    seen(engine, "%s, after calls of other threads", errno_text(found, is, sizeof is));
    return violate(engine, HY_CHECK_ERRNO, NULL, NULL, 0);
}

bool hy__refuse_machine(hy_engine *engine, const char *reason)
{
    engine->outcome->status = HY_STATUS_REFUSED;
    hy__reason(&engine->outcome->reason, HY_CAUSE_MACHINE, "%s", reason);
    return false;
}
