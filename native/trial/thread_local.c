#include "trial/thread_local.h"

#include <stdlib.h> /* defines __GLIBC__ */

static size_t target_module;

void hy__thread_local_module(size_t module)
{
    target_module = module;
}

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

/* What the compiler passes for a variable: its module, and its place there. */
typedef struct variable {
    size_t module;
    size_t offset;
} variable;

extern void *__tls_get_addr(variable *wanted);

void hy__thread_local_make(void)
{
    variable first = {.module = target_module};
    if (first.module != 0) {
        (void)__tls_get_addr(&first);
    }
}

#else

void hy__thread_local_make(void)
{
}

#endif
