/*
 * block.h: what `walk` shows and what `check` answers, the same for every allocator.
 */
#ifndef HEAPYARD_BLOCK_H
#define HEAPYARD_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

typedef enum hy_block_state {
    HY_BLOCK_FREE = 0,     /* given back, may be handed out again */
    HY_BLOCK_LIVE = 1,     /* handed to a caller */
    HY_BLOCK_UNUSED = 2,   /* never handed out since the last reset */
    HY_BLOCK_METADATA = 3, /* the allocator's own */
} hy_block_state;

/* One run of memory, as a walk shows it. `size` is in bytes and counts what the run occupies. */
typedef struct hy_block {
    const void *address;
    size_t size;
    uint32_t state; /* a hy_block_state */
    uint32_t span;  /* which span of the allocator holds it: region of a chain, bump block, ... */
} hy_block;

/* A walk's visitor. Return 0 to go on; any other value ends the walk, which returns it. The visitor
 * must not allocate from, or free to, the allocator that is walked. */
typedef int hy_walk_fn(void *context, const hy_block *block);

/*
 * The answer of a `check`: `code` is 0 where every invariant holds; else a code of the
 * allocator's own enumeration (with its text from the allocator's `..._check_text`) and the
 * address of the first word that is wrong.
 */
typedef struct hy_check_result {
    uint32_t code;
    const void *address;
} hy_check_result;

HY_END_DECLS

#endif /* HEAPYARD_BLOCK_H */
