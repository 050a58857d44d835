/*
 * load_static.c: in place of load_dynamic.c in a static runner, which has no other libraries.
 */
#include "trial/load.h"

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
