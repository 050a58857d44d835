/*
 * new_handler.c: what C++'s operators new do where there is no memory (C++17 [new.delete.single]).
 *
 * std::set_new_handler is libstdc++'s, and an allocator with operators of its own must ask it. The
 * nothrow operator is asked, which ends without an exception: C can't catch one.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swap/swap.h"

#define TURNS 3

typedef void handler(void);
typedef handler *set_handler(handler *next);
typedef void *nothrow_new(size_t size, const void *nothrow);

static set_handler *set;
static nothrow_new *make;
static int calls;

/* It is called again and again while it stays: a handler that frees something each time. */
static void give_up_after_some(void)
{
    if (++calls == TURNS) {
        (void)set(NULL);
    }
}

static void find(void *where, const char *symbol)
{
    void *const cpp = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL);
    void *found = dlsym(RTLD_DEFAULT, symbol);
    if (found == NULL && cpp != NULL) {
        found = dlsym(cpp, symbol);
    }
    if (found == NULL) {
        hy__swap_refuse("no %s in it, and no libstdc++.so.6 here", symbol);
    }
    memcpy(where, &found, sizeof found);
}

void hy__swap_new_handler(const char *library)
{
    static const char nothrow; /* std::nothrow, an empty object */
    (void)library;
    find((void *)&set, "_ZSt15set_new_handlerPFvvE");
    find((void *)&make, "_ZnwmRKSt9nothrow_t");
    hy__swap_step("set_new_handler, then new (std::nothrow) of PTRDIFF_MAX bytes");
    (void)set(give_up_after_some);
    const void *const block = make(PTRDIFF_MAX, &nothrow);
    hy__swap_expect(block == NULL, "NULL, once there is no handler", "%p", block);
    hy__swap_expect(calls == TURNS, "the handler called until it takes itself away, 3 times",
                    "%d times", calls);
}
