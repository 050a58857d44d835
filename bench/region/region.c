/*
 * region.c: what a region costs, and what of it can be used.
 *
 *     region_bench [engine ...]      engines: floor fast list4 list16; none: all
 *
 * Prints one JSON object per line, {"engine", "figure", "value", "unit"}, for bench/region.py.
 *
 * Loads. A table of slots; each operation picks one at random: a live one is freed, an empty one is
 * allocated. Half of the slots are live on average, so that the number of slots sets the load. The
 * picks and the sizes are drawn before the clock starts. Sizes are in bytes, uniform:
 *
 *     mixed      7 of 8 from 8 to 256, 1 of 8 from 8 to 8,192
 *     small      from 8 to 64
 *
 * 35 %, 75 % and overload (150 %) are mixed; small is at 75 %. 1 MB, 1,000,000 operations, the
 * fastest of seven runs (list: three) in CPU time (on a machine that others use, slower ones measure the others). The
 * floor runs the same loop with an allocator that does nothing.
 *
 * Fragments. n times [ 32 bytes ][ a hole of 16 ][ 16 bytes ], one behind the other; then one of the
 * blocks of 32 bytes, picked at random, is freed and allocated again. It joins the hole, which is
 * then the only one that it fits into: so there are n fragments at every time. The caller writes a
 * word into the block before it is freed; the floor does that only.
 *
 * First failure. Three allocations to two frees (of a random block), until one fails: the bytes that
 * were asked for and are live, as a part of the region. The mean of 20 seeds.
 */
#include <heapyard/region.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGION_BYTES    ((size_t)1 << 20)
#define OPERATIONS      1000000u
#define RUNS            7u
#define SLOTS_MAX       131072u
#define FRAGMENTS_BYTES (4 * REGION_BYTES)

typedef struct engine {
    const char *name;
    hy_region_options options;
    bool is_floor;
} engine;

typedef struct operation {
    uint32_t slot, size;
} operation;

typedef struct slot {
    void *block;
    uint32_t size;
} slot;

static const engine engines[] = {
    {"floor", {0}, true},
    {"fast", {.engine = HY_REGION_FAST}, false},
    {"list4", {.engine = HY_REGION_LIST, .granule = 4}, false},
    {"list16", {.engine = HY_REGION_LIST, .granule = 16}, false},
};

static operation operations[OPERATIONS];
static slot slots[SLOTS_MAX];
static char *memory; /* large enough for every region below */
static uint64_t state;

/* ---- drawing -------------------------------------------------------------------------------- */

/* splitmix64 */
static uint32_t draw(uint32_t bound)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(((x ^ x >> 31) >> 32) * bound >> 32);
}

typedef uint32_t draw_size(void);

static uint32_t draw_mixed(void)
{
    return draw(8) == 0 ? 8 + draw(8185) : 8 + draw(249);
}

static uint32_t draw_small(void)
{
    return 8 + draw(57);
}

static uint32_t mean_size(draw_size *size)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        sum += size();
    }
    return (uint32_t)(sum >> 16);
}

static double least(const double *values, size_t count)
{
    double found = values[0];
    for (size_t i = 1; i < count; i++) {
        found = values[i] < found ? values[i] : found;
    }
    return found;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_figure(const engine *of, const char *name, double value, const char *unit)
{
    printf("{\"engine\": \"%s\", \"figure\": \"%s\", \"value\": %.4f, \"unit\": \"%s\"}\n",
           of->name, name, value, unit);
    fflush(stdout);
}

/* ---- one allocator or none ------------------------------------------------------------------ */

static hy_region *make(const engine *of, size_t size)
{
    return of->is_floor ? (hy_region *)(void *)memory
                        : hy_region_create(memory, size, &of->options);
}

static void give(const engine *of, hy_region *region, slot *from)
{
    if (of->is_floor) {
        from->block = NULL;
        return;
    }
    if (of->options.engine == HY_REGION_FAST) {
        hy_region_free(region, from->block);
    } else {
        hy_region_free_sized(region, from->block, from->size);
    }
    from->block = NULL;
}

static void take(const engine *of, hy_region *region, slot *to, uint32_t size)
{
    to->size = size;
    to->block = of->is_floor ? memory : hy_region_alloc(region, size);
}

static void give_all(const engine *of, hy_region *region, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].block != NULL) {
            give(of, region, &slots[i]);
        }
    }
}

/* ---- loads ---------------------------------------------------------------------------------- */

static uint32_t plan_load(double load, draw_size *size)
{
    const uint32_t count = (uint32_t)(2 * load * (double)REGION_BYTES / mean_size(size));
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        operations[i] = (operation){draw(count), size()};
    }
    return count;
}

static double run_load(const engine *of, hy_region *region)
{
    const double start = seconds();
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        slot *at = &slots[operations[i].slot];
        if (at->block != NULL) {
            give(of, region, at);
        } else {
            take(of, region, at, operations[i].size);
        }
    }
    return (seconds() - start) / OPERATIONS * 1e9;
}

/* Everything was freed: how much of the region do blocks of 256 bytes get? */
static double usable(hy_region *region, size_t size)
{
    size_t count = 0;
    while (hy_region_alloc(region, 256) != NULL) {
        count++;
    }
    return (double)(count * 256) / (double)size;
}

static uint32_t runs_of(const engine *of)
{
    return of->options.engine == HY_REGION_LIST ? 3 : RUNS;
}

static void measure_load(const engine *of, const char *name, double load, draw_size *size)
{
    double times[RUNS], part = 1;
    for (uint32_t run = 0; run < runs_of(of); run++) {
        state = run;
        const uint32_t count = plan_load(load, size);
        memset(slots, 0, sizeof slots);
        hy_region *region = make(of, REGION_BYTES);
        times[run] = run_load(of, region);
        give_all(of, region, count);
        if (!of->is_floor) {
            const double now = usable(region, REGION_BYTES);
            part = now < part ? now : part;
        }
    }
    char text[64];
    snprintf(text, sizeof text, "load %s", name);
    print_figure(of, text, least(times, runs_of(of)), "ns/operation");
    if (!of->is_floor) {
        snprintf(text, sizeof text, "usable after %s", name);
        print_figure(of, text, part, "of the region");
    }
}

/* ---- fragments ------------------------------------------------------------------------------ */

#define UNIT 64u /* of such a row */

static char *unit_block(const engine *of, uint32_t index)
{
    return of->is_floor ? memory + (size_t)index * UNIT : (char *)slots[index].block;
}

static double run_fragments(const engine *of, hy_region *region, uint32_t rounds)
{
    const double start = seconds();
    for (uint32_t i = 0; i < rounds; i++) {
        const uint32_t picked = operations[i].slot;
        *(volatile uint32_t *)(void *)unit_block(of, picked) = i;
        give(of, region, &slots[picked]);
        take(of, region, &slots[picked], 32);
    }
    return (seconds() - start) / (2.0 * rounds) * 1e9;
}

static hy_region *make_fragments(const engine *of, uint32_t fragments)
{
    hy_region *region = make(of, FRAGMENTS_BYTES);
    for (uint32_t i = 0; i < fragments; i++) {
        take(of, region, &slots[i], 32);
        take(of, region, &slots[fragments], 16);
        take(of, region, &slots[fragments + 1], 16);
        slots[fragments + 2 + i] = slots[fragments];
    }
    for (uint32_t i = 0; i < fragments; i++) {
        give(of, region, &slots[fragments + 2 + i]);
    }
    return region;
}

static void measure_fragments(const engine *of, uint32_t fragments)
{
    const bool is_list = of->options.engine == HY_REGION_LIST;
    const uint32_t rounds = is_list && fragments >= 1000 ? 2000 : OPERATIONS / 2;
    double times[RUNS];
    for (uint32_t run = 0; run < runs_of(of); run++) {
        state = run;
        hy_region *region = make_fragments(of, fragments);
        for (uint32_t i = 0; i < rounds; i++) {
            operations[i].slot = draw(fragments);
        }
        times[run] = run_fragments(of, region, rounds);
    }
    char text[64];
    snprintf(text, sizeof text, "fragments %u", fragments);
    print_figure(of, text, least(times, runs_of(of)), "ns/operation");
}

/* ---- first failure -------------------------------------------------------------------------- */

static double first_failure(const engine *of, draw_size *size)
{
    hy_region *region = make(of, REGION_BYTES);
    uint64_t live_bytes = 0;
    uint32_t count = 0;
    for (;;) {
        if (count > 0 && draw(5) < 2) {
            slot *at = &slots[draw(count)];
            live_bytes -= at->size;
            give(of, region, at);
            *at = slots[--count];
            continue;
        }
        take(of, region, &slots[count], size());
        if (slots[count].block == NULL) {
            return (double)live_bytes / (double)REGION_BYTES;
        }
        live_bytes += slots[count++].size;
    }
}

static void measure_first_failure(const engine *of, const char *name, draw_size *size)
{
    double sum = 0;
    for (uint32_t seed = 0; seed < 20; seed++) {
        state = seed;
        sum += first_failure(of, size);
    }
    char text[64];
    snprintf(text, sizeof text, "first failure %s", name);
    print_figure(of, text, sum / 20, "of the region");
}

/* ---- all ------------------------------------------------------------------------------------ */

static void measure(const engine *of)
{
    static const uint32_t fragments[] = {100, 1000, 10000, 60000};
    measure_load(of, "35 %", .35, draw_mixed);
    measure_load(of, "75 %", .75, draw_mixed);
    measure_load(of, "overload", 1.5, draw_mixed);
    measure_load(of, "small", .75, draw_small);
    for (size_t i = 0; i < sizeof fragments / sizeof *fragments; i++) {
        measure_fragments(of, fragments[i]);
    }
    if (!of->is_floor) {
        measure_first_failure(of, "mixed", draw_mixed);
        measure_first_failure(of, "small", draw_small);
    }
}

static bool is_wanted(const engine *of, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], of->name) == 0) {
            return true;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    memory = aligned_alloc(4096, FRAGMENTS_BYTES);
    if (memory == NULL) {
        return 2;
    }
    memset(memory, 0, FRAGMENTS_BYTES);
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        if (is_wanted(&engines[i], argc, argv)) {
            measure(&engines[i]);
        }
    }
    free(memory);
    return 0;
}
