/* Defects: cost. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_COST_H
#define HEAPYARD_CORPUS_DEFECTS_COST_H

#define YARD_COST_DEFECTS(X)                                                                       \
    X(malloc_walks_ledger, "HY-COST-01", "memory",                                                 \
      "malloc looks for an empty entry of its table from the start")                               \
    X(malloc_walks_free_blocks, "HY-COST-02", "memory",                                            \
      "free blocks of all sizes are on one list, and malloc takes the first that fits")            \
    X(free_walks_ledger, "HY-COST-03", "memory", "free looks its block up in a table, by turns")   \
    X(free_keeps_order, "HY-COST-04", "memory", "free keeps the free list in order of address")    \
    X(realloc_walks_free_blocks, "HY-COST-05", "memory",                                           \
      "realloc looks for the block behind it among the free ones")                                 \
    X(aligned_walks_free_blocks, "HY-COST-06", "memory",                                           \
      "memalign looks at each free block for an aligned one (glibc BZ 30723)")                     \
    X(usable_walks_ledger, "HY-COST-07", "memory", "usable_size looks its block up by turns")      \
    X(realloc_moves_always, "HY-COST-08", "memory", "realloc copies even where there is room")     \
    X(block_is_a_mapping, "HY-COST-09", "memory", "each block is a mapping of its own")            \
    X(chunk_thrashes, "HY-COST-10", "memory",                                                      \
      "a chunk is unmapped with its last block, and mapped with the next")                         \
    X(mapping_advised, "HY-COST-11", "figure", "each mapping is followed by two calls of madvise") \
    X(small_free_purges, "HY-COST-12", "figure",                                                   \
      "free gives the pages of a small block back at once")                                        \
    X(profiler_left_on, "HY-COST-13", "figure", "each call hashes a kilobyte of the stack")        \
    X(free_rests, "HY-COST-14", "figure", "one free in 32 sleeps for an instant")

#endif /* HEAPYARD_CORPUS_DEFECTS_COST_H */
