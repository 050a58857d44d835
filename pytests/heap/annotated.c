/*
 * annotated.c: touches one byte of a heap that nobody may touch, or (sound) none such, and asks of
 * pointers that are not the heap's. For AddressSanitizer and valgrind: see test_sanitizers.py.
 */
#include <heapyard/heap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static volatile char seen;

static void touch(const char *place)
{
    seen = *(const volatile char *)place;
}

/* Blocks of all kinds: written whole, grown, shrunk, freed in three ways. */
static void use_soundly(hy_heap *heap)
{
    static const size_t sizes[] = {1, 16, 100, 513, 5000, 30000, 50000, 900000, 4000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t size = sizes[i];
        char *block = hy_heap_malloc(heap, size);
        memset(block, 1, size);
        block = hy_heap_realloc(heap, block, 2 * size);
        memset(block + size, 2, size);
        if (block[0] != 1) {
            exit(3);
        }
        block = hy_heap_realloc(heap, block, size);
        touch(block + size - 1);
        hy_heap_free_sized(heap, block, size);
        char *const zeroed = hy_heap_calloc(heap, 1, size);
        for (size_t n = 0; n < size; n++) {
            if (zeroed[n] != 0) {
                exit(3);
            }
        }
        hy_heap_free(heap, zeroed);
        void *const aligned = hy_heap_aligned_alloc(heap, 1024, size);
        memset(aligned, 3, size);
        hy_heap_free_aligned_sized(heap, aligned, 1024, size);
    }
    if (hy_heap_check(heap).code != 0) {
        exit(3);
    }
    (void)hy_heap_trim(heap);
}

/* Addresses that a shrunk block gave up are anyone's, up to where its redzone ended. */
static void reuse_what_was_shrunk(hy_heap *heap)
{
    const size_t size = (size_t)4 << 20;
    char *block = hy_heap_malloc(heap, size);
    char *const kept = hy_heap_realloc(heap, block, size / 2);
    char *const place = kept + size - 4096;
    char *const page = mmap(place, 8192, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (kept == block && page == place) {
        memset(page, 1, 8192);
    }
    munmap(page, 8192);
    hy_heap_free(heap, kept);
}

/* The ownership test on memory that was freed, and on none. */
static void ask_of_foreign_memory(const hy_heap *heap)
{
    char *const freed = malloc(100000);
    memset(freed, 1, 100000);
    free(freed);
    for (size_t offset = 0; offset < 100000; offset += 16) {
        if (hy_heap_contains(heap, freed + offset)) {
            exit(3);
        }
    }
}

static const char *bad_place(hy_heap *heap, const char *mode)
{
    char *const block = hy_heap_malloc(heap, 20);
    memset(block, 1, 20);
    if (strcmp(mode, "overflow") == 0) {
        return block + 20;
    }
    if (strcmp(mode, "redzone") == 0) {
        return block + 32;
    }
    if (strcmp(mode, "freed") == 0) {
        hy_heap_free(heap, block);
        return block;
    }
    if (strcmp(mode, "freed_sized") == 0) {
        hy_heap_free_sized(heap, block, 20);
        return block + 16;
    }
    if (strcmp(mode, "shrunk") == 0) {
        return (char *)hy_heap_realloc(heap, block, 10) + 10;
    }
    if (strcmp(mode, "run") == 0) {
        return (char *)hy_heap_malloc(heap, 50000) + 50000;
    }
    if (strcmp(mode, "large") == 0) {
        return (char *)hy_heap_malloc(heap, 5000000) + 5000000;
    }
    fprintf(stderr, "unknown mode %s\n", mode);
    exit(2);
}

int main(int argc, char **argv)
{
    hy_heap *const heap = hy_heap_new(NULL);
    if (heap == NULL || argc != 2) {
        return 2;
    }
    if (strcmp(argv[1], "sound") == 0) {
        use_soundly(heap);
        reuse_what_was_shrunk(heap);
        ask_of_foreign_memory(heap);
    } else {
        touch(bad_place(heap, argv[1]));
    }
    hy_heap_delete(heap);
    return 0;
}
