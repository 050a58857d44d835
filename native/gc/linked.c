/*
 * linked.c: garbage in a list of containers, as CPython finds it: what is left of an object's references
 * stands in its own header, and what seems unreached moves to a second list, from which it comes back
 * where something reached refers to it.
 */
#include "gc/internal.h"

/* The index of an object in the second list. */
#define ASIDE 1

typedef struct search {
    hy__gc *gc;
    hy__gc_link *list;  /* those in doubt, and those reached */
    hy__gc_link *aside; /* those that seem unreached */
} search;

static inline bool is_in_doubt(const hy_object *object)
{
    return (object->count & HY_OBJECT_IN_DOUBT) != 0;
}

static void splice(hy__gc_link *to, hy__gc_link *from)
{
    if (from->next == from) {
        return;
    }
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    from->next = from;
    from->previous = from;
}

static void start_doubt(search *s)
{
    for (hy__gc_link *link = s->list->next; link != s->list; link = link->next) {
        hy_object *const object = hy__object_of(link);
        object->count |= HY_OBJECT_IN_DOUBT;
        link->left = (int64_t)hy_references(object);
        s->gc->result.candidates++;
    }
}

static int subtract(hy_object *child, void *context)
{
    (void)context;
    if (is_in_doubt(child)) {
        hy__link_of(child)->left--;
    }
    return 0;
}

static void take_off(search *s)
{
    for (hy__gc_link *link = s->list->next; link != s->list; link = link->next) {
        (void)hy_object_traverse(hy__object_of(link), subtract, s);
    }
}

static int reach(hy_object *child, void *context)
{
    const search *const s = context;
    if (!is_in_doubt(child)) {
        return 0;
    }
    hy__gc_link *const link = hy__link_of(child);
    if (hy__index_of(child) == ASIDE) {
        hy__set_index(child, 0);
        hy__unlink(link);
        hy__link_last(s->list, link);
        link->left = 1;
    } else if (link->left == 0) {
        link->left = 1;
    }
    return 0;
}

/* Go through the list, which grows at its end as others come back. `previous` of its head is its end
 * throughout; that of the others is put right when they are passed. */
static void part(search *s)
{
    hy__gc_link *previous = s->list;
    hy__gc_link *link = s->list->next;
    while (link != s->list) {
        hy_object *const object = hy__object_of(link);
        if (link->left != 0) {
            object->count &= ~HY_OBJECT_IN_DOUBT;
            (void)hy_object_traverse(object, reach, s);
            link->previous = previous;
            previous = link;
            link = link->next;
            continue;
        }
        hy__gc_link *const next = link->next;
        previous->next = next;
        if (next == s->list) {
            s->list->previous = previous;
        }
        hy__set_index(object, ASIDE);
        hy__link_last(s->aside, link);
        link = next;
    }
    s->list->previous = previous;
}

static void end_doubt(const search *s)
{
    for (hy__gc_link *link = s->aside->next; link != s->aside; link = link->next) {
        hy_object *const object = hy__object_of(link);
        object->count &= ~HY_OBJECT_IN_DOUBT;
        hy__set_index(object, 0);
    }
}

static bool gather(hy_space *space, hy__gc *gc)
{
    for (hy__gc_link *link = gc->doomed.next; link != &gc->doomed; link = link->next) {
        if (!hy__objects_add(space, &gc->garbage, hy__object_of(link))) {
            return false;
        }
    }
    return true;
}

bool hy__find_in_lists(hy_space *space, hy__gc *gc, unsigned generation)
{
    hy__gc_link *const list = &space->generations[generation];
    for (unsigned younger = 0; younger < generation; younger++) {
        splice(list, &space->generations[younger]);
    }
    search s = {.gc = gc, .list = list, .aside = &gc->doomed};
    start_doubt(&s);
    take_off(&s);
    part(&s);
    end_doubt(&s);
    if (!gather(space, gc)) {
        splice(list, &gc->doomed);
        return false;
    }
    if (generation < HY_GC_GENERATIONS - 1) {
        splice(&space->generations[generation + 1], list);
    }
    return true;
}
