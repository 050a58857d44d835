/*
 * plain.c: malloc and free under their own names and with a prefix, and nothing else of the family:
 * what is missing must not be found in the libc. Blocks of a static arena, never reused.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))

API void *malloc(size_t size);
API void free(void *block);
API void *lone_malloc(size_t size);
API void lone_free(void *block);
API size_t lone_usable_size(void *block);

static _Alignas(64) unsigned char arena[(size_t)16 << 20];
static size_t used;

void *malloc(size_t size)
{
    if (size > sizeof arena - used - 16) {
        errno = ENOMEM;
        return NULL;
    }
    void *const block = arena + used;
    used += (size + 15) / 16 * 16;
    return block;
}

void free(void *block)
{
    (void)block;
}

void *lone_malloc(size_t size)
{
    return malloc(size);
}

void lone_free(void *block)
{
    free(block);
}

size_t lone_usable_size(void *block)
{
    return block != NULL ? 16 : 0;
}
