/*
 * check.c: the invariants of a space.
 */
#include "object/internal.h"

static hy_check_result found(hy_space_check_code code, const void *address)
{
    return (hy_check_result){.code = (uint32_t)code, .address = address};
}

static bool is_listed_block(const hy__shelf *shelf, const hy_object_link *link, size_t size)
{
    const void *const block = hy__block_of(shelf, link);
    return hy__is_aligned(link, HY_HEAP_ALIGNMENT) && hy_heap_contains(shelf->heap, block) &&
           link->dead.type == NULL && link->dead.count < 0 &&
           hy_heap_usable_size(shelf->heap, block) == hy_heap_good_size(size + shelf->prefix);
}

static hy_check_result check_list(const hy_space *space, const hy__shelf *shelf,
                                  const hy_object_list *list)
{
    const size_t size = hy__list_block_size(shelf, list);
    uint64_t left = hy__list_length(space, list);
    for (const hy_object_link *link = list->head; link != NULL; link = link->next) {
        if (left-- == 0) {
            return found(HY_SPACE_CHECK_LIST_LENGTH, link);
        }
        if (!is_listed_block(shelf, link, size)) {
            return found(HY_SPACE_CHECK_LISTED, link);
        }
    }
    return left == 0 ? found(HY_SPACE_CHECK_SOUND, NULL) : found(HY_SPACE_CHECK_LIST_LENGTH, list);
}

static hy_check_result check_shelf(const hy_space *space, const hy__shelf *shelf)
{
    if (hy_heap_check(shelf->heap).code != 0) {
        return found(HY_SPACE_CHECK_HEAP, shelf->heap);
    }
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        const hy_check_result result = check_list(space, shelf, &shelf->lists[i]);
        if (result.code != 0) {
            return result;
        }
    }
    return found(HY_SPACE_CHECK_SOUND, NULL);
}

/* The dying, and those that wait for it, have no reference. */
static bool any_is_ending(const hy_space *space)
{
    return space->drops.is_running || space->is_collecting;
}

typedef struct object_check {
    const hy_space *space;
    hy_check_result result;
} object_check;

static bool is_registered(const hy_space *space, const hy_type *type)
{
    const hy__type *one = space->types;
    while (one != NULL && &one->window != type) {
        one = one->next;
    }
    return one != NULL;
}

static int check_object(hy_object *object, void *context)
{
    object_check *const check = context;
    if (!is_registered(check->space, object->type)) {
        check->result = found(HY_SPACE_CHECK_TYPE, object);
    } else if (object->count < 0 && !any_is_ending(check->space)) {
        check->result = found(HY_SPACE_CHECK_COUNT, object);
    }
    return check->result.code != 0;
}

static hy_check_result check_objects(hy_space *space)
{
    object_check check = {.space = space};
    (void)hy__walk_all(space, check_object, &check);
    return check.result;
}

static hy_check_result check_quarantine(const hy_space *space)
{
    const hy_object *broken = NULL;
    return hy__quarantine_is_intact(space, &broken) ? found(HY_SPACE_CHECK_SOUND, NULL)
                                                    : found(HY_SPACE_CHECK_QUARANTINE, broken);
}

hy_check_result hy_space_check(hy_space *space)
{
    hy_check_result result = check_shelf(space, &space->atoms);
    result = result.code != 0 ? result : check_shelf(space, &space->containers);
    result = result.code != 0 ? result : check_objects(space);
    return result.code != 0 ? result : check_quarantine(space);
}

const char *hy_space_check_text(uint32_t code)
{
    static const char *const texts[] = {
#define CHECK_TEXT(name, text) text,
        HY_SPACE_CHECKS(CHECK_TEXT)
#undef CHECK_TEXT
    };
    return code < sizeof texts / sizeof texts[0] ? texts[code] : "unknown";
}
