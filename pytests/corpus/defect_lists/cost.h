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
      "a chunk is unmapped with its last block, and mapped with the next")

#endif /* HEAPYARD_CORPUS_DEFECTS_COST_H */
