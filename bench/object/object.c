/*
 * object.c: what the end of an object costs, by the way that it takes; one figure a run, for run.py.
 *
 *     bench_object WAY COUNT WINDOW   ns for COUNT times: drop the oldest of WINDOW objects and make
 *                                     one in its place
 *     bench_object make-WAY COUNT     instructions only: COUNT objects are made
 *     bench_object drop-WAY COUNT     the same, and dropped
 *     bench_object chain-WAY COUNT    ns for a list of COUNT nodes to go, from the last decref of
 *                                     its head
 *
 * WAY is plain (a number: 16 bytes of header and 8 of value), dealloc, finalize, or legacy: the
 * chain that CPython's deallocation goes through today: an indirect dealloc, an indirect free, a
 * search for the owner of the block, and the books of its pool. `none` makes and drops nothing.
 */
#include "measure.h"

#include <heapyard/object.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
    hy_object base;
    hy_object *next;
} node;

/* The type's own free, as in a table of functions that a subclass may replace. */
static void (*volatile free_object)(hy_object *) = hy_object_free;

static void drop_next(hy_object *object)
{
    hy_clear_field(&((node *)object)->next);
}

static void keep_nothing(hy_object *object)
{
    (void)object;
}

static void free_number(hy_object *object)
{
    free_object(object);
}

static void free_node(hy_object *object)
{
    drop_next(object);
    free_object(object);
}

static int visit_next(hy_object *object, hy_visit_fn *visit, void *context)
{
    hy_object *const next = ((node *)object)->next;
    return next != NULL ? visit(next, context) : 0;
}

/* The functions that a kind has. */
static void set_kind(hy_type_spec *spec, const char *way, hy_object_fn *drop, hy_object_fn *end)
{
    if (strcmp(way, "dealloc") == 0) {
        spec->kind = HY_KIND_DEALLOC;
        spec->dealloc = drop;
    } else if (strcmp(way, "finalize") == 0) {
        spec->kind = HY_KIND_FINALIZE;
        spec->finalize = keep_nothing;
        spec->dealloc = drop;
    } else if (strcmp(way, "legacy") == 0) {
        spec->kind = HY_KIND_LEGACY;
        spec->legacy = end;
    }
}

static hy_space *new_space(uint64_t limit)
{
    const hy_space_config config = {.size = sizeof config, .list_limit = (uint32_t)limit + 1};
    hy_space *const space = hy_space_new(&config);
    if (space == NULL) {
        abort();
    }
    return space;
}

static hy_type *number_type(hy_space *space, const char *way)
{
    hy_type_spec spec = {.size = sizeof spec, .name = "number", .object_size = sizeof(node)};
    set_kind(&spec, way, keep_nothing, free_number);
    return hy_type_new(space, &spec);
}

static hy_type *node_type(hy_space *space, const char *way)
{
    hy_type_spec spec = {
        .size = sizeof spec,
        .name = "node",
        .object_size = sizeof(node),
        .flags = HY_TYPE_CONTAINER,
        .traverse = visit_next,
    };
    set_kind(&spec, way, drop_next, free_node);
    return hy_type_new(space, &spec);
}

static hy_object **new_window(size_t count)
{
    hy_object **const window = calloc(count, sizeof(hy_object *));
    if (window == NULL) {
        abort();
    }
    return window;
}

static hy_object *make(hy_type *type)
{
    hy_object *const object = hy_new(type);
    if (object == NULL) {
        abort();
    }
    ((node *)object)->next = NULL;
    return object;
}

static void turn_over(const char *way, uint64_t count, size_t size)
{
    hy_space *const space = new_space(size);
    hy_type *const type = number_type(space, way);
    hy_object **const window = new_window(size);
    const bool none = strcmp(way, "none") == 0;
    for (size_t i = 0; i < size; i++) {
        window[i] = make(type);
    }
    const uint64_t start = bench_now();
    for (uint64_t i = 0, slot = 0; i < count; i++, slot = slot + 1 == size ? 0 : slot + 1) {
        if (!none) {
            hy_decref(window[slot]);
            window[slot] = make(type);
        } else {
            ((node *)window[slot])->next = NULL;
        }
    }
    bench_report("ns", bench_now() - start);
    hy_space_delete(space);
    free(window);
}

static void make_and_drop(const char *way, uint64_t count, bool drop)
{
    hy_space *const space = new_space(count);
    hy_type *const type = number_type(space, way);
    hy_object **const window = new_window(count);
    for (uint64_t i = 0; i < count; i++) {
        window[i] = make(type);
    }
    for (uint64_t i = 0; drop && i < count; i++) {
        hy_decref(window[i]);
    }
    bench_report("objects", count);
    hy_space_delete(space);
    free(window);
}

static void chain(const char *way, uint64_t count)
{
    hy_space *const space = new_space(0);
    hy_type *const type = node_type(space, way);
    hy_object *head = NULL;
    for (uint64_t i = 0; i < count; i++) {
        hy_object *const one = make(type);
        ((node *)one)->next = head;
        head = one;
    }
    const uint64_t start = bench_now();
    hy_decref(head);
    bench_report("ns", bench_now() - start);
    hy_space_delete(space);
}

static const char *after(const char *text, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

int main(int argc, char **argv)
{
    const char *const mode = argc > 2 ? argv[1] : "";
    const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    const size_t window = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (count == 0) {
        (void)fprintf(stderr, "usage: bench_object [make-|drop-|chain-]WAY COUNT [WINDOW]\n");
        return 2;
    }
    if (after(mode, "make-") != NULL) {
        make_and_drop(after(mode, "make-"), count, false);
    } else if (after(mode, "drop-") != NULL) {
        make_and_drop(after(mode, "drop-"), count, true);
    } else if (after(mode, "chain-") != NULL) {
        chain(after(mode, "chain-"), count);
    } else {
        turn_over(mode, count, window != 0 ? window : 2000);
    }
    return 0;
}
