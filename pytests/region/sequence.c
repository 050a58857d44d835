/*
 * sequence.c: one sequence of calls on one region, drawn from a seed; prints where each block went.
 *
 * Built for 32 and for 64 bits by test_properties.py: both must print the same.
 *
 *     sequence engine granule poison seed calls
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <heapyard/region.h>

#define SLOTS 400
#define SPAN  ((size_t)1 << 20)

static _Alignas(1 << 20) char memory[2 * SPAN];
static uint64_t state;

static uint32_t draw(uint32_t bound)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(((state >> 33) * bound) >> 31);
}

static long place(const void *block)
{
    return block != NULL ? (long)((const char *)block - memory) : -1;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        return 2;
    }
    const hy_region_options options = {.engine = (uint32_t)atoi(argv[1]),
                                       .granule = (uint32_t)atoi(argv[2]),
                                       .flags = (uint32_t)atoi(argv[3])};
    state = (uint64_t)atoi(argv[4]);
    char *blocks[SLOTS] = {0};
    size_t sizes[SLOTS] = {0};
    hy_region *region = hy_region_create(memory + 5, SPAN / 2, &options);
    printf("%ld\n", place(region));
    printf("%d\n", hy_region_chain(region, memory + SPAN + 3, SPAN / 4));
    for (int call = 0; call < atoi(argv[5]); call++) {
        const uint32_t slot = draw(SLOTS);
        const size_t size = 1 + draw(draw(6) == 0 ? 30000 : 700);
        if (blocks[slot] == NULL) {
            blocks[slot] =
                hy_region_alloc_aligned(region, (size_t)1 << (draw(4) == 0 ? draw(14) : 0), size);
            sizes[slot] = size;
        } else if (draw(3) == 0) {
            char *moved = hy_region_realloc_sized(region, blocks[slot], sizes[slot], 0, size);
            blocks[slot] = moved != NULL ? moved : blocks[slot];
            sizes[slot] = moved != NULL ? size : sizes[slot];
        } else {
            hy_region_free_sized(region, blocks[slot], sizes[slot]);
            blocks[slot] = NULL;
        }
        if (call == 5000) {
            char *const end = memory + 5 + SPAN / 2;
            printf("%d\n", hy_region_extend(region, end, end + SPAN / 8));
        }
        printf("%d %u %ld\n", call, slot, place(blocks[slot]));
    }
    printf("%" PRIu32 "\n", hy_region_check(region).code);
    return 0;
}
