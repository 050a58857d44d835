/*
 * early_library.c: calls of malloc before main and after it, for `early` (plan.h).
 *
 * Only in libheapyard_trial.so, and only where HEAPYARD_EARLY=1 is set. Preloaded behind the target,
 * this library is set up before it and torn down after it:
 *
 *     constructor here -> constructor of the target -> main ... -> destructor there -> here
 *
 * A constructor may well need memory before the allocator's own has run, and a destructor after it:
 * libraries are no allocator's business.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <heapyard/trial.h>

#include "trial/pattern.h"

#define LAST       HY_PLAN_EARLY_BLOCKS /* the block that is kept to the end */
#define LAST_SIZE  ((size_t)1000)
#define GROWN_SIZE ((size_t)100000)

static unsigned char *blocks[HY_PLAN_EARLY_BLOCKS + 1];

void *hy_trial_early_block(uint32_t number)
{
    void *const block = number < HY_PLAN_EARLY_BLOCKS ? blocks[number] : NULL;
    if (block != NULL) {
        blocks[number] = NULL;
    }
    return block;
}

_Noreturn static void complain(const char *what)
{
    (void)!write(STDERR_FILENO, "heapyard: ", 10);
    (void)!write(STDERR_FILENO, what, strlen(what));
    (void)!write(STDERR_FILENO, "\n", 1);
    abort();
}

static void keep(uint32_t number, void *block, size_t size)
{
    if (block == NULL) {
        complain("a constructor was refused memory");
    }
    hy__pattern_fill(block, size, hy__pattern_key(0, number, 0));
    blocks[number] = block;
}

static bool is_wanted(void)
{
    const char *const value = getenv("HEAPYARD_EARLY");
    return value != NULL && strcmp(value, "1") == 0;
}

static void *cleared(size_t count, size_t size)
{
    size_t offset = 0;
    void *const block = calloc(count, size);
    if (block != NULL && !hy__is_zero(block, count * size, &offset)) {
        complain("calloc in a constructor gave memory that is not zero");
    }
    return block;
}

__attribute__((constructor)) static void before_main(void)
{
    if (is_wanted()) {
        keep(0, malloc(100), 100);
        keep(1, cleared(3, 100), 300);
        keep(2, realloc(realloc(NULL, 50), 500), 500);
        keep(3, malloc((size_t)1 << 20), (size_t)1 << 20);
        keep(LAST, malloc(LAST_SIZE), LAST_SIZE);
    }
}

static void verify(const unsigned char *block, size_t size, const char *otherwise)
{
    if (block == NULL) {
        complain("a destructor was refused memory");
    }
    if (!hy__pattern_holds(block, LAST_SIZE, size, hy__pattern_key(0, LAST, 0))) {
        complain(otherwise);
    }
}

__attribute__((destructor)) static void after_main(void)
{
    if (blocks[LAST] == NULL) {
        return;
    }
    verify(blocks[LAST], LAST_SIZE, "a block from before main had changed when a destructor ran");
    unsigned char *const grown = realloc(blocks[LAST], GROWN_SIZE);
    verify(grown, LAST_SIZE, "realloc in a destructor lost what it had to keep");
    free(grown);
    unsigned char *const fresh = malloc(LAST_SIZE);
    if (fresh == NULL) {
        complain("a destructor was refused memory");
    }
    memset(fresh, 1, LAST_SIZE);
    free(fresh);
}
