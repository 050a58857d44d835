/*
 * model.h: the engine's state, shared by the files that make up the engine.
 */
#ifndef HEAPYARD_TRIAL_MODEL_H
#define HEAPYARD_TRIAL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trial/engine.h"
#include "trial/foreign.h"
#include "trial/index.h"
#include "trial/pattern.h"

#define HY_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define HY_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define HY_COLD                __attribute__((cold, noinline))

/* One numbered slot of the plan. Two of them share a cache line, none lies across two. */
typedef struct hy_slot {
    unsigned char *address; /* NULL: empty */
    size_t size;            /* as asked for */
    size_t filled;          /* bytes under the pattern: `size`, or more after fill_usable */
    uint64_t key;           /* of the pattern */
} hy_slot;

_Static_assert(sizeof(hy_slot) == 32, "two slots a cache line");

#define HY_WATCHED_RANGES 65536u

/* The ranges under `watch`, in whole pages. */
typedef struct hy_watched {
    struct hy_range {
        uintptr_t start;
        uintptr_t end;
    } * ranges; /* NULL: none yet */
    size_t count;
} hy_watched;

typedef struct hy_engine {
    hy_plan plan;
    const hy_subject *subject;
    const struct heapyard_target *target;
    void *handle;
    hy_slot *slots;
    uint32_t checks;
    uint32_t slot_count;
    size_t alignment; /* of every block */
    bool weak_alignment;
    bool is_limited;    /* by limit_space */
    int errno_value;    /* what errno is set to before each call */
    int *errno_address; /* of this thread */
    uint64_t serial;    /* patterns written so far */
    uint64_t done;      /* operations of the rounds before this one */
    size_t page_size;
    hy_index index;
    hy_watched watched;
    uint64_t first_rss; /* what `rss` was when it was first noted */
    bool has_rss;
    int trimmed; /* what the last trim answered */
    hy_memory *memory;
    uintptr_t *stale;   /* a pointer for each slot that `alias` gave one; 0: none */
    hy_foreign foreign; /* memory that is not the target's */
    uint64_t misuses;   /* done so far */
    volatile hy_trial_state *state;
    hy_outcome *outcome;
    const hy_host *host;    /* never NULL */
    struct hy_crew *crew;   /* NULL: one thread (threads.h) */
    struct hy_trace *trace; /* NULL: nobody draws this run (trace.h) */
} hy_engine;

/* Bytes of address that a block owns. */
static inline size_t hy__extent_of(size_t size)
{
    return size + (size == 0);
}

static inline bool hy__checks(const hy_engine *engine, uint32_t check)
{
    return (engine->checks & check) != 0;
}

static inline uint32_t hy__slot_number(const hy_engine *engine, const hy_slot *slot)
{
    return slot == NULL ? HY_PLAN_NO_SLOT : (uint32_t)(slot - engine->slots);
}

/* The alignment that a block of this size must have, where the call does not ask for another. */
static inline size_t hy__natural_alignment(const hy_engine *engine, size_t size)
{
    if (HY_LIKELY(size >= engine->alignment || !engine->weak_alignment)) {
        return engine->alignment;
    }
    return size == 0 ? 1 : (size_t)1 << (63 - __builtin_clzll(size));
}

/* The ops of faults.c and many.c. True: go on. */
bool hy__run_fail_os(hy_engine *engine, const hy_plan_op *op);
bool hy__run_count_os(hy_engine *engine, const hy_plan_op *op);
bool hy__run_limit_space(hy_engine *engine, const hy_plan_op *op);
bool hy__run_count_cost(hy_engine *engine, const hy_plan_op *op);
bool hy__run_malloc_many(hy_engine *engine, const hy_plan_op *op);
bool hy__run_free_many(hy_engine *engine, const hy_plan_op *op);

/* No system call fails, no limit is set, no call is a sample any more. */
void hy__calm(hy_engine *engine);

/* Notes a figure, HY_MEASURE_... (measure.c); its value. */
uint64_t hy__measure(hy_engine *engine, uint64_t measure);

/* What `rss` is now, without a note. */
uint64_t hy__resident(const hy_engine *engine);

/* The waiting ops (wait.c). */
bool hy__run_idle(hy_engine *engine, const hy_plan_op *op);
bool hy__run_await(hy_engine *engine, const hy_plan_op *op);

/* `watch`, its end, and the figure `residue` (watch.c). */
bool hy__run_watch(hy_engine *engine, const hy_plan_op *op);
uint64_t hy__residue(const hy_engine *engine);

/* The measure of that name (shared_lines.c); 0 where the memory is used up. O(n log n) in blocks. */
uint64_t hy__shared_lines(const hy_engine *engine);

/* One op that is no structure (structure.h), on the thread that calls. False: do not go on. */
bool hy__run_op(hy_engine *engine, const hy_plan_op *op);

/* The end of a round: what is live is freed, verified first. */
bool hy__end_round(hy_engine *engine);

/* Fills in what the outcome says of the run as a whole. */
void hy__finish(hy_engine *engine);

/* The value of one HY_MEASURE_... now. */
uint64_t hy__measure_value(const hy_engine *engine, uint64_t measure);

#endif /* HEAPYARD_TRIAL_MODEL_H */
