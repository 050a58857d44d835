/*
 * loading.c: the allocator as a library that is opened by a running program, closed, or there twice.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/annotate.h"
#include "swap/swap.h"

#if HY_HAS_ASAN
#    define FLAGS (RTLD_NOW | RTLD_LOCAL)
#else
#    define FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#endif

typedef struct allocator {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
} allocator;

enum { BLOCKS = 500 };

static void *find(void *handle, const char *name)
{
    void *const symbol = dlsym(handle, name);
    hy__swap_expect(symbol != NULL, "malloc, realloc and free in it", "no %s", name);
    return symbol;
}

static void *open_it(const char *path, allocator *found)
{
    if (path == NULL) {
        hy__swap_refuse("no library");
    }
    void *const handle = dlopen(path, FLAGS);
    hy__swap_expect(handle != NULL, "dlopen opens it in a program that runs", "%s", dlerror());
    void *symbol = find(handle, "malloc");
    memcpy(&found->malloc, &symbol, sizeof symbol);
    symbol = find(handle, "realloc");
    memcpy(&found->realloc, &symbol, sizeof symbol);
    symbol = find(handle, "free");
    memcpy(&found->free, &symbol, sizeof symbol);
    return handle;
}

static void take(const allocator *from, void **blocks, unsigned salt)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = from->malloc(16 + 37 * (size_t)i);
        hy__swap_expect(blocks[i] != NULL, "a block", "NULL");
        hy__swap_fill(blocks[i], 16 + 37 * (size_t)i, i + salt);
    }
}

static void give(const allocator *from, void **blocks, unsigned salt)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        hy__swap_expect(hy__swap_is_filled(blocks[i], 16 + 37 * (size_t)i, i + salt),
                        "each block as it was written", "other bytes in block %u", i);
        from->free(i % 5 == 0 ? from->realloc(blocks[i], 40000) : blocks[i]);
    }
}

static void *use_in_thread(void *from)
{
    void *blocks[BLOCKS];
    take(from, blocks, 3);
    give(from, blocks, 3);
    return NULL;
}

static void use(allocator *from)
{
    void *blocks[BLOCKS];
    pthread_t thread;
    hy__swap_step("malloc, realloc, free");
    take(from, blocks, 0);
    hy__swap_step("the same in another thread");
    if (pthread_create(&thread, NULL, use_in_thread, from) == 0) {
        (void)pthread_join(thread, NULL);
    }
    hy__swap_step("free");
    give(from, blocks, 0);
}

void hy__swap_open(const char *library)
{
    allocator found;
    hy__swap_step("dlopen");
    (void)open_it(library, &found);
    use(&found);
}

static void *do_nothing(void *nothing)
{
    return nothing;
}

/* What the library has left behind: a thread's end, an exit handler, a fork handler. */
static void go_on(void)
{
    pthread_t thread;
    hy__swap_step("a thread after dlclose");
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) {
        (void)pthread_join(thread, NULL);
    }
    hy__swap_step("malloc of the C library after dlclose");
    for (size_t size = 1; size < 100000; size *= 3) {
        free(malloc(size));
    }
}

void hy__swap_close(const char *library)
{
    for (int round = 0; round < 5; round++) {
        allocator found;
        hy__swap_step("dlopen");
        void *const handle = open_it(library, &found);
        use(&found);
        hy__swap_step("dlclose");
        hy__swap_expect(dlclose(handle) == 0, "dlclose succeeds", "%s", dlerror());
        go_on();
    }
    hy__swap_step("exit after dlclose");
}

/* A second copy: a file of its own to the loader. */
static void copy(const char *library, char *path, size_t size)
{
    struct stat facts;
    const int from = open(library, O_RDONLY | O_CLOEXEC);
    const int to = memfd_create("copy", MFD_CLOEXEC);
    if (from < 0 || to < 0 || fstat(from, &facts) != 0) {
        hy__swap_refuse("%s can't be copied", library);
    }
    for (off_t left = facts.st_size; left > 0;) {
        const ssize_t sent = sendfile(to, from, NULL, (size_t)left);
        if (sent <= 0) {
            hy__swap_refuse("%s can't be copied", library);
        }
        left -= sent;
    }
    (void)close(from);
    (void)snprintf(path, size, "/proc/self/fd/%d", to);
}

void hy__swap_twice(const char *library)
{
    allocator one;
    allocator other;
    char path[64];
    void *blocks[BLOCKS];
    void *others[BLOCKS];
    if (library == NULL) {
        hy__swap_refuse("no library");
    }
    copy(library, path, sizeof path);
    hy__swap_step("dlopen");
    (void)open_it(library, &one);
    hy__swap_step("dlopen of a copy");
    (void)open_it(path, &other);
    for (int round = 0; round < 10; round++) {
        hy__swap_step("malloc of both");
        take(&one, blocks, 0);
        take(&other, others, 7);
        hy__swap_step("free of both");
        give(&one, blocks, 0);
        give(&other, others, 7);
    }
}
