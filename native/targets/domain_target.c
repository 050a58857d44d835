/*
 * domain_target.c: one domain, offered to the trial as it is. Compiled once for each of raw, mem and
 * obj, with debug hooks and without:
 *
 *     DOMAIN   the enumerator          (HY_DOMAIN_OBJ)
 *     CALLS    the functions' prefix   (hy_obj)
 *     NAME     the target's name       ("domain:obj+debug")
 *     THREADS  1: for several threads
 *     DEBUG    1: with debug hooks
 *
 * A domain is the process's: there are no instances, and it takes single frees only. HEAPYARD_MALLOC
 * chooses what serves it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <heapyard/debug.h>
#include <heapyard/target.h>

enum {
    THREAD_FLAGS = THREADS ? HEAPYARD_TARGET_THREAD_SAFE : 0,
    DEBUG_FLAGS = DEBUG ? HEAPYARD_TARGET_TELLS_BAD_FREE | HEAPYARD_TARGET_TELLS_BAD_WRITE : 0,
    FLAGS = HEAPYARD_TARGET_SETS_ERRNO | THREAD_FLAGS | DEBUG_FLAGS,
};

#define JOIN_(prefix, name) prefix##_##name
#define JOIN(prefix, name)  JOIN_(prefix, name)

/* errno as the C functions have it, which a domain does not promise: kept by a success, else ENOMEM. */
static void *concluded(void *block, int errno_before)
{
    errno = block != NULL ? errno_before : ENOMEM;
    return block;
}

static void *domain_malloc(void *handle, size_t size)
{
    (void)handle;
    const int before = errno;
    return concluded(JOIN(CALLS, malloc)(size), before);
}

static void *domain_calloc(void *handle, size_t count, size_t size)
{
    (void)handle;
    const int before = errno;
    return concluded(JOIN(CALLS, calloc)(count, size), before);
}

static void *domain_realloc(void *handle, void *block, size_t size)
{
    (void)handle;
    const int before = errno;
    return concluded(JOIN(CALLS, realloc)(block, size), before);
}

static void *domain_reallocarray(void *handle, void *block, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return concluded(NULL, 0);
    }
    return domain_realloc(handle, block, total);
}

static void domain_free(void *handle, void *block)
{
    (void)handle;
    JOIN(CALLS, free)(block);
}

/* When the library is loaded, before any block: a wrong HEAPYARD_MALLOC is told once, and not by each
 * plan. */
__attribute__((constructor)) static void start(void)
{
    hy_allocator allocator;
    hy_domain_get_allocator(DOMAIN, &allocator);
#if DEBUG
    if (!hy_domain_setup_debug_hooks(HY_DOMAIN_BIT(DOMAIN), NULL)) {
        abort();
    }
#endif
}

#if DEBUG
/* What it finds aborts with a line, unless the process has a handler of its own. */
static const char *domain_check(void *handle)
{
    (void)handle;
    return hy_debug_check_all() == 0 ? NULL : "a guard or a freed block was written";
}
#else
#    define domain_check NULL
#endif

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = NAME,
    .flags = FLAGS,
    .min_alignment = 16,
    .max_size = PTRDIFF_MAX,
    .malloc = domain_malloc,
    .calloc = domain_calloc,
    .realloc = domain_realloc,
    .reallocarray = domain_reallocarray,
    .free = domain_free,
    .check = domain_check,
};
