/* Defects: realloc. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_REALLOC_H
#define HEAPYARD_CORPUS_DEFECTS_REALLOC_H

#define YARD_REALLOC_DEFECTS(X)                                                                    \
    X(realloc_grow_drops_half, "HY-REALLOC-01", "content", "growing copies the first half only")   \
    X(realloc_shrink_drops_half, "HY-REALLOC-02", "content",                                       \
      "shrinking copies half of what is kept")                                                     \
    X(realloc_one_pair_drops, "HY-REALLOC-03", "content",                                          \
      "from 512 to 1,280 bytes the last word is lost")                                             \
    X(realloc_border_drops, "HY-REALLOC-04", "content",                                            \
      "from a size class to a mapping, 4 KiB are lost")                                            \
    X(realloc_aligned_copies_base, "HY-REALLOC-05", "content",                                     \
      "realloc of an aligned block copies from its base (gperftools issue 467)")                   \
    X(realloc_drops_at_64k, "HY-REALLOC-06", "content",                                            \
      "a block that grows past 64 KiB is lost (emmalloc: wasi-libc issue 421)")                    \
    X(realloc_leaks, "HY-REALLOC-07", "memory", "realloc keeps the old block when it moves")       \
    X(realloc_shrink_keeps_all, "HY-REALLOC-08", "memory",                                         \
      "a shrunk mapping keeps all its pages (glibc BZ 30579)")                                     \
    X(realloc_same_size_empty, "HY-REALLOC-09", "content",                                         \
      "realloc to the same size forgets to copy")                                                  \
    X(realloc_shrink_fails, "HY-REALLOC-10", "null", "a mapping can't shrink to a size class")     \
    X(realloc_grow_keeps_copies, "HY-REALLOC-11", "memory",                                        \
      "each growth keeps the old mapping (SuperMalloc issue 38)")                                  \
    X(realloc_aligned_forgets_shift, "HY-REALLOC-12", "overlap",                                   \
      "realloc in place of an aligned block believes the base's size (snmalloc issue 175)")        \
    X(realloc_copies_new_size, "HY-REALLOC-13", "memory",                                          \
      "realloc copies as many bytes as the new block has")

#endif /* HEAPYARD_CORPUS_DEFECTS_REALLOC_H */
