/*
 * swarm.h: what one random plan is made of.
 */
#ifndef HEAPYARD_TRIAL_SWARM_H
#define HEAPYARD_TRIAL_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HY_SWARM_ACTS  256
#define HY_SWARM_SIZES 4

/* What may be done next. */
typedef enum hy_act {
    HY_ACT_MALLOC,
    HY_ACT_CALLOC,
    HY_ACT_ALIGNED,
    HY_ACT_REALLOC,
    HY_ACT_FREE,
    HY_ACT_LOOK,    /* usable_size, fill_usable, write, check */
    HY_ACT_REFUSED, /* what no allocator can serve */
    HY_ACT_SWEEP,   /* trim, check_all */
    HY_ACT_COUNT
} hy_act;

typedef enum hy_size_kind {
    HY_SIZE_FIXED, /* low */
    HY_SIZE_RANGE, /* low to high, evenly */
    HY_SIZE_LOG,   /* up to high, evenly over the powers of two */
    HY_SIZE_EDGE,  /* a power of two, or a quarter further, and one byte to either side */
    HY_SIZE_KINDS
} hy_size_kind;

typedef struct hy_size_source {
    hy_size_kind kind;
    uint32_t low;
    uint32_t high; /* at most 2 MiB */
} hy_size_source;

typedef enum hy_pick { HY_PICK_NEWEST, HY_PICK_OLDEST, HY_PICK_ANY, HY_PICK_MIXED } hy_pick;

typedef struct hy_swarm {
    uint8_t acts[HY_SWARM_ACTS]; /* drawn from evenly: how often each act is there is its weight */
    hy_size_source sizes[HY_SWARM_SIZES];
    uint32_t calls;
    uint32_t rounds; /* the same calls, so many times over */
    uint32_t live;   /* blocks at a time, at most */
    uint64_t bytes;  /* asked for, in all; then the plan ends */
    hy_pick pick;
    unsigned alignment_shifts; /* alignments: 8 << 0 to 8 << this */
    bool resizes;              /* there is realloc, of NULL too */
    bool has_zero;             /* requests of zero bytes */
    bool is_wavy;              /* now and then most blocks are freed at once */
} hy_swarm;

/* splitmix64 (Steele, Lea, Flood 2014): every seed is a good one. */
static inline uint64_t hy__draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to count - 1, from the upper half of a drawn number. */
static inline uint32_t hy__draw_below(uint64_t drawn, uint64_t count)
{
    return (uint32_t)(((drawn >> 32) * count) >> 32);
}

/* `functions`: 1 << HY_FUNCTION_..., what the plan may call. */
void hy__swarm_draw(hy_swarm *swarm, uint64_t *state, uint32_t functions);

/* The size of one request. */
uint32_t hy__swarm_size(const hy_swarm *swarm, uint64_t *state);

#endif /* HEAPYARD_TRIAL_SWARM_H */
