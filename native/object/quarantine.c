/*
 * quarantine.c: the dead of a debug space, kept for a while so that what is done to them is told.
 *
 *     [ NULL | -8 ][ type, for its size | dd dd dd ... ]      a ring; the oldest is freed first
 *
 * An object without fields has no room for the type: its block is freed at once.
 */
#include "object/internal.h"

#define FILL 0xdd

typedef struct dead {
    hy_object object;
    hy__type *type;
    size_t size; /* of the whole */
} dead;

static bool is_filled(const dead *one)
{
    const unsigned char *const first = (const unsigned char *)(one + 1);
    const unsigned char *const end = (const unsigned char *)one + one->size;
    for (const unsigned char *byte = first; byte < end; byte++) {
        if (*byte != FILL) {
            return false;
        }
    }
    return one->object.type == NULL && one->object.count == HY__DEAD;
}

static void free_dead(hy__type *type, hy_object *object)
{
    object->type = NULL;
    hy_heap_free(type->shelf->heap, hy__block_of(type->shelf, object));
}

/* The oldest leaves. False: it was written to; it stays allocated, so that nobody gets it. */
static bool free_oldest(hy_space *space)
{
    dead *const one = (dead *)(void *)space->quarantine[space->oldest];
    space->oldest = (space->oldest + 1) % HY__QUARANTINE;
    space->quarantined--;
    if (!is_filled(one)) {
        hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "object", one, "(found when it left quarantine)");
        return false;
    }
    free_dead(one->type, &one->object);
    return true;
}

void hy__quarantine_put(hy__type *type, hy_object *object)
{
    hy_space *const space = type->space;
    const size_t size = hy__object_size(type, object);
    if (size < sizeof(dead)) {
        free_dead(type, object);
        return;
    }
    if (space->quarantined == HY__QUARANTINE) {
        (void)free_oldest(space);
    }
    dead *const one = (dead *)(void *)object;
    one->object = (hy_object){.type = NULL, .count = HY__DEAD};
    one->type = type;
    one->size = size;
    (void)memset(one + 1, FILL, size - sizeof *one);
    space->quarantine[(space->oldest + space->quarantined) % HY__QUARANTINE] = object;
    space->quarantined++;
}

/* All leave. False: one was written to. */
bool hy__quarantine_empty(hy_space *space)
{
    bool intact = true;
    while (space->quarantined > 0) {
        intact = free_oldest(space) && intact;
    }
    return intact;
}

/* Whether none was written to; else the oldest that was. */
bool hy__quarantine_is_intact(const hy_space *space, const hy_object **broken)
{
    for (uint32_t i = 0; i < space->quarantined; i++) {
        const hy_object *const object = space->quarantine[(space->oldest + i) % HY__QUARANTINE];
        if (!is_filled((const dead *)(const void *)object)) {
            *broken = object;
            return false;
        }
    }
    return true;
}
