/*
 * type.c: registering types. The way that deallocation takes is chosen here, once.
 */
#include <stdio.h>

#include "object/internal.h"

/* What is wrong with a type; NULL: nothing. */
static const char *fault_of_sizes(const hy_type_spec *spec)
{
    if ((spec->flags & ~(uint32_t)(HY_TYPE_CONTAINER | HY_TYPE_REFERENCES | HY_TYPE_WEAK |
                                   HY_TYPE_BORROWS)) != 0) {
        return "has flags that there are not";
    }
    const size_t least = spec->item_size != 0 ? sizeof(hy_var_object) : sizeof(hy_object);
    if (spec->object_size < least) {
        return "is smaller than the header of its objects";
    }
    if (spec->object_size > PTRDIFF_MAX) {
        return "is larger than any block";
    }
    return (spec->flags & HY_TYPE_REFERENCES) != 0 &&
                   (spec->object_size | spec->item_size) % sizeof(hy_object *) != 0
               ? "holds references and other bytes too"
               : NULL;
}

static const char *fault_of_kind(const hy_type_spec *spec)
{
    switch (spec->kind) {
    case HY_KIND_PLAIN:
        return spec->finalize != NULL  ? "is plain and has a finalizer"
               : spec->dealloc != NULL ? "is plain and has a dealloc"
               : spec->legacy != NULL  ? "is plain and has a legacy function"
                                       : NULL;
    case HY_KIND_DEALLOC:
        return spec->dealloc == NULL    ? "is of the kind dealloc and has none"
               : spec->finalize != NULL ? "is of the kind dealloc and has a finalizer"
               : spec->legacy != NULL   ? "is of the kind dealloc and has a legacy function"
                                        : NULL;
    case HY_KIND_FINALIZE:
        return spec->finalize == NULL ? "is of the kind finalize and has no finalizer"
               : spec->legacy != NULL ? "is of the kind finalize and has a legacy function"
                                      : NULL;
    case HY_KIND_LEGACY:
        return spec->legacy == NULL     ? "is of the kind legacy and has no function for it"
               : spec->finalize != NULL ? "is of the kind legacy and has a finalizer"
               : spec->dealloc != NULL  ? "is of the kind legacy and has a dealloc"
                                        : NULL;
    default:
        return "is of no kind that there is";
    }
}

static const char *fault_of_base(const hy_space *space, const hy_type_spec *spec)
{
    if (spec->base == NULL) {
        return NULL;
    }
    const hy__type *const base = (const hy__type *)(const void *)spec->base;
    if (base->space != space) {
        return "has a base of another space";
    }
    return spec->object_size < base->spec.object_size ? "is smaller than its base"
           : spec->item_size != base->spec.item_size  ? "has items of another size than its base"
                                                      : NULL;
}

static const char *fault_of_container(const hy_type_spec *spec)
{
    if ((spec->flags & HY_TYPE_CONTAINER) == 0) {
        return spec->traverse != NULL ? "has traverse and is not a container"
               : spec->clear != NULL  ? "has clear and is not a container"
                                      : NULL;
    }
    return spec->traverse == NULL        ? "is a container and has no traverse"
           : spec->kind == HY_KIND_PLAIN ? "is a container and plain: nothing would drop its fields"
                                         : NULL;
}

static void inherit(hy_type_spec *spec)
{
    const hy_type_spec *const base = spec->base != NULL ? hy_type_get(spec->base) : NULL;
    if (base == NULL) {
        return;
    }
    spec->flags |= base->flags;
    spec->traverse = spec->traverse != NULL ? spec->traverse : base->traverse;
    spec->clear = spec->clear != NULL ? spec->clear : base->clear;
    spec->legacy = spec->legacy != NULL ? spec->legacy : base->legacy;
    if (spec->kind != HY_KIND_LEGACY) {
        spec->dealloc = spec->dealloc != NULL ? spec->dealloc : base->dealloc;
        spec->finalize = spec->finalize != NULL ? spec->finalize : base->finalize;
    }
}

/* Of a type whose objects are references and nothing else: its functions are ours. */
static const char *fault_of_references(const hy_type_spec *spec)
{
    if ((spec->flags & HY_TYPE_REFERENCES) == 0) {
        return NULL;
    }
    return spec->traverse != hy__references_traverse ? "holds references only and has a traverse"
           : spec->clear != hy__references_clear     ? "holds references only and has a clear"
           : spec->dealloc != NULL && spec->dealloc != hy__references_clear
               ? "holds references only and has a dealloc"
               : NULL;
}

/* The functions of a type whose objects are references and nothing else. */
static void complete(hy_type_spec *spec)
{
    if ((spec->flags & HY_TYPE_REFERENCES) == 0) {
        return;
    }
    spec->flags |= HY_TYPE_CONTAINER;
    spec->traverse = spec->traverse != NULL ? spec->traverse : hy__references_traverse;
    spec->clear = spec->clear != NULL ? spec->clear : hy__references_clear;
    if (spec->dealloc == NULL &&
        (spec->kind == HY_KIND_DEALLOC || spec->kind == HY_KIND_FINALIZE)) {
        spec->dealloc = hy__references_clear;
    }
}

/* Of a type with its base's functions. */
static const char *fault_of(const hy_space *space, const hy_type_spec *spec)
{
    const char *fault = fault_of_sizes(spec);
    fault = fault != NULL ? fault : fault_of_base(space, spec);
    fault = fault != NULL ? fault : fault_of_kind(spec);
    fault = fault != NULL ? fault : fault_of_references(spec);
    return fault != NULL ? fault : fault_of_container(spec);
}

static void report_fault(const hy_type_spec *spec, const char *fault)
{
    char detail[160];
    (void)snprintf(detail, sizeof detail, "(type %.64s %s)", spec->name, fault);
    hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", spec, detail);
}

/* Choose the lists: for new atoms of a fixed, small size, and for the last reference of such that are
 * plain. Where the lists have no room, as in a debug space, all goes the slow way. */
static void choose_lists(hy__type *type)
{
    hy_space *const space = type->space;
    const hy_type_spec *const spec = &type->spec;
    const size_t size = hy__block_size(type, spec->object_size);
    const bool listed = spec->item_size == 0 && hy__is_listed_size(size);
    const bool inline_way = listed && !hy__is_container(type) && !hy__is_weak(type);
    hy_object_list *const list = inline_way ? hy__list_of(type->shelf, size) : &space->closed;
    type->window.new_list = spec->kind == HY_KIND_LEGACY ? &space->closed : list;
    type->window.drop_list = spec->kind == HY_KIND_PLAIN ? list : &space->closed;
}

/* The type, its name behind it: one request, so that there is nothing to take back. */
static hy_type *place_type(hy_space *space, const hy_type_spec *spec)
{
    const size_t name_size = strlen(spec->name) + 1;
    hy__type *const type = hy_bump_alloc_zeroed(space->bump, 1, sizeof *type + name_size);
    if (type == NULL) {
        HY_COUNT(space->failures++);
        return NULL;
    }
    type->space = space;
    type->spec = *spec;
    type->spec.name = memcpy(type + 1, spec->name, name_size);
    type->shelf = hy__is_container(type) ? &space->containers : &space->atoms;
    choose_lists(type);
    type->next = space->types;
    space->types = type;
    HY_COUNT(space->types_made++);
    return &type->window;
}

hy_type *hy_type_new(hy_space *space, const hy_type_spec *given)
{
    if (given->size != sizeof *given || given->name == NULL) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", given,
                   given->size != sizeof *given ? "(a type described by another header)"
                                                : "(a type without a name)");
        return NULL;
    }
    hy_type_spec spec = *given;
    inherit(&spec);
    complete(&spec);
    const char *const fault = fault_of(space, &spec);
    if (fault != NULL) {
        report_fault(&spec, fault);
        return NULL;
    }
    return place_type(space, &spec);
}

const hy_type_spec *hy_type_get(const hy_type *type)
{
    return &((const hy__type *)(const void *)type)->spec;
}
