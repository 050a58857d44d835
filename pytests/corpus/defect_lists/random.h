/* Defects: random plans. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_RANDOM_H
#define HEAPYARD_CORPUS_DEFECTS_RANDOM_H

#define YARD_RANDOM_DEFECTS(X)                                                                     \
    X(rare_realloc_drops, "HY-FUZZ-01", "content",                                                 \
      "each 211th realloc that moves loses its last words")                                        \
    X(calloc_after_realloc_overlaps, "HY-FUZZ-02", "overlap",                                      \
      "a calloc right after a realloc gets that block")                                            \
    X(posix_memalign_refuses_zero, "HY-FUZZ-03", "null",                                           \
      "posix_memalign of zero bytes fails (jemalloc 5.2.0)")                                       \
    X(rare_aligned_twice, "HY-FUZZ-04", "overlap",                                                 \
      "each 97th aligned request gets the block before")                                           \
    X(rare_dirty_calloc, "HY-FUZZ-05", "zero", "each 89th calloc of a used block is not cleared")

#endif /* HEAPYARD_CORPUS_DEFECTS_RANDOM_H */
