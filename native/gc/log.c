/*
 * log.c: garbage among the young, or the young and the middle ones, by the log of the walk engine; or among
 * all, where it has all (few.c). An object's place in the log is its index, so that whether a child is a
 * candidate is told by two loads. What is none has place 0, which is nobody's.
 */
#include "gc/internal.h"

#define REACHED (-1)

typedef struct search {
    hy_object *const *entries;
    size_t first;
    size_t count;
    int32_t *left; /* by place in the log */
    hy_object **stack;
    size_t waiting; /* on the stack */
} search;

/* No branch: which way one goes is as good as drawn. */
static inline size_t place_of(const search *s, const hy_object *child)
{
    const size_t index = hy__index_of(child);
    const size_t place = index < s->count ? index : 0;
    const bool is_one = (place >= s->first) & (s->entries[place] == child);
    return is_one ? place : 0;
}

static int subtract(hy_object *child, void *context)
{
    const search *const s = context;
    s->left[place_of(s, child)]--;
    return 0;
}

static int reach(hy_object *child, void *context)
{
    search *const s = context;
    const size_t place = place_of(s, child);
    s->stack[s->waiting] = child;
    s->waiting += s->left[place] != REACHED;
    s->left[place] = REACHED;
    return 0;
}

/* Returns how many candidates there are. */
static size_t take_off(search *s)
{
    size_t candidates = 0;
    for (size_t i = s->first; i < s->count; i++) {
        hy_object *const object = s->entries[i];
        if (object != NULL) {
            s->left[i] += hy__references_capped(object);
            candidates++;
            hy__for_each_reference(object, subtract, s);
            s->left[0] = 0;
        }
    }
    return candidates;
}

/* Returns how many are reached. */
static size_t mark(search *s)
{
    size_t reached = 0;
    s->left[0] = REACHED;
    for (size_t i = s->first; i < s->count; i++) {
        if (s->entries[i] == NULL || s->left[i] <= 0) {
            continue;
        }
        (void)reach(s->entries[i], s);
        for (; s->waiting > 0; reached++) {
            hy__for_each_reference(s->stack[--s->waiting], reach, s);
        }
    }
    return reached;
}

/* The reached move up in the log; the rest leaves it. */
static void part(const search *s, hy__log *log, hy__objects *garbage)
{
    size_t to = s->first;
    for (size_t i = s->first; i < s->count; i++) {
        hy_object *const object = log->entries[i];
        if (object == NULL) {
            continue;
        }
        if (s->left[i] != REACHED) {
            hy__set_index(object, 0);
            hy__push(garbage, object);
            continue;
        }
        if (to != i) {
            hy__set_index(object, to);
            log->entries[to] = object;
        }
        to++;
    }
    log->count = to;
}

static bool reserve(hy_space *space, hy__gc *gc)
{
    const size_t count = space->log.count;
    return hy__buffer_reserve(space, &gc->side, count * sizeof(int32_t)) &&
           hy__buffer_reserve(space, &gc->stack.buffer, count * sizeof(hy_object *));
}

bool hy__find_in_log(hy_space *space, hy__gc *gc, unsigned generation)
{
    hy__log *const log = &space->log;
    if (!reserve(space, gc)) {
        return false;
    }
    search s = {
        .entries = log->entries,
        .first = generation == 0   ? log->middle
                 : generation == 1 ? log->old
                                   : 1,
        .count = log->count,
        .left = gc->side.data,
        .stack = hy__objects_data(&gc->stack),
    };
    (void)memset(s.left, 0, s.count * sizeof *s.left);
    gc->result.candidates = take_off(&s);
    const size_t lost = gc->result.candidates - mark(&s);
    if (!hy__buffer_reserve(space, &gc->garbage.buffer, lost * sizeof(hy_object *))) {
        return false;
    }
    part(&s, log, &gc->garbage);
    log->old = generation == 2 ? log->count : log->old;
    log->middle = log->count;
    return true;
}
