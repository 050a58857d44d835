/*
 * prefixed.c: an allocator under a prefix (yard_malloc, ...), and one entry point of another.
 */
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

static _Alignas(16) char memory[1 << 16];
static size_t used;

EXPORT void *yard_malloc(size_t size);
EXPORT void *yard_malloc(size_t size)
{
    const size_t rounded = (size + 16) & ~(size_t)15;
    if (size > sizeof memory || rounded > sizeof memory - used) {
        return NULL;
    }
    used += rounded;
    return memory + used - rounded;
}

EXPORT void yard_free(void *block);
EXPORT void yard_free(void *block)
{
    (void)block;
}

EXPORT void *other_malloc(size_t size);
EXPORT void *other_malloc(size_t size)
{
    return yard_malloc(size);
}
