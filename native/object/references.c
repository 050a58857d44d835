/*
 * references.c: objects that are references and nothing else, and building graphs of them.
 */
#include "object/internal.h"

static hy_object **first_field(const hy__type *type, hy_object *object)
{
    return (hy_object **)(void *)(type->spec.item_size != 0 ? (char *)((hy_var_object *)object + 1)
                                                            : (char *)(object + 1));
}

static hy_object **end_of_fields(const hy__type *type, hy_object *object)
{
    return (hy_object **)(void *)((char *)object + hy__object_size(type, object));
}

int hy__references_traverse(hy_object *object, hy_visit_fn *visit, void *context)
{
    const hy__type *const type = hy__type_of(object);
    hy_object **const end = end_of_fields(type, object);
    for (hy_object **field = first_field(type, object); field < end; field++) {
        const int stopped = *field != NULL ? visit(*field, context) : 0;
        if (stopped != 0) {
            return stopped;
        }
    }
    return 0;
}

void hy__references_clear(hy_object *object)
{
    const hy__type *const type = hy__type_of(object);
    hy_object **const end = end_of_fields(type, object);
    for (hy_object **field = first_field(type, object); field < end; field++) {
        hy_clear_field(field);
    }
}

int hy_object_traverse(hy_object *object, hy_visit_fn *visit, void *context)
{
    const hy_type_spec *const spec = hy_type_get(object->type);
    return spec->traverse != NULL ? spec->traverse(object, visit, context) : 0;
}

size_t hy_new_many(hy_type *type, hy_object **objects, size_t count)
{
    size_t made = 0;
    while (made < count && (objects[made] = hy_new(type)) != NULL) {
        made++;
    }
    return made;
}

void hy_decref_many(hy_object *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hy_decref(objects[i]);
    }
}

static bool link_one(hy_object *const *objects, const hy_edge *edge)
{
    hy_object *const from = objects[edge->origin];
    const hy__type *const type = hy__type_of(from);
    if ((type->spec.flags & HY_TYPE_REFERENCES) == 0) {
        return false;
    }
    hy_object **const field = first_field(type, from) + edge->field;
    if (field >= end_of_fields(type, from) || *field != NULL) {
        return false;
    }
    hy_incref(objects[edge->target]);
    *field = objects[edge->target];
    return true;
}

size_t hy_link_many(hy_object *const *objects, const hy_edge *edges, size_t count)
{
    size_t put = 0;
    while (put < count && link_one(objects, &edges[put])) {
        put++;
    }
    return put;
}
