/*
 * log.c: garbage among the young, or the young and the middle ones, by the log of the walk engine. An
 * object's place in the log is its index, so that whether a child is a candidate is told by two loads.
 */
#include "gc/internal.h"

#define REACHED (-1)

typedef struct search {
    hy__gc *gc;
    const hy__log *log;
    int32_t *left; /* by place in the log */
    size_t first;
} search;

/* The place of a child among the candidates; 0: it is none. */
static inline size_t place_of(const search *s, const hy_object *child)
{
    const size_t index = hy__index_of(child);
    const bool is_one =
        index >= s->first && index < s->log->count && s->log->entries[index] == child;
    return is_one ? index : 0;
}

static int subtract(hy_object *child, void *context)
{
    const search *const s = context;
    const size_t place = place_of(s, child);
    if (place != 0) {
        s->left[place]--;
    }
    return 0;
}

static int reach(hy_object *child, void *context)
{
    const search *const s = context;
    const size_t place = place_of(s, child);
    if (place != 0 && s->left[place] != REACHED) {
        s->left[place] = REACHED;
        hy__push(&s->gc->stack, child);
    }
    return 0;
}

static void take_off(search *s)
{
    for (size_t i = s->first; i < s->log->count; i++) {
        hy_object *const object = s->log->entries[i];
        if (object != NULL) {
            s->left[i] += hy__references_capped(object);
            s->gc->result.candidates++;
            (void)hy_object_traverse(object, subtract, s);
        }
    }
}

static void mark(search *s)
{
    hy__objects *const stack = &s->gc->stack;
    for (size_t i = s->first; i < s->log->count; i++) {
        if (s->log->entries[i] == NULL || s->left[i] <= 0) {
            continue;
        }
        (void)reach(s->log->entries[i], s);
        while (stack->count > 0) {
            hy_object *const object = hy__objects_data(stack)[--stack->count];
            (void)hy_object_traverse(object, reach, s);
        }
    }
}

/* The reached move up in the log; the rest leaves it. */
static void part(const search *s, hy__log *log)
{
    size_t to = s->first;
    for (size_t i = s->first; i < log->count; i++) {
        hy_object *const object = log->entries[i];
        if (object == NULL) {
            continue;
        }
        if (s->left[i] == REACHED) {
            hy__set_index(object, to);
            log->entries[to++] = object;
        } else {
            hy__set_index(object, 0);
            hy__push(&s->gc->garbage, object);
        }
    }
    log->count = to;
}

static bool reserve(hy_space *space, hy__gc *gc)
{
    const size_t count = space->log.count;
    if (!hy__buffer_reserve(space, &gc->side, count * sizeof(int32_t)) ||
        !hy__buffer_reserve(space, &gc->stack.buffer, count * sizeof(hy_object *)) ||
        !hy__buffer_reserve(space, &gc->garbage.buffer, count * sizeof(hy_object *))) {
        return false;
    }
    (void)memset(gc->side.data, 0, count * sizeof(int32_t));
    return true;
}

bool hy__find_in_log(hy_space *space, hy__gc *gc, unsigned generation)
{
    hy__log *const log = &space->log;
    if (log->entries == NULL) {
        return true;
    }
    if (!reserve(space, gc)) {
        return false;
    }
    search s = {
        .gc = gc,
        .log = log,
        .left = gc->side.data,
        .first = generation == 0 ? log->middle : 1,
    };
    take_off(&s);
    mark(&s);
    part(&s, log);
    log->middle = log->count;
    return true;
}
