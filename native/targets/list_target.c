/*
 * list_target.c: an intrusive free list per size class, and nothing else: what a heap that keeps no
 * books costs, which no heap that keeps some can beat by much.
 *
 *     class 16   -> [ next | .. ] -> [ next | .. ] -> NULL        malloc pops, free pushes
 *     class 32   -> NULL                                          empty: carved from the span
 *     span       [ carved ... | next, never touched ............. ]
 *
 * Classes are 16 bytes apart up to 512, then 8 to each power of two. free has to be told the size.
 * Nothing is ever given back, coalesced or checked.
 */
#include <sys/mman.h>

#include <heapyard/target.h>

#define SMALL      ((size_t)512)
#define SPAN_MOST  ((size_t)1 << 38) /* valgrind, for one, refuses that */
#define SPAN_LEAST ((size_t)1 << 32)
#define MOST       ((size_t)1 << 32)

typedef struct node {
    struct node *next;
} node;

typedef struct list_heap {
    node *free[256];
    char *next;
    char *end;
    char *span;
} list_heap;

static list_heap only;

static void *list_open(void)
{
    for (size_t size = SPAN_MOST; size >= SPAN_LEAST; size /= 2) {
        char *const span = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if ((void *)span != MAP_FAILED) {
            only = (list_heap){.span = span, .next = span, .end = span + size};
            return &only;
        }
    }
    return NULL;
}

static void list_close(void *handle)
{
    const list_heap *const heap = handle;
    (void)munmap(heap->span, (size_t)(heap->end - heap->span));
}

/* The class of a size and the size of its blocks. */
static inline size_t class_of(size_t size, size_t *rounded)
{
    if (__builtin_expect(size <= SMALL, 1)) {
        const size_t units = (size + 15) / 16 + (size == 0);
        *rounded = units * 16;
        return units;
    }
    const unsigned shift = 60 - (unsigned)__builtin_clzll(size - 1); /* log2 of an eighth */
    const size_t eighths = ((size - 1) >> shift) + 1;                /* 9 to 16 */
    *rounded = eighths << shift;
    return SMALL / 16 + (size_t)(shift - 6) * 8 + eighths - 8;
}

static void *carve(list_heap *heap, size_t size)
{
    if (size > (size_t)(heap->end - heap->next)) {
        return NULL;
    }
    void *const block = heap->next;
    heap->next += size;
    return block;
}

static void *list_malloc(void *handle, size_t size)
{
    list_heap *const heap = handle;
    size_t rounded;
    if (__builtin_expect(size > MOST, 0)) {
        return NULL;
    }
    const size_t class = class_of(size, &rounded);
    node *const first = heap->free[class];
    if (__builtin_expect(first == NULL, 0)) {
        return carve(heap, rounded);
    }
    heap->free[class] = first->next;
    return first;
}

static void list_free_sized(void *handle, void *block, size_t size)
{
    list_heap *const heap = handle;
    size_t rounded;
    node *const freed = block;
    if (__builtin_expect(freed == NULL, 0)) {
        return;
    }
    const size_t class = class_of(size, &rounded);
    freed->next = heap->free[class];
    heap->free[class] = freed;
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "list",
    .max_size = MOST,
    .open = list_open,
    .close = list_close,
    .malloc = list_malloc,
    .free_sized = list_free_sized,
};
