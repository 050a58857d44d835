/*
 * gc.c: what a collection costs, for gc.py: one line of JSON a run.
 *
 *     bench_gc ENGINE SHAPE ORDER COUNT GARBAGE [FIELDS]
 *
 * ENGINE is walk, roots (walk, with the roots known), pools (walk, with generations of pools) or linked.
 * SHAPE: ring (each node refers to the next), tree (two children and the parent), random (three others).
 * ORDER: fresh (neighbours in the graph are neighbours in memory), shuffled, or aged (half of all objects
 * made first were dropped, and those of the graph fill the gaps). COUNT containers of FIELDS references
 * (4), an atom of 32 bytes made between each two, in 100 graphs (10, of fewer than 1,000). GARBAGE per cent
 * of these lose their root before the first collection.
 *
 * Prints ns per container: first collection, steady state (the median of 9 more), teardown (all roots
 * dropped, collected); bytes resident per container; and the young collection of 2,000 new objects. Up to
 * 10,000 containers: medians of many spaces, one after the other.
 */
#include "measure.h"

#include <heapyard/gc.h>

#include <stddef.h>
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

/* Of one space: ns for each container, and bytes. */
typedef struct figures {
    double first;
    double steady;
    double teardown;
    double young;
    double bytes;
} figures;

/* Small graphs are made and measured so often: their first collections are over before the clock can tell,
 * and the first of all also brings in the program. */
#define MOST_SPACES 41

#define YOUNG 2000

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

/* The time of one of so many full collections. */
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

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static double steady(const graph *g)
{
    double times[9];
    const size_t each = 1 + 100000 / g->count; /* small ones take less than the clock can tell */
    for (size_t i = 0; i < 9; i++) {
        times[i] = collect_times(g, each);
    }
    return median(times, 9);
}

/* A cycle of one. */
static hy_object *make_young(const graph *g)
{
    hy_object *const one = made(hy_new(g->node));
    *(hy_object **)(void *)(one + 1) = one;
    return one;
}

static void drop_young(hy_object *one)
{
    hy_decref(one);
    hy_clear_field((hy_object **)(void *)(one + 1));
}

/* 2,000 new objects, a tenth of them referred to from outside, beside all the others. They leave nothing. */
static double young(const graph *g)
{
    hy_object *kept[YOUNG / 10];
    double times[5];
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < YOUNG; j++) {
            hy_object *const one = make_young(g);
            if (j % 10 == 0) {
                hy_incref(one);
                kept[j / 10] = one;
            }
        }
        const uint64_t start = bench_now();
        (void)hy_gc_collect(g->space, 0);
        times[i] = (double)(bench_now() - start) / YOUNG;
        for (size_t j = 0; j < YOUNG / 10; j++) {
            drop_young(kept[j]);
        }
    }
    return median(times, 5);
}

/* ---- one space ---------------------------------------------------------------------------------- */

static void make_space(graph *g, const char *engine, size_t fields)
{
    const hy_space_config config = {
        .size = sizeof config,
        .engine = strcmp(engine, "linked") == 0  ? HY_GC_LINKED
                  : strcmp(engine, "pools") == 0 ? HY_GC_POOLS
                                                 : HY_GC_WALK,
    };
    const hy_type_spec spec = {
        .size = sizeof spec,
        .name = "node",
        .object_size = sizeof(hy_object) + fields * sizeof(hy_object *),
        .kind = HY_KIND_DEALLOC,
        .flags = HY_TYPE_REFERENCES,
    };
    g->space = hy_space_new(&config);
    g->node = g->space != NULL ? hy_type_new(g->space, &spec) : NULL;
    if (g->node == NULL) {
        abort();
    }
}

/* The graph, of which only the first node of each part is referred to from outside. */
static void make_graph(graph *g, char **words, size_t fields)
{
    make_all(g, words[3]);
    for (size_t part = 0; part < g->parts; part++) {
        const size_t first = part_begin(g, part);
        link_part(g, words[2], first, part_begin(g, part + 1) - first, fields);
    }
    for (size_t part = 0; part < g->parts; part++) {
        hy_incref(made(g->nodes[part_begin(g, part)]));
    }
    for (size_t i = 0; i < g->count; i++) {
        hy_decref(made(g->nodes[i]));
    }
}

static void measure(graph *g, const char *engine, size_t garbage, figures *found)
{
    const size_t lost = g->parts * garbage / 100;
    const double count = (double)g->count;
    hy_object **const roots = new_objects(g->parts);
    for (size_t part = lost; part < g->parts; part++) {
        roots[part - lost] = g->nodes[part_begin(g, part)];
    }
    drop_parts(g, 0, lost);
    if (strcmp(engine, "roots") == 0) {
        hy_gc_set_roots(g->space, roots, g->parts - lost);
    }
    found->first = collect(g) / count;
    found->steady = steady(g) / count;
    found->young = young(g);
    hy_gc_set_roots(g->space, NULL, 0);
    drop_parts(g, lost, g->parts);
    found->teardown = collect(g) / count;
    free(roots);
}

static figures run(graph *g, char **words, size_t fields)
{
    figures found;
    const size_t before = resident();
    make_space(g, words[1], fields);
    make_graph(g, words, fields);
    found.bytes = (double)(resident() - before) / (double)g->count;
    measure(g, words[1], strtoull(words[5], NULL, 10), &found);
    hy_space_delete(g->space);
    return found;
}

/* ---- all ---------------------------------------------------------------------------------------- */

static double median_of(const figures *all, size_t count, size_t offset)
{
    double values[MOST_SPACES];
    for (size_t i = 0; i < count; i++) {
        values[i] = *(const double *)(const void *)((const char *)&all[i] + offset);
    }
    return median(values, count);
}

int main(int argc, char **argv)
{
    if (argc < 6 || strtoull(argv[4], NULL, 10) < 10) {
        (void)fprintf(stderr, "usage: bench_gc ENGINE SHAPE ORDER COUNT GARBAGE [FIELDS]\n"
                              "COUNT is at least 10\n");
        return 2;
    }
    const size_t fields = argc > 6 ? strtoull(argv[6], NULL, 10) : 4;
    graph g = {.count = strtoull(argv[4], NULL, 10)};
    g.parts = g.count < 1000 ? 10 : 100;
    g.nodes = new_objects(g.count);
    (void)memset(g.nodes, 1, g.count * sizeof(hy_object *)); /* resident before it is asked */
    const size_t spaces = g.count > 10000 ? 1 : g.count > 1000 ? 11 : MOST_SPACES;
    figures all[MOST_SPACES];
    for (size_t i = 0; i < spaces; i++) {
        all[i] = run(&g, argv, fields);
    }
    printf("{\"first\": %.2f, \"steady\": %.2f, \"teardown\": %.2f, \"young\": %.1f, "
           "\"bytes\": %.1f}\n",
           median_of(all, spaces, offsetof(figures, first)),
           median_of(all, spaces, offsetof(figures, steady)),
           median_of(all, spaces, offsetof(figures, teardown)),
           median_of(all, spaces, offsetof(figures, young)), all[0].bytes);
    free(g.nodes);
    return 0;
}
