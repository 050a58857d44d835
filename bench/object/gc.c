/*
 * gc.c: what a collection costs, for gc.py: one line of JSON a run.
 *
 *     bench_gc ENGINE SHAPE ORDER COUNT GARBAGE [FIELDS]
 *
 * ENGINE is walk, roots (walk, with the roots known), pools (walk, with generations of pools) or linked. SHAPE: ring (each node refers to the
 * next), tree (two children and the parent), random (three others). ORDER: fresh (neighbours in the
 * graph are neighbours in memory), shuffled, or aged (half of all objects made first were dropped, and
 * those of the graph fill the gaps). COUNT containers of FIELDS references (4), an atom of 32 bytes made
 * between each two. GARBAGE per cent of them lose their root before the first collection.
 *
 * Prints ns per container: first collection, steady state (the median of 9 more), teardown (all roots
 * dropped, collected); bytes resident per container; and the young collection of 2,000 new objects.
 */
#include "measure.h"

#include <heapyard/gc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct graph {
    hy_space *space;
    hy_type *node;
    hy_object **nodes; /* by place in the graph */
    size_t count;
    size_t parts;
} graph;

static size_t resident(void)
{
    char line[128];
    char *second = NULL;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        abort();
    }
    (void)fclose(file);
    (void)strtoul(line, &second, 10);
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void shuffle(hy_object **objects, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t other = bench_draw(i);
        hy_object *const one = objects[i - 1];
        objects[i - 1] = objects[other];
        objects[other] = one;
    }
}

static hy_object *made(hy_object *object)
{
    if (object == NULL) {
        abort();
    }
    return object;
}

static hy_object **new_objects(size_t count)
{
    hy_object **const objects = calloc(count + 1, sizeof(hy_object *));
    if (objects == NULL) {
        abort();
    }
    return objects;
}

static void make_nodes(graph *g, hy_type *atom, size_t count, hy_object **nodes)
{
    for (size_t i = 0; i < count; i++) {
        nodes[i] = made(hy_new(g->node));
        (void)made(hy_new(atom)); /* leaked on purpose: the heap's, until the space goes */
    }
}

static void make_all(graph *g, const char *order)
{
    const hy_type_spec spec = {.size = sizeof spec, .name = "atom", .object_size = 32};
    hy_type *const atom = hy_type_new(g->space, &spec);
    if (strcmp(order, "aged") != 0) {
        make_nodes(g, atom, g->count, g->nodes);
    } else {
        hy_object **const first = new_objects(g->count);
        make_nodes(g, atom, g->count, first);
        shuffle(first, g->count);
        for (size_t i = 0; i < g->count / 2; i++) {
            hy_decref(made(first[i]));
        }
        (void)memcpy(g->nodes, first + g->count / 2,
                     (g->count - g->count / 2) * sizeof(hy_object *));
        make_nodes(g, atom, g->count / 2, g->nodes + (g->count - g->count / 2));
        free(first);
    }
    if (strcmp(order, "fresh") != 0) {
        shuffle(g->nodes, g->count);
    }
}

static void refer(const graph *g, size_t from, size_t field, size_t to)
{
    hy_object **const fields = (hy_object **)(void *)(g->nodes[from] + 1);
    hy_incref(made(g->nodes[to]));
    fields[field] = g->nodes[to];
}

/* A graph in `parts` equal parts, each with a root: its first node. */
static void link_part(const graph *g, const char *shape, size_t first, size_t count, size_t fields)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(shape, "ring") == 0) {
            refer(g, first + i, 0, first + (i + 1) % count);
        } else if (strcmp(shape, "tree") == 0) {
            refer(g, first + i, 0, first + (i == 0 ? 0 : (i - 1) / 2));
            for (size_t child = 1; child <= 2 && 2 * i + child < count; child++) {
                refer(g, first + i, child, first + 2 * i + child);
            }
        } else {
            refer(g, first + i, 0, first + (i + 1) % count);
            for (size_t field = 1; field < 3 && field < fields; field++) {
                refer(g, first + i, field, first + bench_draw(count));
            }
        }
    }
}

static size_t part_begin(const graph *g, size_t part)
{
    return g->count * part / g->parts;
}

static void drop_parts(graph *g, size_t from, size_t to)
{
    for (size_t part = from; part < to; part++) {
        hy_decref(made(g->nodes[part_begin(g, part)]));
    }
}

/* The time of one of so many collections. */
static double collect_times(const graph *g, size_t times)
{
    const uint64_t start = bench_now();
    for (size_t i = 0; i < times; i++) {
        if (hy_gc_collect(g->space, 2) < 0) {
            abort();
        }
    }
    return (double)(bench_now() - start) / (double)times;
}

static double collect(const graph *g)
{
    return collect_times(g, 1);
}

static int by_value(const void *a, const void *b)
{
    const double one = *(const double *)a;
    const double two = *(const double *)b;
    return (one > two) - (one < two);
}

static double steady(const graph *g)
{
    double times[9];
    const size_t each = 1 + 100000 / g->count; /* small ones take less than the clock can tell */
    for (size_t i = 0; i < 9; i++) {
        times[i] = collect_times(g, each);
    }
    qsort(times, 9, sizeof *times, by_value);
    return times[4];
}

/* 2,000 new objects, a tenth of them kept, beside all the others. */
static double young(graph *g)
{
    double times[5];
    for (size_t i = 0; i < 5; i++) {
        hy_object *kept = NULL;
        for (size_t j = 0; j < 2000; j++) {
            hy_object *const one = made(hy_new(g->node));
            hy_object **const fields = (hy_object **)(void *)(one + 1);
            fields[0] = one; /* a cycle of one */
            hy_incref(one);
            hy_decref(one);
            kept = j % 10 == 0 ? one : kept;
            if (j % 10 == 0) {
                hy_incref(one);
            }
        }
        const uint64_t start = bench_now();
        (void)hy_gc_collect(g->space, 0);
        times[i] = (double)(bench_now() - start) / 2000;
        (void)kept;
    }
    qsort(times, 5, sizeof *times, by_value);
    return times[2];
}

static void measure(graph *g, const char *engine, size_t garbage, size_t before)
{
    const size_t lost = g->parts * garbage / 100;
    const double count = (double)g->count;
    const double bytes = (double)(resident() - before) / count;
    hy_object **roots = new_objects(g->parts);
    for (size_t part = lost; part < g->parts; part++) {
        roots[part - lost] = g->nodes[part_begin(g, part)];
    }
    drop_parts(g, 0, lost);
    if (strcmp(engine, "roots") == 0) {
        hy_gc_set_roots(g->space, roots, g->parts - lost);
    }
    const double first = collect(g) / count;
    const double later = steady(g) / count;
    const double new_objects = young(g);
    hy_gc_set_roots(g->space, NULL, 0);
    drop_parts(g, lost, g->parts);
    const double teardown = collect(g) / count;
    printf("{\"first\": %.2f, \"steady\": %.2f, \"teardown\": %.2f, \"young\": %.1f, "
           "\"bytes\": %.1f}\n",
           first, later, teardown, new_objects, bytes);
    free(roots);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        (void)fprintf(stderr, "usage: bench_gc ENGINE SHAPE ORDER COUNT GARBAGE [FIELDS]\n");
        return 2;
    }
    const size_t fields = argc > 6 ? strtoull(argv[6], NULL, 10) : 4;
    const hy_space_config config = {
        .size = sizeof config,
        .engine = strcmp(argv[1], "linked") == 0  ? HY_GC_LINKED
                  : strcmp(argv[1], "pools") == 0 ? HY_GC_POOLS
                                                  : HY_GC_WALK,
    };
    graph g = {.space = hy_space_new(&config), .count = strtoull(argv[4], NULL, 10)};
    const hy_type_spec spec = {
        .size = sizeof spec,
        .name = "node",
        .object_size = sizeof(hy_object) + fields * sizeof(hy_object *),
        .kind = HY_KIND_DEALLOC,
        .flags = HY_TYPE_REFERENCES,
    };
    g.node = hy_type_new(g.space, &spec);
    g.parts = g.count < 100 ? 1 : 100;
    g.nodes = new_objects(g.count);
    (void)memset(g.nodes, 1, g.count * sizeof(hy_object *));
    const size_t before = resident();
    make_all(&g, argv[3]);
    for (size_t part = 0; part < g.parts; part++) {
        const size_t first = part_begin(&g, part);
        link_part(&g, argv[2], first, part_begin(&g, part + 1) - first, fields);
    }
    for (size_t i = 0; i < g.count; i++) {
        hy_decref(made(g.nodes[i]));
    }
    for (size_t part = 0; part < g.parts; part++) {
        hy_incref(made(g.nodes[part_begin(&g, part)]));
    }
    measure(&g, argv[1], strtoull(argv[5], NULL, 10), before);
    hy_space_delete(g.space);
    free(g.nodes);
    return 0;
}
