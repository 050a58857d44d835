/* Allocates from an arena and a heap of the installed library, and asks the engine for a name. */
#include <stdio.h>

#include <heapyard/bump.h>
#include <heapyard/heap.h>
#include <heapyard/trial.h>

int main(void)
{
    hy_bump *bump = hy_bump_new(NULL);
    if (bump == NULL) {
        return 1;
    }
    char *block = hy_bump_alloc(bump, 20);
    if (block == NULL) {
        return 1;
    }
    (void)snprintf(block, 20, "%s", hy_trial_op_name(1));
    printf("consumer: %s, %d\n", block, (int)hy_bump_contains(bump, block));
    hy_bump_delete(bump);

    hy_heap *heap = hy_heap_new(NULL);
    if (heap == NULL) {
        return 1;
    }
    for (int i = 0; i < 100; i++) { /* the inline paths, both ways */
        hy_heap_free_sized(heap, hy_heap_malloc(heap, 64), 64);
    }
    hy_heap_counters counters;
    const bool counted = hy_heap_get_counters(heap, &counters);
    const hy_check_result result = hy_heap_check(heap);
    printf("consumer: heap %s, counted as told: %d\n", hy_heap_check_text(result.code),
           counted == HEAPYARD_COUNTERS && counters.allocs == 100U * HEAPYARD_COUNTERS);
    hy_heap_delete(heap);
    return 0;
}
