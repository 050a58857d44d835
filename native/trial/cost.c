#include "trial/cost.h"

#include <signal.h>
#include <time.h>
#include <ucontext.h>

static const struct heapyard_target *real; /* whose calls are counted; NULL: nobody's */
static bool in_steps;
static uint64_t samples[HY_COST_SAMPLES];
static size_t sample_count;
static uint64_t spent;    /* instructions, in all samples */
static uint64_t overhead; /* instructions of a bracket around nothing */
static volatile uint64_t steps;
static uint64_t started;

/* ---- instructions ------------------------------------------------------------------------- */

#ifdef __x86_64__

#    define TRAP_FLAG 0x100

/* The flags are changed on the stack, below what the compiler may keep there. */
#    define CHANGE_FLAGS(instruction)                                                              \
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\t" instruction                       \
                         "\n\tpopfq\n\tleaq 128(%%rsp), %%rsp" ::                                  \
                             : "memory", "cc")

static inline void steps_on(void)
{
    CHANGE_FLAGS("orq $0x100, (%%rsp)");
}

static inline void steps_off(void)
{
    CHANGE_FLAGS("andq $~0x100, (%%rsp)");
}

static void on_step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    const uint64_t count = steps + 1;
    steps = count;
    if (count >= HY_COST_CALL_MOST) {
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    }
}

static bool handle_steps(void)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    return sigaction(SIGTRAP, &action, NULL) == 0;
}

#else

static inline void steps_on(void)
{
}

static inline void steps_off(void)
{
}

static bool handle_steps(void)
{
    return false;
}

#endif

/* ---- one call ----------------------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static inline bool is_sampled(void)
{
    return sample_count < HY_COST_SAMPLES && spent < HY_COST_MOST;
}

/* Both are inlined: what is counted beside the call is a handful of instructions. */
static inline __attribute__((always_inline)) void begin(void)
{
    if (!in_steps) {
        started = now();
    } else if (is_sampled()) {
        steps = 0;
        steps_on();
    }
}

static void note(uint64_t cost)
{
    if (is_sampled()) {
        samples[sample_count++] = cost;
        spent += in_steps ? cost : 0;
    }
}

static inline __attribute__((always_inline)) void end(void)
{
    if (in_steps) {
        steps_off();
        note(steps > overhead ? steps - overhead : 0);
    } else {
        note(now() - started);
    }
}

#define COUNTED(type, name, parameters, arguments)                                                 \
    static type counted_##name parameters                                                          \
    {                                                                                              \
        begin();                                                                                   \
        type const result = real->name arguments;                                                  \
        end();                                                                                     \
        return result;                                                                             \
    }
#define COUNTED_FREE(name, parameters, arguments)                                                  \
    static void counted_##name parameters                                                          \
    {                                                                                              \
        begin();                                                                                   \
        real->name arguments;                                                                      \
        end();                                                                                     \
    }
COUNTED(void *, malloc, (void *handle, size_t size), (handle, size))
COUNTED(void *, calloc, (void *handle, size_t count, size_t size), (handle, count, size))
COUNTED(void *, realloc, (void *handle, void *block, size_t size), (handle, block, size))
COUNTED(void *, reallocarray, (void *handle, void *block, size_t count, size_t size),
        (handle, block, count, size))
COUNTED_FREE(free, (void *handle, void *block), (handle, block))
COUNTED_FREE(free_sized, (void *handle, void *block, size_t size), (handle, block, size))
COUNTED_FREE(free_aligned_sized, (void *handle, void *block, size_t alignment, size_t size),
             (handle, block, alignment, size))
COUNTED(void *, aligned_alloc, (void *handle, size_t alignment, size_t size),
        (handle, alignment, size))
COUNTED(int, posix_memalign, (void *handle, void **block, size_t alignment, size_t size),
        (handle, block, alignment, size))
COUNTED(void *, memalign, (void *handle, size_t alignment, size_t size), (handle, alignment, size))
COUNTED(void *, valloc, (void *handle, size_t size), (handle, size))
COUNTED(void *, pvalloc, (void *handle, size_t size), (handle, size))
COUNTED(size_t, usable_size, (void *handle, void *block), (handle, block))
COUNTED(int, trim, (void *handle, size_t pad), (handle, pad))
COUNTED(const char *, check, (void *handle), (handle))
#undef COUNTED
#undef COUNTED_FREE

/* ---- the interface ------------------------------------------------------------------------ */

/* What the target has, counted. */
static const struct heapyard_target *counted_table(const struct heapyard_target *target)
{
    static struct heapyard_target table;
    table = *target;
#define COUNT(name) table.name = target->name != NULL ? counted_##name : NULL;
    HEAPYARD_TARGET_FUNCTIONS(COUNT)
#undef COUNT
    return &table;
}

/* The cost of nothing; 0: instructions can't be counted here. */
static uint64_t measure_overhead(void)
{
    overhead = 0;
    begin();
    steps_off();
    return steps;
}

const char *hy__cost_begin(hy_engine *engine, bool by_instructions)
{
    hy__cost_end(engine);
    sample_count = 0;
    spent = 0;
    in_steps = by_instructions;
    if (by_instructions) {
        overhead = handle_steps() ? measure_overhead() : 0;
        if (overhead == 0) {
            return "instructions can't be counted here: not x86-64, or no single steps";
        }
    }
    real = &engine->subject->table;
    engine->target = counted_table(real);
    return NULL;
}

void hy__cost_end(hy_engine *engine)
{
    if (real == NULL) {
        return;
    }
    if (in_steps) {
        (void)signal(SIGTRAP, SIG_DFL);
    }
    engine->target = real;
    real = NULL;
}

/* Shell's; qsort of glibc may call malloc. */
static void sort(void)
{
    for (size_t gap = sample_count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < sample_count; i++) {
            const uint64_t value = samples[i];
            size_t at = i;
            for (; at >= gap && samples[at - gap] > value; at -= gap) {
                samples[at] = samples[at - gap];
            }
            samples[at] = value;
        }
    }
}

uint64_t hy__cost_at(unsigned percent)
{
    if (sample_count == 0) {
        return 0;
    }
    sort();
    const size_t last = (sample_count * percent + 99) / 100;
    return samples[(last > 0 ? last : 1) - 1];
}
