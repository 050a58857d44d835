/*
 * load_static.c: in place of load_dynamic.c in a static runner, which has no other libraries.
 */
#include <stdio.h>
#include <unistd.h>

#include "trial/load.h"

void hy__load_builtin_name(hy_loaded *loaded)
{
    (void)snprintf(loaded->name, sizeof loaded->name, "musl");
    const ssize_t length = readlink("/proc/self/exe", loaded->path, sizeof loaded->path - 1);
    loaded->path[length > 0 ? length : 0] = '\0';
}

hy_early_function *hy__load_early(const hy_loaded *loaded)
{
    (void)loaded;
    return NULL;
}

static bool refuse(hy_reason *reason)
{
    hy__reason(reason, HY_CAUSE_LOAD, "this runner is static: it serves its own libc only");
    return false;
}

bool hy__load_library(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    (void)request;
    (void)loaded;
    return refuse(reason);
}

bool hy__load_preloaded(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    (void)request;
    (void)loaded;
    return refuse(reason);
}
