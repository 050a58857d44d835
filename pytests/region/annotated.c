/*
 * annotated.c: accesses that AddressSanitizer and valgrind must see, or must not complain about.
 *
 *     annotated engine scenario
 */
#include <stdlib.h>
#include <string.h>

#include <heapyard/region.h>

static _Alignas(4096) char memory[1 << 16];
static volatile char sink;

static void give(hy_region *region, void *block, size_t size)
{
    hy_region_free_sized(region, block, size);
}

int main(int argc, char **argv)
{
    const hy_region_options options = {.engine = argc == 3 ? (uint32_t)atoi(argv[1]) : 9};
    hy_region *region = hy_region_create(memory, sizeof memory, &options);
    if (region == NULL) {
        return 2;
    }
    const char *scenario = argv[2];
    char *first = hy_region_alloc(region, 40);
    char *second = hy_region_alloc(region, 40);
    char *third = hy_region_alloc(region, 40);
    memset(first, 1, 40);
    memset(second, 2, 40);
    memset(third, 3, 40);
    if (strcmp(scenario, "sound") == 0) {
        give(region, second, 40);
        second = hy_region_alloc_aligned(region, 256, 1000);
        memset(second, 4, 1000);
        second = hy_region_realloc_sized(region, second, 1000, 0, 3000);
        sink = second[999];
        memset(second, 5, 3000);
        second = hy_region_realloc_sized(region, second, 3000, 0, 10);
        sink = second[9];
        give(region, second, 10);
        give(region, first, 40);
        give(region, third, 40);
        if (hy_region_check(region).code != HY_REGION_SOUND) {
            return 3;
        }
        hy_region_destroy(region);
        memset(memory, 0, sizeof memory);
        return 0;
    }
    if (strcmp(scenario, "past the end") == 0) {
        first[40] = 1;
    } else if (strcmp(scenario, "after free") == 0) {
        give(region, second, 40);
        sink = second[0];
    } else if (strcmp(scenario, "unused memory") == 0) {
        sink = third[64];
    } else if (strcmp(scenario, "after shrinking") == 0) {
        first = hy_region_realloc_sized(region, first, 40, 0, 20);
        sink = first[20];
    } else if (strcmp(scenario, "after reset") == 0) {
        hy_region_reset(region);
        sink = third[39];
    }
    return 0;
}
