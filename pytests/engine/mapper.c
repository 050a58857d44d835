/*
 * mapper.c: an allocator each of whose entry points makes system calls that are known.
 *
 *     malloc       one mmap             calloc  one brk (after one brk(0) that asks where it is)
 *     realloc      one mremap           free    one munmap
 *     trim(0)      one madvise          trim(1) one mprotect
 *     trim(2)      one mmap by an instruction of its own, not by the libc
 *
 * usable_size runs two instructions for each byte of the block, and no system call.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <heapyard/target.h>

#define PAGE ((size_t)4096)

/* The first page of each mapping holds its length. */
static void *block_of(size_t *mapping)
{
    return (void *)mapping == MAP_FAILED ? NULL : (char *)mapping + PAGE;
}

static size_t *mapping_of(void *block)
{
    return (size_t *)(void *)((char *)block - PAGE);
}

static size_t length_for(size_t size)
{
    return (size + 2 * PAGE - 1) / PAGE * PAGE;
}

static void *mapper_malloc(void *handle, size_t size)
{
    (void)handle;
    size_t *const mapping =
        mmap(NULL, length_for(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping != MAP_FAILED) {
        mapping[0] = length_for(size);
        mapping[1] = size;
    }
    return block_of(mapping);
}

static void *mapper_calloc(void *handle, size_t count, size_t size)
{
    (void)handle;
    const long was = syscall(SYS_brk, 0);
    const long wanted = was + (long)((count * size + PAGE - 1) / PAGE * PAGE);
    return syscall(SYS_brk, wanted) == wanted ? (void *)(uintptr_t)was : NULL;
}

static void *mapper_realloc(void *handle, void *block, size_t size)
{
    (void)handle;
    size_t *const mapping =
        mremap(mapping_of(block), *mapping_of(block), length_for(size), MREMAP_MAYMOVE);
    if ((void *)mapping != MAP_FAILED) {
        mapping[0] = length_for(size);
        mapping[1] = size;
    }
    return block_of(mapping);
}

static void mapper_free(void *handle, void *block)
{
    (void)handle;
    (void)munmap(mapping_of(block), *mapping_of(block));
}

static size_t mapper_usable_size(void *handle, void *block)
{
    (void)handle;
    const size_t size = mapping_of(block)[1];
    size_t left = size;
#ifdef __x86_64__
    if (left > 0) {
        __asm__ volatile("1: subq $1, %0\n\tjnz 1b" : "+r"(left) : : "cc");
    }
#endif
    (void)left;
    return size;
}

/* mmap of a page, as a library without a libc makes it. */
static void map_by_instruction(void)
{
#ifdef __x86_64__
    register long flags __asm__("r10") = MAP_PRIVATE | MAP_ANONYMOUS;
    register long file __asm__("r8") = -1;
    register long offset __asm__("r9") = 0;
    long result = SYS_mmap;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(0), "S"(PAGE), "d"(PROT_READ), "r"(flags), "r"(file), "r"(offset)
                     : "rcx", "r11", "memory");
    (void)result;
#endif
}

static int mapper_trim(void *handle, size_t pad)
{
    static char page[2 * 4096];
    (void)handle;
    char *const start = (char *)(((uintptr_t)page + PAGE - 1) / PAGE * PAGE);
    switch (pad) {
    case 0:
        return madvise(start, PAGE, MADV_NORMAL);
    case 1:
        return mprotect(start, PAGE, PROT_READ | PROT_WRITE);
    default:
        map_by_instruction();
        return 0;
    }
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "mapper",
    .flags = HEAPYARD_TARGET_SETS_ERRNO,
    .malloc = mapper_malloc,
    .calloc = mapper_calloc,
    .realloc = mapper_realloc,
    .free = mapper_free,
    .usable_size = mapper_usable_size,
    .trim = mapper_trim,
};
