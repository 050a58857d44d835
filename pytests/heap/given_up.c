/*
 * given_up.c: a large block of one heap shrinks in its place, and another heap maps the addresses that
 * it gave up before the page source has even returned, as another thread may. See test_contains.py.
 */
#include <heapyard/heap.h>
#include <heapyard/pages.h>

#include <stdio.h>

#define SIZE ((size_t)8 << 20)

static hy_heap *other;
static void *others;
static char *place; /* where the other heap's next mapping lies */

static void *map_at_place(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (place == NULL || size < HY_HEAP_MIN_ARENA_SIZE) {
        return hy_pages_mmap()->map(NULL, size, alignment);
    }
    return place;
}

/* Shrinks by giving nothing back: the other heap takes the last arena of it. */
static bool shrink(void *context, void *address, size_t old_size, size_t new_size)
{
    (void)context;
    if (new_size > old_size) {
        return false;
    }
    place = (char *)address + SIZE - HY_HEAP_MIN_ARENA_SIZE;
    others = hy_heap_malloc(other, 100);
    place = NULL;
    return true;
}

static void unmap(void *context, void *address, size_t size)
{
    (void)context;
    hy_pages_mmap()->unmap(NULL, address, size);
}

int main(void)
{
    const hy_page_source shrinking = {.map = map_at_place, .unmap = unmap, .resize = shrink};
    const hy_page_source placing = {.map = map_at_place, .unmap = unmap};
    const hy_heap_config of_other = {
        .size = sizeof of_other, .source = &placing, .arena_size = HY_HEAP_MIN_ARENA_SIZE};
    const hy_heap_config config = {.size = sizeof config, .source = &shrinking};
    hy_heap *const heap = hy_heap_new(&config);
    other = hy_heap_new(&of_other);
    char *const block = hy_heap_malloc(heap, SIZE);
    char *const kept = hy_heap_realloc(heap, block, SIZE / 2);
    const bool in_place = kept == block && others != NULL;
    const bool owned = hy_heap_contains(other, others) && !hy_heap_contains(heap, others);
    const bool sound = hy_heap_check(heap).code == 0 && hy_heap_check(other).code == 0;
    hy_heap_free(other, others);
    hy_heap_delete(other);
    hy_heap_delete(heap);
    printf("%d %d %d\n", in_place, owned, sound);
    return 0;
}
