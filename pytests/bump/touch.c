/*
 * touch.c: touches one byte of a bump arena that nobody may touch, or (sound) none such.
 * For valgrind: see test_tools.py.
 */
#include <heapyard/bump.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile char seen;

static void touch(const char *place)
{
    seen = *(const volatile char *)place;
}

static const char *bad_place(hy_bump *bump, const char *mode)
{
    char *const block = hy_bump_alloc(bump, 20);
    memset(block, 1, 20);
    if (strcmp(mode, "sound") == 0) {
        return block + 19;
    }
    if (strcmp(mode, "overflow") == 0) {
        (void)!hy_bump_alloc(bump, 20);
        return block + 20;
    }
    if (strcmp(mode, "redzone") == 0) {
        (void)!hy_bump_alloc(bump, 20);
        return block + 47;
    }
    if (strcmp(mode, "unused") == 0) {
        return block + 5000;
    }
    if (strcmp(mode, "reset") == 0) {
        (void)hy_bump_reset(bump);
        return block;
    }
    if (strcmp(mode, "rewind") == 0) {
        const hy_bump_mark mark = hy_bump_set_mark(bump);
        char *const later = hy_bump_alloc(bump, 20);
        memset(later, 1, 20);
        (void)hy_bump_rewind(bump, mark);
        return later;
    }
    if (strcmp(mode, "shrunk") == 0) {
        return (char *)hy_bump_realloc(bump, block, 20, 10) + 10;
    }
    if (strcmp(mode, "large") == 0) {
        return (char *)hy_bump_alloc(bump, 100000) + 100000;
    }
    fprintf(stderr, "unknown mode %s\n", mode);
    exit(2);
}

int main(int argc, char **argv)
{
    hy_bump *const bump = hy_bump_new(NULL);
    if (bump == NULL || argc != 2) {
        return 2;
    }
    touch(bad_place(bump, argv[1]));
    hy_bump_delete(bump);
    return 0;
}
