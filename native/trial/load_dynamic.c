/*
 * load_dynamic.c: allocators in shared libraries, looked up by name.
 *
 * A library that lacks an entry point still 'has' it for dlsym, because its dependencies are
 * searched too and the libc has everything. So each symbol is traced back to the object that it
 * lives in: those of the libc and of the loader do not count.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/annotate.h"
#include "trial/load.h"
#include "trial/thread_local.h"

/* DEEPBIND: a library whose calloc calls its own malloc must not get the libc's. AddressSanitizer
 * refuses that flag. */
#if HY_HAS_ASAN
#    define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL)
#else
#    define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#endif

typedef struct search {
    void *handle;            /* of dlopen, or RTLD_DEFAULT */
    const char *prefix;      /* "": none */
    const struct stat *file; /* only symbols of this file count; NULL: any that is not the libc's */
} search;

static bool is_system_base(const void *base)
{
    Dl_info libc;
    Dl_info self;
    const bool is_libc = dladdr((void *)(uintptr_t)getpid, &libc) != 0 && base == libc.dli_fbase;
    const bool is_self =
        dladdr((void *)(uintptr_t)hy__load_library, &self) != 0 && base == self.dli_fbase;
    return is_libc || is_self || (uintptr_t)base == getauxval(AT_BASE);
}

static bool is_same_file(const char *path, const struct stat *file)
{
    struct stat found;
    return stat(path, &found) == 0 && found.st_dev == file->st_dev && found.st_ino == file->st_ino;
}

static bool counts(const search *where, const void *symbol)
{
    Dl_info info;
    if (symbol == NULL || dladdr(symbol, &info) == 0 || is_system_base(info.dli_fbase)) {
        return false;
    }
    return where->file == NULL || is_same_file(info.dli_fname, where->file);
}

static void *look_up(const search *where, const char *name)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s%s", where->prefix, name);
    void *const symbol = dlsym(where->handle, full);
    return counts(where, symbol) ? symbol : NULL;
}

/* Entry points that go by another name than in the table, and a second one after a prefix. */
static void *look_up_either(const search *where, const char *name, const char *after_prefix)
{
    void *const symbol = look_up(where, name);
    return symbol != NULL || where->prefix[0] == '\0' ? symbol : look_up(where, after_prefix);
}

/* A function pointer from dlsym's object pointer, without a cast that ISO C does not have. */
#define STORE(member, symbol)                                                                      \
    do {                                                                                           \
        void *const found = (symbol);                                                              \
        memcpy(&functions->member, &found, sizeof found);                                          \
    } while (0)

static void look_up_all(const search *where, struct hy_trial_functions *functions)
{
#define LOOK_UP(name) STORE(name, look_up(where, #name));
    LOOK_UP(malloc)
    LOOK_UP(calloc)
    LOOK_UP(realloc)
    LOOK_UP(reallocarray)
    LOOK_UP(free)
    LOOK_UP(free_sized)
    LOOK_UP(free_aligned_sized)
    LOOK_UP(aligned_alloc)
    LOOK_UP(posix_memalign)
    LOOK_UP(memalign)
    LOOK_UP(valloc)
    LOOK_UP(pvalloc)
#undef LOOK_UP
    STORE(usable_size, look_up_either(where, "malloc_usable_size", "usable_size"));
    STORE(trim, look_up_either(where, "malloc_trim", "trim"));
}

static void name_by_path(hy_loaded *loaded, const char *path)
{
    if (realpath(path, loaded->path) == NULL) {
        (void)snprintf(loaded->path, sizeof loaded->path, "%s", path);
    }
    const char *const slash = strrchr(loaded->path, '/');
    (void)snprintf(loaded->name, sizeof loaded->name, "%.255s",
                   slash != NULL ? slash + 1 : loaded->path);
}

static bool has_malloc(const hy_load_request *request, const hy_loaded *loaded, hy_reason *reason)
{
    if (loaded->functions.malloc != NULL) {
        return true;
    }
    hy__reason(reason, HY_CAUSE_SYMBOL, "no %smalloc in %s", request->prefix,
               request->library != NULL ? request->library : "what is preloaded");
    return false;
}

static bool load_table(const struct heapyard_target *table, hy_loaded *loaded, hy_reason *reason)
{
    if (!hy__subject_from_table(table, &loaded->subject, reason)) {
        return false;
    }
    (void)snprintf(loaded->name, sizeof loaded->name, "%s", loaded->subject.table.name);
    loaded->has_table = true;
    return true;
}

static void name_by_handle(hy_loaded *loaded, void *handle, const char *otherwise)
{
    struct link_map *map = NULL;
    const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != NULL;
    name_by_path(loaded, known ? map->l_name : otherwise);
}

hy_early_function *hy__load_early(const hy_loaded *loaded)
{
    void *const symbol = dlsym(RTLD_DEFAULT, "hy_trial_early_block");
    const void *const everybodys_malloc = dlsym(RTLD_DEFAULT, "malloc");
    const void *targets_malloc;
    hy_early_function *function;
    memcpy(&function, &symbol, sizeof symbol);
    memcpy(&targets_malloc, &loaded->functions.malloc, sizeof targets_malloc);
    return everybodys_malloc == targets_malloc ? function : NULL;
}

static void make_thread_local(void *handle)
{
    size_t module = 0;
    if (dlinfo(handle, RTLD_DI_TLS_MODID, &module) == 0) {
        hy__thread_local_module(module);
        hy__thread_local_make();
    }
}

bool hy__load_library(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    void *const handle = dlopen(request->library, OPEN_FLAGS);
    if (handle == NULL) {
        hy__reason(reason, HY_CAUSE_LOAD, "%s", dlerror());
        return false;
    }
    name_by_handle(loaded, handle, request->library);
    make_thread_local(handle);
    const void *const table = dlsym(handle, "heapyard_target");
    if (table != NULL && request->prefix[0] == '\0') {
        return load_table(table, loaded, reason);
    }
    const search where = {.handle = handle, .prefix = request->prefix};
    look_up_all(&where, &loaded->functions);
    return has_malloc(request, loaded, reason);
}

/* The file that malloc really is in. */
static void name_by_malloc(hy_loaded *loaded)
{
    Dl_info info;
    void *symbol;
    memcpy(&symbol, &loaded->functions.malloc, sizeof symbol);
    if (dladdr(symbol, &info) != 0) {
        name_by_path(loaded, info.dli_fname);
    }
}

void hy__load_builtin_name(hy_loaded *loaded)
{
    name_by_malloc(loaded);
    (void)snprintf(loaded->name, sizeof loaded->name, "libc");
}

bool hy__load_preloaded(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason)
{
    struct stat file;
    if (request->library != NULL && stat(request->library, &file) != 0) {
        hy__reason(reason, HY_CAUSE_LOAD, "no such file: %s", request->library);
        return false;
    }
    const search where = {.handle = RTLD_DEFAULT,
                          .prefix = request->prefix,
                          .file = request->library != NULL ? &file : NULL};
    look_up_all(&where, &loaded->functions);
    if (!has_malloc(request, loaded, reason)) {
        return false;
    }
    name_by_malloc(loaded);
    return true;
}
