#include "trial/load.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Of C23, and not in every libc yet: NULL where they are missing. */
extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));

static void load_builtin_functions(struct hy_trial_functions *functions)
{
    functions->malloc = malloc;
    functions->calloc = calloc;
    functions->realloc = realloc;
    functions->reallocarray = reallocarray;
    functions->free = free;
    functions->free_sized = free_sized;
    functions->free_aligned_sized = free_aligned_sized;
    functions->aligned_alloc = aligned_alloc;
    functions->posix_memalign = posix_memalign;
    functions->memalign = memalign;
    functions->valloc = valloc;
    functions->usable_size = malloc_usable_size;
#ifdef __GLIBC__
    functions->pvalloc = pvalloc;
    functions->trim = malloc_trim;
#endif
}

static bool load_builtin(hy_loaded *loaded)
{
    load_builtin_functions(&loaded->functions);
    hy__load_builtin_name(loaded);
    return true;
}

/* A replacement of malloc is held to what the C and POSIX functions promise. */
static void prepare(hy_loaded *loaded)
{
    memset(loaded, 0, sizeof *loaded);
    loaded->functions.size = (uint32_t)sizeof loaded->functions;
    loaded->functions.version = HEAPYARD_TARGET_VERSION;
    loaded->functions.name = loaded->name;
    loaded->functions.flags = HEAPYARD_TARGET_SETS_ERRNO | HEAPYARD_TARGET_THREAD_SAFE;
}

static bool find(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    switch (request->mode) {
    case HY_LOAD_LIBRARY:
        return hy__load_library(request, loaded, reason);
    case HY_LOAD_PRELOADED:
        return hy__load_preloaded(request, loaded, reason);
    default:
        return load_builtin(loaded);
    }
}

bool hy__load(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    prepare(loaded);
    if (!find(request, loaded, reason)) {
        return false;
    }
    return loaded->has_table ||
           hy__subject_from_functions(&loaded->functions, &loaded->subject, reason);
}
