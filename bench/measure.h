/* measure.h: what the benchmarks' programs share: a clock, numbers drawn, and a figure printed. */
#ifndef HEAPYARD_BENCH_MEASURE_H
#define HEAPYARD_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Nanoseconds of processor time of this thread. */
static inline uint64_t bench_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* A number below `bound`, the same ones in each run: Marsaglia's xorshift. */
static inline uint64_t bench_draw(uint64_t bound)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint64_t)(((unsigned __int128)state * bound) >> 64);
}

/* The one figure of a run, as JSON. */
static inline void bench_report(const char *name, uint64_t value)
{
    printf("{\"%s\": %llu}\n", name, (unsigned long long)value);
}

#endif
