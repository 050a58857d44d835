#include "trial/structure.h"

#include <inttypes.h>

#include "trial/names.h"

#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_PLAN, __VA_ARGS__), false)
#define LONGEST_INTERVAL    UINT64_C(1000000)
#define NO_THREAD           HY_PLAN_MAX_THREADS /* at the start of a parallel section */
#define THREAD_BITS         9                   /* HY_PLAN_MAX_THREADS, and none */

_Static_assert(HY_PLAN_MAX_THREADS < 1u << THREAD_BITS, "a thread fits");

/* Where the reader is in the plan. */
typedef struct place {
    const hy_plan *plan;
    hy_reason *reason;
    uint64_t at;
    uint64_t thread;  /* the current one */
    uint64_t returns; /* the current one again after a parallel section */
    uint8_t section;  /* the op that opened it; HY_OP_NOP: none */
    bool is_in_fork;  /* of a parallel section */
} place;

bool hy__opens_section(uint8_t op)
{
    return op == HY_OP_PARALLEL || op == HY_OP_IN_DESTRUCTOR || op == HY_OP_FORK ||
           op == HY_OP_AT_EXIT;
}

bool hy__is_plain_call(uint8_t op)
{
    return op <= HY_OP_SELF_CHECK && op != HY_OP_MEASURE && op != HY_OP_FREE_ALL &&
           op != HY_OP_CHECK_ALL;
}

uint64_t hy__section_end(const hy_plan *plan, uint64_t from)
{
    unsigned open = 1;
    uint64_t at = from;
    while (open > 0 && ++at < plan->header.op_count) {
        open += hy__opens_section(plan->ops[at].op);
        open -= plan->ops[at].op == HY_OP_END_SECTION;
    }
    return at;
}

static bool may_stand_in_parallel(const place *here, uint8_t op)
{
    return hy__is_plain_call(op) ||
           (!here->is_in_fork && (op == HY_OP_SIGNALS || op == HY_OP_FORK));
}

static bool may_stand(const place *here, uint8_t op)
{
    switch (here->section) {
    case HY_OP_NOP:
        return op != HY_OP_END_SECTION;
    case HY_OP_PARALLEL:
        return op == HY_OP_END_SECTION || (op == HY_OP_ON_THREAD && !here->is_in_fork) ||
               (here->thread != NO_THREAD && may_stand_in_parallel(here, op));
    case HY_OP_IN_DESTRUCTOR:
        return hy__is_plain_call(op) || op == HY_OP_END_SECTION;
    default:
        return hy__is_plain_call(op) || op == HY_OP_FREE_ALL || op == HY_OP_CHECK_ALL ||
               op == HY_OP_END_SECTION;
    }
}

/* NULL, or what is wrong with the numbers of an op that may stand there. */
static const char *wrong_number(const place *here, const hy_plan_op *op)
{
    const uint64_t handler = op->op == HY_OP_SIGNALS ? here->plan->operands[op->arg] : 0;
    switch (op->op) {
    case HY_OP_ON_THREAD:
        return op->size < HY_PLAN_MAX_THREADS ? NULL : "there is no such thread";
    case HY_OP_JOIN:
        return op->size > 0 && op->size < HY_PLAN_MAX_THREADS ? NULL : "no thread to join";
    case HY_OP_PARALLEL:
        return op->size > 0 ? NULL : "it must run at least once";
    case HY_OP_IN_DESTRUCTOR:
        if (here->thread == 0) {
            return "thread 0 does not end";
        }
        return op->size <= HY_PLAN_LAST_ROUND ? NULL : "there is no such round";
    case HY_OP_SIGNALS:
        return op->size <= LONGEST_INTERVAL && handler <= 1 ? NULL : "no such interval or handler";
    case HY_OP_AT_EXIT:
        return here->plan->header.repeat == 1 ? NULL : "the plan repeats";
    default:
        return NULL;
    }
}

static void enter(place *here, const hy_plan_op *op)
{
    if (op->op == HY_OP_ON_THREAD) {
        here->thread = op->size;
    } else if (op->op == HY_OP_JOIN) {
        here->thread = op->size == here->thread ? 0 : here->thread;
    } else if (op->op == HY_OP_FORK && here->section == HY_OP_PARALLEL) {
        here->is_in_fork = true;
    } else if (hy__opens_section(op->op)) {
        here->section = op->op;
        here->returns = here->thread;
        here->thread = op->op == HY_OP_PARALLEL ? NO_THREAD : here->thread;
    } else if (op->op == HY_OP_END_SECTION && here->is_in_fork) {
        here->is_in_fork = false;
    } else if (op->op == HY_OP_END_SECTION) {
        here->section = HY_OP_NOP;
        here->thread = here->returns;
    }
}

static bool op_is_sound(place *here)
{
    const hy_plan_op *const op = &here->plan->ops[here->at];
    const char *const name = hy__op_facts[op->op].name;
    if (!may_stand(here, op->op)) {
        return REFUSE(here->reason, "bad plan: op %" PRIu64 " (%s) can't stand %s%s", here->at,
                      name, here->section == HY_OP_NOP ? "outside of a section" : "in ",
                      here->section == HY_OP_NOP ? "" : hy__op_facts[here->section].name);
    }
    const char *const wrong = wrong_number(here, op);
    if (wrong != NULL) {
        return REFUSE(here->reason, "bad plan: op %" PRIu64 " (%s %" PRIu64 "): %s", here->at, name,
                      op->size, wrong);
    }
    enter(here, op);
    return true;
}

bool hy__structure_is_sound(const hy_plan *plan, hy_reason *reason)
{
    place here = {.plan = plan, .reason = reason, .section = HY_OP_NOP};
    for (here.at = 0; here.at < plan->header.op_count; here.at++) {
        if (!op_is_sound(&here)) {
            return false;
        }
    }
    return here.section == HY_OP_NOP ||
           REFUSE(reason, "bad plan: the last section (%s) has no end_section",
                  hy__op_facts[here.section].name);
}

/* A section and a thread in one number, which is not 0. */
static uint64_t mark_of(const place *here, uint64_t section)
{
    return (section << THREAD_BITS) | (here->thread + 1);
}

static bool is_claimed(const place *here, uint64_t section, uint64_t *owner)
{
    const uint64_t mark = mark_of(here, section);
    const bool is_mine = *owner >> THREAD_BITS != section || *owner == mark;
    *owner = mark;
    return is_mine || REFUSE(here->reason,
                             "bad plan: op %" PRIu64 ": slot %" PRIu32
                             " is used by two threads of one parallel section",
                             here->at, here->plan->ops[here->at].slot);
}

bool hy__slots_are_apart(const hy_plan *plan, uint64_t *owners, hy_reason *reason)
{
    place here = {.plan = plan, .reason = reason, .section = HY_OP_NOP};
    uint64_t section = 0;
    for (here.at = 0; here.at < plan->header.op_count; here.at++) {
        const hy_plan_op *const op = &plan->ops[here.at];
        enter(&here, op);
        section += op->op == HY_OP_PARALLEL;
        if (here.section == HY_OP_PARALLEL && op->slot != HY_PLAN_NO_SLOT &&
            !is_claimed(&here, section, &owners[op->slot])) {
            return false;
        }
    }
    return true;
}
