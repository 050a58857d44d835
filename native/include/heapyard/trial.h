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

/* Names as they stand in JSON; NULL past the last. Checks are numbered by bit: 0 is "null". */
HY_API const char *hy_trial_op_name(uint32_t op);
HY_API const char *hy_trial_check_name(uint32_t index);
HY_API const char *hy_trial_measure_name(uint32_t measure);
HY_API const char *hy_trial_function_name(uint32_t function);

HY_END_DECLS

#endif /* HEAPYARD_TRIAL_H */
