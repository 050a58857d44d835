/*
 * verdict.h: the reports of the engine. Each takes what was seen, writes the violation (or the
 * refusal) into the outcome, and returns false: 'do not go on'. None is on the fast path.
 */
#ifndef HEAPYARD_TRIAL_VERDICT_H
#define HEAPYARD_TRIAL_VERDICT_H

#include "trial/model.h"

/* The call's result, against what its op expects: judges null, refuse, errno and return_code.
 * `code`: what posix_memalign returned, errno for any other call. True: the plan is content. */
HY_COLD bool hy__judge_result(hy_engine *engine, const hy_plan_op *op, const void *result,
                              int code);

/* errno after a call that has no result. True: it is what it was, or nobody asks. */
HY_COLD bool hy__judge_errno(hy_engine *engine, const hy_plan_op *op);

HY_COLD bool hy__report_alignment(hy_engine *engine, const hy_slot *slot, const void *address,
                                  size_t size, size_t alignment);
HY_COLD bool hy__report_outside(hy_engine *engine, const hy_slot *slot, const void *address,
                                size_t size);
HY_COLD bool hy__report_engine_met(hy_engine *engine, const hy_slot *slot, const void *address,
                                   size_t size);
/* After hy__index_insert answered anything but HY_INDEX_OK. True: a false alarm, it is in now. */
HY_COLD bool hy__settle_addresses(hy_engine *engine, const hy_slot *slot, const void *address,
                                  size_t size, hy_index_answer answer);
HY_COLD bool hy__report_unmapped(hy_engine *engine, const hy_slot *slot, const void *address,
                                 size_t size);
/* `address` is where the contents are looked for: the slot's, or the new one of a realloc; the
 * first `limit` bytes count. */
HY_COLD bool hy__report_content(hy_engine *engine, const hy_slot *slot,
                                const unsigned char *address, size_t limit);
HY_COLD bool hy__report_not_zero(hy_engine *engine, const hy_slot *slot,
                                 const unsigned char *address, size_t size, size_t offset);
HY_COLD bool hy__report_moved(hy_engine *engine, const hy_slot *slot, const void *address,
                              size_t size);
HY_COLD bool hy__report_usable(hy_engine *engine, const hy_slot *slot, size_t least, size_t seen);
HY_COLD bool hy__report_memptr(hy_engine *engine, const hy_slot *slot, const void *address,
                               int code);
HY_COLD bool hy__report_no_answer(hy_engine *engine, const hy_slot *slot);
HY_COLD bool hy__report_overflow(hy_engine *engine, const hy_slot *slot, const void *address,
                                 uint64_t count, uint64_t size);
HY_COLD bool hy__report_self_check(hy_engine *engine, const char *text);
HY_COLD bool hy__report_untold(hy_engine *engine);

HY_COLD bool hy__refuse_live_slot(hy_engine *engine, const hy_slot *slot);
HY_COLD bool hy__refuse_memory(hy_engine *engine, const char *what);
/* The target, or the program around the engine, is not what the plan needs. */
HY_COLD bool hy__refuse_symbol(hy_engine *engine, const char *what);
HY_COLD bool hy__refuse_machine(hy_engine *engine, const char *reason);

#endif /* HEAPYARD_TRIAL_VERDICT_H */
