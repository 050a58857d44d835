/*
 * tables.c: tables that the runner must refuse; TABLE_... says what is wrong with this one.
 */
#include <heapyard/target.h>

#ifdef TABLE_EMPTY
static void *no_array(void *handle, size_t count, size_t size)
{
    (void)handle;
    (void)count;
    (void)size;
    return NULL;
}
#else
static void *no_block(void *handle, size_t size)
{
    (void)handle;
    (void)size;
    return NULL;
}
#endif

#if defined(TABLE_HALF) || defined(TABLE_NO_INSTANCE)
static void *no_instance(void)
{
    return NULL;
}
#endif

#ifdef TABLE_NO_INSTANCE
static void end_nothing(void *handle)
{
    (void)handle;
}
#endif

HEAPYARD_EXPORT_TARGET = {
#ifdef TABLE_SIZE
    .size = 64,
#else
    .size = (uint32_t)sizeof(struct heapyard_target),
#endif
#ifdef TABLE_VERSION
    .version = HEAPYARD_TARGET_VERSION + 1,
#else
    .version = HEAPYARD_TARGET_VERSION,
#endif
    .name = "table",
#if defined(TABLE_NO_INSTANCE)
    .malloc = no_block,
    .open = no_instance,
    .close = end_nothing,
#elif defined(TABLE_HALF)
    .malloc = no_block,
    .open = no_instance,
#elif defined(TABLE_FLAGS)
    .malloc = no_block,
    .flags = (uint64_t)1 << 40,
#elif defined(TABLE_ALIGNMENT)
    .malloc = no_block,
    .min_alignment = 24,
#elif defined(TABLE_BULK)
    .malloc = no_block,
    .flags = HEAPYARD_TARGET_BULK_FREE_ONLY,
#elif defined(TABLE_VERSION) || defined(TABLE_SIZE)
    .malloc = no_block,
#elif defined(TABLE_EMPTY)
    .calloc = no_array,
#else
#    error "which table?"
#endif
};
