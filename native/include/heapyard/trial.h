/*
 * trial.h: the engine as a library: runs a plan in this process.
 *
 * heapyard itself runs foreign allocators in a child (heapyard-runner), where a crash is a verdict.
 * In-process runs are for allocators that live in this process and can be trusted not to crash it
 * (CPython's own), and for benchmarks. The engine's memory comes from mmap, never from the target.
 *
 * Threads: runs are independent of each other; one run uses the calling thread only.
 */
#ifndef HEAPYARD_TRIAL_H
#define HEAPYARD_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include <heapyard/export.h>
#include <heapyard/plan.h>
#include <heapyard/target.h>

HY_BEGIN_DECLS

/* Progress, written before each op, for a parent that shares the page or a handler of a crash. */
typedef struct hy_trial_state {
    uint64_t op; /* index of the op that runs; the number of ops: the end of a round */
    uint64_t round;
    uint64_t operations; /* done in all rounds */
} hy_trial_state;

/* An allocator without a handle, as most are: entry points with the plain C signatures. */
struct hy_trial_functions {
    uint32_t size;    /* sizeof(struct hy_trial_functions) */
    uint32_t version; /* HEAPYARD_TARGET_VERSION */
    const char *name;
    uint64_t flags; /* HEAPYARD_TARGET_... */
    size_t min_alignment;
    size_t max_size;
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void *(*reallocarray)(void *block, size_t count, size_t size);
    void (*free)(void *block);
    void (*free_sized)(void *block, size_t size);
    void (*free_aligned_sized)(void *block, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    size_t (*usable_size)(void *block);
    int (*trim)(size_t pad);
    const char *(*check)(void);
};

/*
 * Runs the plan and writes the outcome as one JSON object (schema heapyard.run/1), with its final
 * zero, into `json`. `state` may be NULL. Returns 0; or, where the object does not fit, the size
 * that it needs, and `json` is an empty string (if json_size is not 0). Never fails otherwise: a
 * bad plan, or a table of another version, is an outcome with the status "refused".
 */
HY_API size_t hy_trial_run(const void *plan, size_t size, const struct heapyard_target *target,
                           char *json, size_t json_size, hy_trial_state *state);

/* The same for entry points without a handle. */
HY_API size_t hy_trial_run_functions(const void *plan, size_t size,
                                     const struct hy_trial_functions *functions, char *json,
                                     size_t json_size, hy_trial_state *state);

/*
 * Random plans. Given in place of a packed plan, to hy_trial_run, hy_trial_run_functions or the
 * runner, this draws plan after plan and runs each, until one does not hold: the outcome's `round`
 * is that plan's number, and so is the state's while it runs. Which plan a number gives follows
 * from seed, functions, flags, threads and omits alone.
 */
#define HY_TRIAL_FUZZ_MAGIC UINT64_C(0x00315a5a55465948) /* "HYFUZZ1" and a zero */

typedef struct hy_trial_fuzz {
    uint64_t magic;
    uint32_t size;      /* sizeof(struct hy_trial_fuzz) */
    uint32_t functions; /* that the plans may call: bit n for hy_trial_function_name(n) */
    uint64_t flags;     /* HEAPYARD_TARGET_... of the target */
    uint64_t seed;
    uint64_t first;   /* number of the first plan */
    uint64_t count;   /* plans, at least 1 */
    uint32_t checks;  /* HY_CHECK_..., of all plans */
    uint32_t threads; /* 0 or 1: each plan has one; else two to so many, and all have some */
    uint64_t omits;   /* HY_FUZZ_OMIT_... */
} hy_trial_fuzz;

#define HY_FUZZ_MOST_THREADS  16u
#define HY_FUZZ_OMIT_NO_BYTES 1u /* posix_memalign of zero bytes, which else must succeed */
#define HY_FUZZ_OMIT_ENDINGS  2u /* calls in destructors of threads */
#define HY_FUZZ_OMIT_REFUSED  4u /* what cannot be served */

/*
 * One of these plans in its packed form. Returns the bytes that it has; where that is more than
 * `size`, nothing is written. 0: the request makes no sense, or there is no memory. O(calls).
 */
HY_API size_t hy_trial_draw(const hy_trial_fuzz *request, uint64_t number, void *plan, size_t size);

/*
 * Many plans, given to the runner in place of one: each runs in a fork of it, until one fails as
 * wanted. Behind this struct stand `count` sizes of 8 bytes, then the plans, each at a multiple of
 * 8. The answer has the schema heapyard.batch/1: `index` (null: none fails so) and `tried`.
 */
#define HY_TRIAL_BATCH_MAGIC UINT64_C(0x0031435441425948) /* "HYBATC1" and a zero */

enum hy_batch_wanted { HY_BATCH_VIOLATION, HY_BATCH_CRASH, HY_BATCH_HANG, HY_BATCH_EXIT };

typedef struct hy_trial_batch {
    uint64_t magic;
    uint32_t wanted; /* HY_BATCH_... */
    uint32_t kind;   /* HY_CHECK_... of a violation, the signal of a crash; else 0 */
    uint64_t count;
    uint64_t milliseconds; /* that each plan may take */
} hy_trial_batch;

/*
 * How fast, and how much memory: a plan replayed without verification, the clock stopped wherever
 * memory is read. The plans that are generated, on blocks of `low` to `high` bytes drawn evenly:
 *
 *  pairs         malloc, then free at once; no other block is live
 *  lifo          `live` mallocs, then as many frees, the last block first
 *  fifo          the same, the first block first
 *  random_free   the same, in random order
 *  churn         with `live` blocks there: free one at random and malloc another in its place.
 *                Filling, as many swaps as there are blocks, and emptying are outside the clock
 *
 * Each malloc is followed by a write of 8 bytes. HY_BENCH_PLAN replays a packed plan (a recording,
 * say) and writes one byte in each page of each block too. The tape is played `warm_up` times
 * without the clock, then until at least `pairs` pairs of calls were timed.
 */
#define HY_BENCH_PLANS(X)                                                                          \
    X(0, PLAN, plan)                                                                               \
    X(1, PAIRS, pairs)                                                                             \
    X(2, LIFO, lifo)                                                                               \
    X(3, FIFO, fifo)                                                                               \
    X(4, RANDOM_FREE, random_free)                                                                 \
    X(5, CHURN, churn)

typedef enum hy_bench_plan {
#define HY__BENCH_ENUM(value, name, text) HY_BENCH_##name = (value),
    HY_BENCH_PLANS(HY__BENCH_ENUM)
#undef HY__BENCH_ENUM
        HY_BENCH_COUNT = 6
} hy_bench_plan;

#define HY_BENCH_MAX_LIVE HY_PLAN_MAX_SLOTS
#define HY_BENCH_MIN_SIZE UINT64_C(8)
#define HY_BENCH_MAX_SIZE (UINT64_C(1) << 30)

typedef struct hy_trial_bench {
    uint32_t size;     /* sizeof(struct hy_trial_bench) */
    uint32_t plan;     /* HY_BENCH_... */
    uint32_t is_sized; /* not 0: free_sized, where the target has it */
    uint32_t warm_up;
    uint64_t live; /* 1 to HY_BENCH_MAX_LIVE */
    uint64_t low;  /* HY_BENCH_MIN_SIZE to high */
    uint64_t high; /* at most HY_BENCH_MAX_SIZE */
    uint64_t seed;
    uint64_t pairs;
} hy_trial_bench;

/*
 * Runs it in this process and writes one JSON object (schema heapyard.bench-run/1), as
 * hy_trial_run_functions does: nanoseconds by the clock and of processor time, operations (a pair is
 * two), calls made outside the clock too, minor page faults, and in bytes: the most that was live, and resident memory above that at
 * the start: at its peak, after everything is freed, and after `trim` (null where there is none).
 * `plan` is NULL for the plans that are generated.
 */
HY_API size_t hy_trial_bench_functions(const hy_trial_bench *request, const void *plan, size_t size,
                                       const struct hy_trial_functions *functions, char *json,
                                       size_t json_size);

/*
 * The block that a constructor of this library made (see `early` in plan.h), with the pattern of
 * seed 0, slot `number` and serial 0 in it; NULL: there is none, or it was taken already. `number` is
 * below HY_PLAN_EARLY_BLOCKS.
 */
HY_API void *hy_trial_early_block(uint32_t number);

/* Names as they stand in JSON; NULL for a number that has none. Checks are numbered by bit: 0 is
 * "null". */
HY_API const char *hy_trial_op_name(uint32_t op);
HY_API const char *hy_trial_check_name(uint32_t index);
HY_API const char *hy_trial_measure_name(uint32_t measure);
HY_API const char *hy_trial_function_name(uint32_t function);

HY_END_DECLS

#endif /* HEAPYARD_TRIAL_H */
