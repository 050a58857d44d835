/*
 * scripted.c: an allocator that answers what the test tells it to.
 *
 * HEAPYARD_SCRIPT holds one word for each call, in order; when the words run out every call is
 * sound. A word is a result, then what goes wrong beside it:
 *
 *     128      the block at offset 128 of the arena     -        a sound answer
 *     @2a0     the block at address 0x2a0               enomem   NULL, errno = ENOMEM
 *     null     NULL, errno untouched                    einval   NULL, errno = EINVAL
 *     =5       the number 5 (usable_size, trim, the     crash    SIGSEGV
 *              code of posix_memalign)                  broken   what `check` finds
 *
 *     !12      errno = 12                               +40      copies 40 bytes of the old block
 *     ~96      flips the byte at offset 96 of the arena *        writes posix_memalign's pointer
 *
 * The arena is sparse, starts at a multiple of 1 MiB and reads as zero. One page is missing: HOLE.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <heapyard/target.h>

#define ARENA     ((size_t)8 << 30)
#define ALIGNMENT ((size_t)1 << 20)
#define HOLE      ((size_t)6 << 30)
#define BLOCKS    4096

typedef struct answer {
    void *block;
    long number;
    int code;
    size_t copied;
    int writes_pointer;
    int is_scripted;
    int is_broken;
} answer;

static unsigned char *arena;
static char instances[2];
static char *instance; /* the one that is open */
static unsigned opened;
static const char *script;
static size_t next_sound = (size_t)1 << 30; /* sound blocks lie above all scripted ones */
static struct {
    const void *block;
    size_t size;
} known[BLOCKS];
static size_t known_count;

static size_t known_size(const void *block)
{
    for (size_t i = known_count; i > 0; i--) {
        if (known[i - 1].block == block) {
            return known[i - 1].size;
        }
    }
    return 0;
}

static void *remember(void *block, size_t size)
{
    if (block != NULL && known_count < BLOCKS) {
        known[known_count].block = block;
        known[known_count++].size = size;
    }
    return block;
}

static void *sound_block(size_t alignment, size_t size)
{
    const size_t unit = alignment < 16 ? 16 : alignment;
    next_sound = (next_sound + unit - 1) / unit * unit;
    void *const block = arena + next_sound;
    next_sound += size + 16;
    return block;
}

static int skips(const char *word)
{
    if (strncmp(script, word, strlen(word)) != 0) {
        return 0;
    }
    script += strlen(word);
    return 1;
}

static void read_result(answer *said, size_t alignment, size_t size)
{
    if (*script >= '0' && *script <= '9') {
        said->block = arena + strtoull(script, (char **)(uintptr_t)&script, 10);
    } else if (skips("@")) {
        said->block = (void *)(uintptr_t)strtoull(script, (char **)(uintptr_t)&script, 16);
    } else if (skips("=")) {
        said->number = strtol(script, (char **)(uintptr_t)&script, 10);
        said->code = (int)said->number;
    } else if (skips("enomem")) {
        errno = said->code = ENOMEM;
    } else if (skips("einval")) {
        errno = said->code = EINVAL;
    } else if (skips("crash")) {
        (void)raise(SIGSEGV);
    } else if (skips("broken")) {
        said->is_broken = 1;
    } else if (skips("-")) {
        said->is_scripted = 0;
        said->block = size == SIZE_MAX ? NULL : sound_block(alignment, size);
    } else {
        (void)skips("null");
    }
}

static void read_defects(answer *said)
{
    while (*script != '\0' && *script != ' ') {
        const char defect = *script++;
        if (defect == '*') {
            said->writes_pointer = 1;
            continue;
        }
        const size_t value = strtoull(script, (char **)(uintptr_t)&script, 10);
        if (defect == '!') {
            errno = (int)value;
        } else if (defect == '+') {
            said->copied = value;
        } else {
            arena[value] ^= 0xff;
        }
    }
}

/* The next word. `size` is SIZE_MAX where the call makes no block. */
static answer next_answer(size_t alignment, size_t size)
{
    answer said = {.is_scripted = 1};
    while (*script == ' ') {
        script++;
    }
    if (*script == '\0') {
        said.is_scripted = 0;
        said.block = size == SIZE_MAX ? NULL : sound_block(alignment, size);
        return said;
    }
    read_result(&said, alignment, size);
    read_defects(&said);
    return said;
}

static void *scripted_open(void)
{
    if (arena == NULL) {
        const char *const text = getenv("HEAPYARD_SCRIPT");
        script = text != NULL ? text : "";
        char *const raw = mmap(NULL, ARENA + ALIGNMENT, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        arena = (unsigned char *)(((uintptr_t)raw + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        (void)munmap(arena + HOLE, 4096);
    }
    instance = &instances[opened++ % 2];
    return instance;
}

static void scripted_close(void *handle)
{
    if (handle != instance) {
        abort();
    }
    instance = NULL;
}

static void *make(size_t alignment, size_t size)
{
    return remember(next_answer(alignment, size).block, size);
}

/* With the handle of an instance that was closed, the process ends. */
static void *scripted_malloc(void *handle, size_t size)
{
    if (handle != instance) {
        abort();
    }
    return make(16, size);
}

static void *scripted_calloc(void *handle, size_t count, size_t size)
{
    (void)handle;
    return make(16, count * size);
}

static void *scripted_realloc(void *handle, void *block, size_t size)
{
    (void)handle;
    const size_t old_size = known_size(block);
    const answer said = next_answer(16, size);
    const size_t kept = said.is_scripted ? said.copied : (old_size < size ? old_size : size);
    if (said.block != NULL && block != NULL) {
        memmove(said.block, block, kept);
    }
    return remember(said.block, size);
}

static void *scripted_reallocarray(void *handle, void *block, size_t count, size_t size)
{
    return scripted_realloc(handle, block, count * size);
}

#ifndef SCRIPTED_BULK
static void scripted_free(void *handle, void *block)
{
    (void)handle;
    (void)block;
    (void)next_answer(16, SIZE_MAX);
}

static void scripted_free_sized(void *handle, void *block, size_t size)
{
    (void)size;
    scripted_free(handle, block);
}

static void scripted_free_aligned_sized(void *handle, void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    scripted_free(handle, block);
}
#endif

static void *scripted_aligned(void *handle, size_t alignment, size_t size)
{
    (void)handle;
    return make(alignment, size);
}

static int scripted_posix_memalign(void *handle, void **block, size_t alignment, size_t size)
{
    (void)handle;
    const answer said = next_answer(alignment, size);
    if (said.code == 0) {
        *block = remember(said.block, size);
    } else if (said.writes_pointer) {
        *block = arena;
    }
    return said.code;
}

static void *scripted_page(void *handle, size_t size)
{
    (void)handle;
    return make(4096, size);
}

static size_t scripted_usable_size(void *handle, void *block)
{
    (void)handle;
    const answer said = next_answer(16, SIZE_MAX);
    return said.is_scripted ? (size_t)said.number : known_size(block);
}

static int scripted_trim(void *handle, size_t pad)
{
    (void)handle;
    (void)pad;
    return (int)next_answer(16, SIZE_MAX).number;
}

static const char *scripted_check(void *handle)
{
    (void)handle;
    return next_answer(16, SIZE_MAX).is_broken ? "the script says so" : NULL;
}

#define COMMON                                                                                     \
    HEAPYARD_TARGET_HEADER,                                                                        \
        .open = scripted_open, .close = scripted_close, .malloc = scripted_malloc,                 \
        .calloc = scripted_calloc, .realloc = scripted_realloc,                                    \
        .reallocarray = scripted_reallocarray, .aligned_alloc = scripted_aligned,                  \
        .posix_memalign = scripted_posix_memalign, .memalign = scripted_aligned,                   \
        .valloc = scripted_page, .pvalloc = scripted_page, .usable_size = scripted_usable_size,    \
        .trim = scripted_trim, .check = scripted_check

#ifdef SCRIPTED_BULK
HEAPYARD_EXPORT_TARGET = {COMMON, .name = "bulk", .flags = HEAPYARD_TARGET_BULK_FREE_ONLY,
                          .max_size = (size_t)1 << 20};
#else
HEAPYARD_EXPORT_TARGET = {COMMON,
                          .name = "scripted",
                          .flags = HEAPYARD_TARGET_SETS_ERRNO,
                          .free = scripted_free,
                          .free_sized = scripted_free_sized,
                          .free_aligned_sized = scripted_free_aligned_sized};
#endif
