/*
 * crowd.c: more garbage than an index can number. Built with HY__INDEX so large that a ring of 5,000
 * is such a crowd.
 *
 *     crowd ENGINE FINALIZERS    a ring in which so many have a finalizer is dropped, and collected twice:
 *                                what each collection ended, finalizers run, live objects
 */
#include <heapyard/gc.h>

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 5000 };

typedef struct node {
    hy_object base;
    hy_object *next;
} node;

static int finalized;

static int traverse(hy_object *object, hy_visit_fn *visit, void *context)
{
    hy_object *const next = ((node *)object)->next;
    return next != NULL ? visit(next, context) : 0;
}

static void drop(hy_object *object)
{
    hy_clear_field(&((node *)object)->next);
}

static void finalize(hy_object *object)
{
    (void)object;
    finalized++;
}

static int count(hy_object *object, void *context)
{
    (void)object;
    ++*(int *)context;
    return 0;
}

static void make_ring(hy_type *plain, hy_type *last, int finalizers)
{
    hy_object *const first = hy_new(plain);
    hy_object *end = first;
    for (int i = 1; i < COUNT; i++) {
        hy_object *const next = hy_new(COUNT - i <= finalizers ? last : plain);
        ((node *)end)->next = next;
        end = next;
    }
    ((node *)end)->next = first;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    const hy_space_config config = {.size = sizeof config, .engine = (uint32_t)atoi(argv[1])};
    hy_space *const space = hy_space_new(&config);
    hy_type_spec spec = {.size = sizeof spec,
                         .name = "node",
                         .object_size = sizeof(node),
                         .kind = HY_KIND_DEALLOC,
                         .flags = HY_TYPE_CONTAINER,
                         .traverse = traverse,
                         .clear = drop,
                         .dealloc = drop};
    hy_type *const plain = hy_type_new(space, &spec);
    spec.name = "last";
    spec.kind = HY_KIND_FINALIZE;
    spec.finalize = finalize;
    hy_type *const last = hy_type_new(space, &spec);
    make_ring(plain, last, atoi(argv[2]));
    const long first = (long)hy_gc_collect(space, 2);
    const long second = (long)hy_gc_collect(space, 2);
    int live = 0;
    (void)hy_gc_walk(space, count, &live);
    printf("%ld %ld %d %d\n", first, second, finalized, live);
    hy_space_delete(space);
    return 0;
}
