#include "trial/swarm.h"

#include "trial/functions.h"

#define HAS(functions, name) (((functions) >> HY_FUNCTION_##name) & 1u)

/* Sizes of one plan stay below one of these; the large ones are rare, since they cost most. */
static uint32_t draw_largest(uint64_t drawn)
{
    static const struct {
        uint32_t ranks; /* of 256 */
        uint32_t largest;
    } shares[] = {{96, 128},        {168, 512},        {220, 2048},    {248, 8192},
                  {253, 64u << 10}, {255, 512u << 10}, {256, 2u << 20}};
    const uint32_t rank = (uint32_t)(drawn & 255);
    unsigned at = 0;
    while (rank >= shares[at].ranks) {
        at++;
    }
    return shares[at].largest;
}

static void draw_source(hy_size_source *source, uint64_t *state, uint32_t largest)
{
    const uint64_t drawn = hy__draw(state);
    const uint32_t one = 1 + hy__draw_below(hy__draw(state), largest);
    const uint32_t other = 1 + hy__draw_below(hy__draw(state), largest);
    source->kind = (hy_size_kind)(drawn % HY_SIZE_KINDS);
    source->low = one < other ? one : other;
    source->high = one < other ? other : one;
    if (source->kind == HY_SIZE_LOG || source->kind == HY_SIZE_EDGE) {
        source->high = largest;
    }
}

/* One to four sources of sizes. */
static void draw_sizes(hy_swarm *swarm, uint64_t *state, uint32_t largest)
{
    const unsigned kinds = 1 + (unsigned)(hy__draw(state) % HY_SWARM_SIZES);
    for (unsigned i = 0; i < HY_SWARM_SIZES; i++) {
        if (i < kinds) {
            draw_source(&swarm->sizes[i], state, largest);
        } else {
            swarm->sizes[i] = swarm->sizes[i % kinds];
        }
    }
}

/* Which acts there can be, one bit each. */
static unsigned acts_of(uint32_t functions)
{
    const bool aligns =
        HAS(functions, aligned_alloc) || HAS(functions, posix_memalign) || HAS(functions, memalign);
    return 1u << HY_ACT_MALLOC | (unsigned)HAS(functions, calloc) << HY_ACT_CALLOC |
           (unsigned)aligns << HY_ACT_ALIGNED |
           (unsigned)HAS(functions, realloc) << HY_ACT_REALLOC | 1u << HY_ACT_FREE |
           1u << HY_ACT_LOOK | 1u << HY_ACT_REFUSED | 1u << HY_ACT_SWEEP;
}

/* Weights: malloc and free always, of the others about half; looks and refusals are few. */
static void draw_weights(unsigned *weights, uint64_t *state, unsigned possible)
{
    const uint64_t drawn = hy__draw(state);
    const unsigned chosen = possible & ((unsigned)drawn | 1u << HY_ACT_FREE);
    for (unsigned act = 0; act < HY_ACT_COUNT; act++) {
        const unsigned weight = 1 + (unsigned)(hy__draw(state) % 16);
        const bool is_rare = act >= HY_ACT_LOOK;
        weights[act] = (chosen >> act) & 1u ? (is_rare ? 1 + weight / 8 : weight) : 0;
    }
    if (weights[HY_ACT_MALLOC] + weights[HY_ACT_CALLOC] + weights[HY_ACT_ALIGNED] == 0) {
        weights[HY_ACT_MALLOC] = 8;
    }
}

static void draw_acts(hy_swarm *swarm, uint64_t *state, unsigned possible)
{
    unsigned weights[HY_ACT_COUNT];
    unsigned sum = 0;
    draw_weights(weights, state, possible);
    for (unsigned act = 0; act < HY_ACT_COUNT; act++) {
        sum += weights[act];
    }
    swarm->resizes = weights[HY_ACT_REALLOC] != 0;
    unsigned filled = 0;
    unsigned passed = 0;
    for (unsigned act = 0; act < HY_ACT_COUNT; act++) {
        passed += weights[act];
        const unsigned end = passed * HY_SWARM_ACTS / sum;
        while (filled < end) {
            swarm->acts[filled++] = (uint8_t)act;
        }
    }
}

/* How many blocks live, and how long the plan is: one in 1,024 is deep, with up to 100,000 blocks.
 * Most are run more than once, on what the round before left of the heap. */
static void draw_extent(hy_swarm *swarm, uint64_t *state, uint32_t largest)
{
    static const uint8_t rounds[] = {1, 2, 3, 4};
    const uint64_t drawn = hy__draw(state);
    const bool is_deep = drawn % 1024 == 0 && largest <= 512;
    swarm->calls = (uint32_t)1 << (9 + (drawn >> 10) % 4); /* 512 to 4,096 */
    swarm->rounds = rounds[drawn >> 32 & 3];
    swarm->live = (uint32_t)1 << (drawn >> 16) % 11; /* 1 to 1,024 */
    swarm->bytes = largest > 8192 ? (uint64_t)largest * 6 : (uint64_t)512 << 10;
    if (is_deep) {
        swarm->calls = (uint32_t)1 << 18;
        swarm->rounds = 1;
        swarm->live = 100000;
        swarm->bytes = (uint64_t)64 << 20;
    }
}

void hy__swarm_draw(hy_swarm *swarm, uint64_t *state, uint32_t functions)
{
    const uint64_t drawn = hy__draw(state);
    const uint32_t largest = draw_largest(drawn);
    draw_sizes(swarm, state, largest);
    draw_acts(swarm, state, acts_of(functions));
    draw_extent(swarm, state, largest);
    swarm->pick = (hy_pick)((drawn >> 8) & 3);
    swarm->alignment_shifts = (unsigned)(drawn >> 10) % ((drawn >> 20) % 32 == 0 ? 18 : 10);
    swarm->has_zero = ((drawn >> 32) & 3) == 0;
    swarm->is_wavy = ((drawn >> 34) & 1) != 0;
}

/* 2 to the n, or 5, 6 or 7 quarters of it, and one byte to either side. */
static uint32_t edge(uint64_t drawn, uint32_t high)
{
    const unsigned bits = 31u - (unsigned)__builtin_clz(high);
    const unsigned shift = hy__draw_below(drawn, bits + 1);
    const uint32_t power = (uint32_t)1 << shift;
    const uint32_t size = power + (power / 4) * (uint32_t)(drawn & 3) + (uint32_t)(drawn >> 2) % 3;
    return size <= 1 ? 1 : size - 1 > high ? high : size - 1;
}

uint32_t hy__swarm_size(const hy_swarm *swarm, uint64_t *state)
{
    const uint64_t drawn = hy__draw(state);
    const hy_size_source *const source = &swarm->sizes[drawn % HY_SWARM_SIZES];
    if (swarm->has_zero && (drawn >> 2) % 64 == 0) {
        return 0;
    }
    switch (source->kind) {
    case HY_SIZE_FIXED:
        return source->low;
    case HY_SIZE_RANGE:
        return source->low + hy__draw_below(drawn, (uint64_t)source->high - source->low + 1);
    case HY_SIZE_LOG: {
        const unsigned bits = 32u - (unsigned)__builtin_clz(source->high);
        const uint32_t size = 1 + ((uint32_t)(drawn >> 32) >> (31 - (drawn >> 8) % bits));
        return size > source->high ? source->high : size;
    }
    default:
        return edge(drawn >> 8 << 8 | (drawn >> 8 & 0xff), source->high);
    }
}
