/*
 * verify.c: does traverse tell the truth, and what was said of the roots? In a debug space each full collection asks first.
 *
 * What a container refers to stands in its own memory, as a rule: each word of it that is the address of
 * an object must be visited as often as it stands there. What is visited and stands elsewhere (in an
 * array of the object's own, say) can't be held against anything.
 *
 *     words      a  b  b  c        visits     a  b  c  c
 *                   skipped                         twice
 */
#include <stdio.h>
#include <stdlib.h>

#include "gc/internal.h"

typedef struct verify {
    hy_space *space;
    hy__objects atoms; /* all, by address */
    hy__objects containers;
    hy__objects visits; /* of one object */
    hy__objects words;
    bool failed;
} verify;

static int note_object(hy_object *object, void *context)
{
    verify *const v = context;
    const bool is_container = hy__is_container(hy__type_of(object));
    hy__objects *const all = is_container ? &v->containers : &v->atoms;
    v->failed = !hy__objects_add(v->space, all, object);
    return v->failed;
}

static int note_visit(hy_object *child, void *context)
{
    verify *const v = context;
    v->failed = !hy__objects_add(v->space, &v->visits, child);
    return v->failed;
}

static int by_address(const void *a, const void *b)
{
    const uintptr_t one = *(const uintptr_t *)a;
    const uintptr_t two = *(const uintptr_t *)b;
    return (one > two) - (one < two);
}

static bool is_in(const hy__objects *all, const hy_object *object)
{
    return all->count != 0 &&
           bsearch(&object, all->buffer.data, all->count, sizeof(hy_object *), by_address) != NULL;
}

static bool note_words(verify *v, hy_object *object)
{
    const size_t size = hy__object_size(hy__type_of(object), object);
    hy_object *const *const end = (hy_object **)(void *)((char *)object + size / 8 * 8);
    for (hy_object *const *word = (hy_object **)(void *)(object + 1); word < end; word++) {
        if ((is_in(&v->atoms, *word) || is_in(&v->containers, *word)) &&
            !hy__objects_add(v->space, &v->words, *word)) {
            return false;
        }
    }
    return true;
}

static size_t occurrences(const hy__objects *objects, size_t *at, const hy_object *object)
{
    hy_object *const *const data = hy__objects_data(objects);
    size_t count = 0;
    while (*at < objects->count && (uintptr_t)data[*at] < (uintptr_t)object) {
        ++*at;
    }
    while (*at < objects->count && data[*at] == object) {
        ++*at;
        count++;
    }
    return count;
}

static void sort(hy__objects *objects)
{
    if (objects->count != 0) {
        qsort(objects->buffer.data, objects->count, sizeof(hy_object *), by_address);
    }
}

/* What is wrong; NULL: nothing. */
static const char *compare(verify *v, bool borrows)
{
    size_t word = 0;
    size_t visit = 0;
    sort(&v->words);
    sort(&v->visits);
    while (word < v->words.count) {
        const hy_object *const object = hy__objects_data(&v->words)[word];
        const size_t stands = occurrences(&v->words, &word, object);
        const size_t visited = occurrences(&v->visits, &visit, object);
        if (visited > stands || (visited < stands && !borrows)) {
            return visited < stands ? "skips a reference" : "visits a reference twice";
        }
    }
    return NULL;
}

static bool is_truthful(verify *v, hy_object *object)
{
    char detail[160];
    v->visits.count = 0;
    v->words.count = 0;
    (void)hy_object_traverse(object, note_visit, v);
    if (v->failed || !note_words(v, object)) {
        v->failed = true;
        return false;
    }
    const char *const fault = compare(v, (hy_type_get(object->type)->flags & HY_TYPE_BORROWS) != 0);
    if (fault == NULL) {
        return true;
    }
    (void)snprintf(detail, sizeof detail, "(traverse of type %.64s %s)",
                   hy_type_get(object->type)->name, fault);
    hy__misuse(HY_MISUSE_BAD_ARGUMENT, "gc", object, detail);
    return false;
}

static bool roots_are_containers(const verify *v)
{
    const hy__gc *const gc = v->space->gc;
    for (size_t i = 0; i < gc->root_count; i++) {
        if (!is_in(&v->containers, gc->roots[i])) {
            hy__misuse(HY_MISUSE_BAD_ARGUMENT, "gc", gc->roots[i],
                       "(a root that is no container of the space)");
            return false;
        }
    }
    return true;
}

static bool verify_all(verify *v)
{
    (void)hy_space_walk(v->space, note_object, v);
    bool truthful = !v->failed && roots_are_containers(v);
    for (size_t i = 0; truthful && i < v->containers.count; i++) {
        truthful = is_truthful(v, hy__objects_data(&v->containers)[i]);
    }
    return truthful;
}

bool hy__verify_traverse(hy_space *space)
{
    verify v = {.space = space};
    const bool truthful = verify_all(&v);
    hy__buffer_drop(space, &v.atoms.buffer);
    hy__buffer_drop(space, &v.containers.buffer);
    hy__buffer_drop(space, &v.visits.buffer);
    hy__buffer_drop(space, &v.words.buffer);
    return truthful;
}
