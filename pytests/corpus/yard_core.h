/*
 * yard_core.h: the blocks of the corpus allocator.
 *
 * The corpus is a malloc family made to be broken: a sound, plain allocator in which one named
 * defect at a time can be switched on (yard_defects.h), so that the tests can show that each rule
 * of the suite is able to fail, and that none fails for the sound build.
 *
 * Each block has a header of 16 bytes in front of it. Blocks up to 32 KiB come from 56 size
 * classes, cut from chunks of 1 MiB and kept on one free list per class; larger ones are mappings
 * of their own, given back when freed:
 *
 *     chunk:    [header][ block ........ ][header][ block ........ ] ...
 *     aligned:  [header][ ... shift ... [header][ block .......... ]]
 *     mapping:  | ... [header][ block ............................. |
 *               page                                             page
 *
 * Everything is used again, the block freed first first, so that a stale pointer stays one for long
 * (yard_misuse.h); chunks that are free go back to the system (yard_chunks.h). One lock (yard_lock.h)
 * is held around each change of the lists; threads other than main's have caches in front of them
 * (yard_threads.h). Nothing here calls the malloc of libc.
 */
#ifndef HEAPYARD_CORPUS_YARD_CORE_H
#define HEAPYARD_CORPUS_YARD_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    YARD_GRANULE = 16,    /* alignment of every block, and size of a header */
    YARD_CLASSES = 56,    /* 16, 32 .. 512, then four to each doubling */
    YARD_BIG = 0xffff,    /* the class of a mapping of its own */
    YARD_STATIC = 0xfffe, /* the class of a block that is never freed (some defects) */
};

#define YARD_PAGE      ((size_t)4096)
#define YARD_SMALL_MAX ((size_t)32 << 10) /* the largest size class */
#define YARD_CHUNK     ((size_t)1 << 20)
#define YARD_SIZE_MAX  ((size_t)1 << 46) /* what is larger is refused without asking the kernel */

typedef struct yard_header {
    size_t capacity; /* usable bytes of this block */
    uint16_t klass;
    uint16_t shift;     /* bytes from the block of the size class to this one, divided by 8 */
    uint8_t clean;      /* on a free list: the bytes are known to be zero (only defects say so);
                         * live: which thread made it, see yard_threads.h */
    uint8_t is_aligned; /* asked for with an alignment: the size says little of the class */
    uint16_t seal;      /* over all of this, see yard_guard.h */
} yard_header;

_Static_assert(sizeof(yard_header) == YARD_GRANULE, "a header keeps blocks aligned");

static inline yard_header *yard_header_of(const void *block)
{
    return (yard_header *)((uintptr_t)block - YARD_GRANULE);
}

static inline uintptr_t yard_round_up(uintptr_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

/* The size class for `size` bytes (at most YARD_SMALL_MAX), and the bytes in a block of a class. */
unsigned yard_class_of(size_t size);
size_t yard_class_size(unsigned klass);

/*
 * A block of at least `size` bytes whose address is a multiple of `alignment` (a power of two).
 * *zero tells whether its bytes are known to be zero. NULL if and only if size or alignment exceed
 * YARD_SIZE_MAX or the kernel refuses a mapping; errno is then that of mmap, or unchanged.
 */
void *yard_take(size_t size, size_t alignment, bool *zero);

/* As yard_take, but the address is `offset` bytes past a multiple of `alignment`; `offset` is a
 * multiple of 8, at least 16. Only for defects. */
void *yard_take_offset(size_t size, size_t alignment, size_t offset);

/* Takes a block back; errno is kept. `clean`: believed to be all zero (only defects believe so). */
void yard_give(void *block, bool clean);

/*
 * The same contents in at least `size` bytes without a copy: in place where the block fits well, or
 * by mremap for a mapping. NULL where neither is possible: nothing has changed then.
 */
void *yard_resize(void *block, size_t size);

/* Whether an address lies in a chunk, and a block may have been there. */
bool yard_is_in_chunk(const void *address);

/* Between these two calls of yard_realloc.c the block that is given back was moved. */
void yard_set_moving(bool moving);
bool yard_is_moving(void);

/* Gives back to the system what is free: whole chunks, and whole pages between live blocks. Whether
 * anything went. */
bool yard_trim(void);

/* The block that yard_take answered last, while it is live; else NULL. For defects. */
void *yard_last_taken(void);

/* For defects: the current chunk is handed out from its start again, or is gone. */
void yard_forget_blocks(void);
void yard_unmap_chunk(void); /* both in yard_carving.c */

#endif /* HEAPYARD_CORPUS_YARD_CORE_H */
