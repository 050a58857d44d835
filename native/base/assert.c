#include "base/assert.h"

#include <stdlib.h>

#include "base/print.h"

_Noreturn void hy__assert_failed(const char *expression, const char *file, int line)
{
    hy__print_error("heapyard: assertion failed: %s (%s:%d)\n", expression, file, line);
    abort();
}
