/*
 * quarantine.c: the dead of a debug space, kept for a while so that what is done to them is told.
 *
 *     object   [ NULL | HY__DEAD ][ dd dd dd ... ]        ring   [ object, type, size ] ...
 *
 * The oldest is freed first. Nothing that is needed to free it stands in the object itself.
 */
#include "object/internal.h"

#define FILL 0xdd

bool hy__quarantine_open(hy_space *space)
{
    space->quarantine =
        hy_bump_alloc_zeroed(space->bump, HY__QUARANTINE, sizeof *space->quarantine);
    return space->quarantine != NULL;
}

static bool is_filled(const hy__dead *one)
{
    const unsigned char *const first = (const unsigned char *)(one->object + 1);
    const unsigned char *const end = (const unsigned char *)one->object + one->size;
    for (const unsigned char *byte = first; byte < end; byte++) {
        if (*byte != FILL) {
            return false;
        }
    }
    return one->object->type == NULL && one->object->count == HY__DEAD;
}

/* The oldest leaves. One that was written to stays allocated, so that nobody gets it. */
static void free_oldest(hy_space *space)
{
    const hy__dead one = space->quarantine[space->oldest];
    space->oldest = (space->oldest + 1) % HY__QUARANTINE;
    space->quarantined--;
    if (!is_filled(&one)) {
        one.object->type = NULL;
        hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "object", one.object,
                   "(found when it left quarantine)");
        return;
    }
    hy_heap_free(one.type->shelf->heap, hy__block_of(one.type->shelf, one.object));
}

/* Its size, as far as that fits its block: an object whose items were changed may say anything. */
static size_t true_size(const hy__type *type, const hy_object *object)
{
    const size_t size = hy__object_size(type, object);
    const size_t most = hy_heap_usable_size(type->shelf->heap, hy__block_of(type->shelf, object)) -
                        type->shelf->prefix;
    const bool fits =
        size <= most && hy_heap_good_size(hy__block_size(type, size) + type->shelf->prefix) ==
                            hy_heap_good_size(most + type->shelf->prefix);
    if (!fits) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object, "(its items were changed)");
    }
    return fits ? size : sizeof *object;
}

void hy__quarantine_put(hy__type *type, hy_object *object)
{
    hy_space *const space = type->space;
    const size_t size = true_size(type, object);
    if (space->quarantined == HY__QUARANTINE) {
        free_oldest(space);
    }
    *object = (hy_object){.type = NULL, .count = HY__DEAD};
    (void)memset(object + 1, FILL, size - sizeof *object);
    space->quarantine[(space->oldest + space->quarantined) % HY__QUARANTINE] =
        (hy__dead){.object = object, .type = type, .size = size};
    space->quarantined++;
}

/* All leave. */
void hy__quarantine_empty(hy_space *space)
{
    while (space->quarantined > 0) {
        free_oldest(space);
    }
}

/* Whether none was written to; else the oldest that was. */
bool hy__quarantine_is_intact(const hy_space *space, const hy_object **broken)
{
    for (uint32_t i = 0; i < space->quarantined; i++) {
        const hy__dead *const one = &space->quarantine[(space->oldest + i) % HY__QUARANTINE];
        if (!is_filled(one)) {
            *broken = one->object;
            return false;
        }
    }
    return true;
}
