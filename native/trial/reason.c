#include "trial/reason.h"

#include <stdarg.h>
#include <stdio.h>

void hy__reason(hy_reason *reason, hy_cause cause, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    reason->cause = cause;
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
}

const char *hy__cause_name(hy_cause cause)
{
    static const char *const names[] = {
        [HY_CAUSE_NONE] = "none", [HY_CAUSE_LOAD] = "load",     [HY_CAUSE_SYMBOL] = "symbol",
        [HY_CAUSE_PLAN] = "plan", [HY_CAUSE_MEMORY] = "memory", [HY_CAUSE_MACHINE] = "machine"};
    return names[cause];
}
