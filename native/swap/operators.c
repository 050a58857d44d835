/*
 * operators.c: C++'s operator new and delete, by their mangled names: whoever has them, the allocator or
 * libstdc++ on top of its malloc.
 *
 *     _Znw / _Zna   new, new[]         m: of so many bytes      _Zdl / _Zda   delete, delete[]
 *     St11align_val_t: aligned         RKSt9nothrow_t: NULL where there is no memory
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swap/swap.h"

#define ALIGN   "St11align_val_t"
#define NOTHROW "RKSt9nothrow_t"

typedef enum arguments { NONE = 0, ALIGNED = 1, SIZED = 2, NOTHROWN = 4 } arguments;

typedef struct operator_new {
    const char *symbol;
    arguments takes;
} operator_new;

static const operator_new news[] = {
    {"m", NONE},
    {"m" NOTHROW, NOTHROWN},
    {"m" ALIGN, ALIGNED},
    {"m" ALIGN NOTHROW, ALIGNED | NOTHROWN},
};

static const operator_new deletes[] = {
    {"Pv", NONE},
    {"Pvm", SIZED},
    {"Pv" NOTHROW, NOTHROWN},
    {"Pv" ALIGN, ALIGNED},
    {"Pvm" ALIGN, SIZED | ALIGNED},
    {"Pv" ALIGN NOTHROW, ALIGNED | NOTHROWN},
};

enum {
    NEWS = sizeof news / sizeof news[0],
    DELETES = sizeof deletes / sizeof deletes[0],
    ALIGNMENT = 128
};

/* One signature serves all: arguments that a function does not take are never looked at. */
typedef void *new_function(size_t size, uintptr_t second, const void *third);
typedef void delete_function(void *block, uintptr_t second, uintptr_t third);

static const char nothrow; /* std::nothrow, an empty object */
static void *cpp; /* libstdc++: what the allocator does not have, a program has from there */

static void *look_up(const char *start, const char *rest)
{
    char symbol[64];
    (void)snprintf(symbol, sizeof symbol, "%s%s", start, rest);
    void *const found = dlsym(RTLD_DEFAULT, symbol);
    return found != NULL || cpp == NULL ? found : dlsym(cpp, symbol);
}

static void require_operators(void)
{
    cpp = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL);
    if (look_up("_Znw", "m") == NULL || look_up("_Zdl", "Pv") == NULL) {
        hy__swap_refuse("no operators new and delete in it, and no libstdc++.so.6 here");
    }
}

static void *make(const operator_new *how, bool is_array, size_t size)
{
    new_function *function;
    void *const found = look_up(is_array ? "_Zna" : "_Znw", how->symbol);
    memcpy(&function, &found, sizeof function);
    if ((how->takes & ALIGNED) != 0) {
        return function(size, ALIGNMENT, &nothrow);
    }
    return function(size, (uintptr_t)&nothrow, &nothrow);
}

static void unmake(const operator_new *how, bool is_array, void *block, size_t size)
{
    delete_function *function;
    void *const found = look_up(is_array ? "_Zda" : "_Zdl", how->symbol);
    memcpy(&function, &found, sizeof function);
    if ((how->takes & SIZED) != 0) {
        function(block, size, ALIGNMENT);
    } else {
        function(block, (how->takes & ALIGNED) != 0 ? ALIGNMENT : (uintptr_t)&nothrow,
                 (uintptr_t)&nothrow);
    }
}

/* Aligned blocks go to aligned deletes, and no others (C++17 6.7.5.5.3). Old libraries lack some. */
static bool belong(const operator_new *one, const operator_new *other, bool is_array)
{
    return (one->takes & ALIGNED) == (other->takes & ALIGNED) &&
           look_up(is_array ? "_Zna" : "_Znw", one->symbol) != NULL &&
           look_up(is_array ? "_Zda" : "_Zdl", other->symbol) != NULL;
}

static char step[128];

static void name_step(const operator_new *one, const operator_new *other, bool is_array)
{
    (void)snprintf(step, sizeof step, "_Zn%c%s, then _Zd%c%s", is_array ? 'a' : 'w', one->symbol,
                   is_array ? 'a' : 'l', other->symbol);
    hy__swap_step(step);
}

static void pair(const operator_new *one, const operator_new *other, bool is_array)
{
    static const size_t sizes[] = {0, 1, 24, 100, 1000, 10000, 200000};
    name_step(one, other, is_array);
    for (unsigned i = 0; i < 7 * 8; i++) {
        const size_t size = sizes[i % 7];
        void *const block = make(one, is_array, size);
        const bool aligned = (one->takes & ALIGNED) != 0;
        hy__swap_expect(block != NULL, "a block", "NULL for %zu bytes", size);
        hy__swap_expect(!aligned || (uintptr_t)block % ALIGNMENT == 0, "a block aligned to 128",
                        "%p", block);
        hy__swap_fill(block, size, i);
        unmake(other, is_array, block, size);
    }
}

/* A nothrow new of more than there can be: NULL, and the process lives. */
static void refuse_all(void)
{
    for (unsigned i = 0; i < NEWS; i++) {
        if ((news[i].takes & NOTHROWN) != 0 && look_up("_Znw", news[i].symbol) != NULL) {
            (void)snprintf(step, sizeof step, "_Znw%s of PTRDIFF_MAX bytes", news[i].symbol);
            hy__swap_step(step);
            const void *const block = make(&news[i], false, PTRDIFF_MAX);
            hy__swap_expect(block == NULL, "NULL", "%p", block);
        }
    }
}

typedef void visit(const operator_new *one, const operator_new *other, bool is_array);

static void each_pair(visit *act)
{
    for (unsigned i = 0; i < NEWS * 2; i++) {
        for (unsigned j = 0; j < DELETES; j++) {
            if (belong(&news[i / 2], &deletes[j], i % 2 == 1)) {
                act(&news[i / 2], &deletes[j], i % 2 == 1);
            }
        }
    }
}

void hy__swap_operators(const char *library)
{
    (void)library;
    require_operators();
    each_pair(pair);
    hy__swap_step("_ZdlPv of NULL");
    unmake(&deletes[0], false, NULL, 0);
    refuse_all();
}

/* ---- what a delete gives back -------------------------------------------------------------- */

static size_t resident(void)
{
    char line[128] = "";
    size_t pages = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *const second = strchr(line, ' ');
        pages = second != NULL ? strtoul(second, NULL, 10) : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* 64 MiB in blocks of 4,000 bytes, one at a time: more than a tenth of that is a leak. */
static void churn(const operator_new *one, const operator_new *other, bool is_array)
{
    enum { BLOCK = 4000, ALL = 64 << 20, MOST = 12 << 20 };
    name_step(one, other, is_array);
    const size_t before = resident();
    for (size_t done = 0; done < ALL; done += BLOCK) {
        void *const block = make(one, is_array, BLOCK);
        hy__swap_expect(block != NULL, "a block", "NULL");
        if (block != NULL) {
            memset(block, 1, BLOCK);
        }
        unmake(other, is_array, block, BLOCK);
    }
    const size_t after = resident();
    hy__swap_expect(after < before + MOST, "at most 12 MiB more after 64 MiB were deleted",
                    "%zu MiB more", (after - before) >> 20);
}

void hy__swap_deletes(const char *library)
{
    (void)library;
    require_operators();
    for (unsigned j = 0; j < DELETES; j++) {
        const operator_new *const one = &news[(deletes[j].takes & ALIGNED) != 0 ? 2 : 0];
        for (int is_array = 0; is_array < 2; is_array++) {
            if (belong(one, &deletes[j], is_array != 0)) {
                churn(one, &deletes[j], is_array != 0);
            }
        }
    }
}
