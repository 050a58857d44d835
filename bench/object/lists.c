/*
 * lists.c: how often free lists serve a real program, for lists.py: one line of JSON a list.
 *
 *     bench_lists PLAN LIMIT
 *
 * PLAN is a recording as a packed plan (<heapyard/plan.h>) of malloc, calloc, realloc and free. Each
 * block becomes a plain object of its size, from a list of at most LIMIT blocks; a block that realloc
 * moves to another multiple of 16 becomes a new object, and the old one is dropped. What no list holds,
 * since it is larger than 512 bytes, is counted in the last line.
 */
#include <heapyard/object.h>
#include <heapyard/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct replay {
    hy_space *space;
    hy_type *listed[HY_OBJECT_LISTS]; /* by multiple of 16 */
    hy_type *large;                   /* with items of one byte */
    hy_object **objects;              /* by slot */
    size_t *sizes;
    const uint64_t *operands;
    uint64_t beyond; /* objects that no list holds */
} replay;

static void *require(void *made)
{
    if (made == NULL) {
        (void)fprintf(stderr, "bench_lists: no memory\n");
        exit(1);
    }
    return made;
}

static unsigned char *read_file(const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        (void)fprintf(stderr, "bench_lists: %s can't be read\n", path);
        exit(2);
    }
    const size_t size = (size_t)ftell(file);
    unsigned char *const bytes = require(malloc(size + 1));
    rewind(file);
    if (fread(bytes, 1, size, file) != size || size < sizeof(hy_plan_header) ||
        memcmp(bytes, HY_PLAN_MAGIC, 8) != 0) {
        (void)fprintf(stderr, "bench_lists: %s is no packed plan\n", path);
        exit(2);
    }
    (void)fclose(file);
    return bytes;
}

static void register_types(replay *r)
{
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        const hy_type_spec spec = {
            .size = sizeof spec, .name = "listed", .object_size = 16 * (i + 1)};
        r->listed[i] = require(hy_type_new(r->space, &spec));
    }
    const hy_type_spec spec = {
        .size = sizeof spec, .name = "large", .object_size = sizeof(hy_var_object), .item_size = 1};
    r->large = require(hy_type_new(r->space, &spec));
}

static size_t multiple_of(size_t size)
{
    return size != 0 ? (size - 1) / HY_HEAP_ALIGNMENT : 0;
}

static void make(replay *r, uint32_t slot, size_t size)
{
    const bool is_listed = size <= HY_OBJECT_MAX_LISTED;
    r->beyond += !is_listed;
    r->sizes[slot] = size;
    r->objects[slot] = require(is_listed ? hy_new(r->listed[multiple_of(size)])
                                         : hy_new_var(r->large, size - sizeof(hy_var_object)));
}

static void drop(replay *r, uint32_t slot)
{
    if (slot != HY_PLAN_NO_SLOT && r->objects[slot] != NULL) {
        hy_decref(r->objects[slot]);
        r->objects[slot] = NULL;
    }
}

static void resize(replay *r, uint32_t slot, size_t size)
{
    hy_object *const before = r->objects[slot];
    if (before != NULL && multiple_of(size) == multiple_of(r->sizes[slot])) {
        return;
    }
    make(r, slot, size);
    if (before != NULL) {
        hy_decref(before);
    }
}

static void perform(replay *r, const hy_plan_op *op)
{
    switch (op->op) {
    case HY_OP_MALLOC:
        make(r, op->slot, op->size);
        return;
    case HY_OP_CALLOC:
        make(r, op->slot, op->size * r->operands[op->arg]);
        return;
    case HY_OP_REALLOC:
        resize(r, op->slot, op->size);
        return;
    case HY_OP_FREE:
        drop(r, op->slot);
        return;
    default:
        (void)fprintf(stderr, "bench_lists: operation %u is not of a plain recording\n", op->op);
        exit(2);
    }
}

static void report(replay *r)
{
    for (size_t i = 1; i < HY_OBJECT_LISTS; i++) {
        hy_list_counters c;
        if (!hy_space_get_list_counters(r->space, false, 16 * (i + 1), &c)) {
            (void)fprintf(stderr, "bench_lists: a build without counters\n");
            exit(2);
        }
        printf("{\"size\": %llu, \"hits\": %llu, \"misses\": %llu, \"overflows\": %llu}\n",
               (unsigned long long)c.block_size, (unsigned long long)c.hits,
               (unsigned long long)c.misses, (unsigned long long)c.overflows);
    }
    printf("{\"size\": 0, \"hits\": 0, \"misses\": %llu, \"overflows\": 0}\n",
           (unsigned long long)r->beyond);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench_lists PLAN LIMIT\n");
        return 2;
    }
    unsigned char *const plan = read_file(argv[1]);
    const hy_plan_header *const header = (const hy_plan_header *)(const void *)plan;
    const hy_space_config config = {.size = sizeof config,
                                    .list_limit = (uint32_t)strtoul(argv[2], NULL, 10) + 1};
    replay r = {
        .space = require(hy_space_new(&config)),
        .objects = require(calloc(header->slots + 1, sizeof(hy_object *))),
        .sizes = require(calloc(header->slots + 1, sizeof(size_t))),
        .operands = (const uint64_t *)(const void *)(header + 1),
    };
    const hy_plan_op *const ops =
        (const hy_plan_op *)(const void *)(r.operands + header->operand_count);
    register_types(&r);
    for (uint64_t i = 0; i < header->op_count; i++) {
        perform(&r, &ops[i]);
    }
    report(&r);
    hy_space_delete(r.space);
    free(r.sizes);
    free(r.objects);
    free(plan);
    return 0;
}
