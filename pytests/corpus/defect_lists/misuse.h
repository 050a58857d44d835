/* Defects: misuse let pass. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_MISUSE_H
#define HEAPYARD_CORPUS_DEFECTS_MISUSE_H

#define YARD_MISUSE_DEFECTS(X)                                                                     \
    X(double_free_accepted, "HY-MISUSE-01", "two owners",                                          \
      "a block freed twice is on its free list twice (jemalloc, mimalloc, tcmalloc: by design)")   \
    X(double_free_seen_at_head, "HY-MISUSE-02", "two owners",                                      \
      "a double free is seen only of the block freed last (glibc's fastbins)")                     \
    X(reuse_at_once, "HY-MISUSE-03", "two owners",                                                 \
      "the block freed last is handed out first: its stale pointer is valid again")                \
    X(realloc_leaves_old_valid, "HY-MISUSE-04", "two owners",                                      \
      "a block that realloc moved away from still counts as live")                                 \
    X(wild_free_accepted, "HY-MISUSE-05", "damage",                                                \
      "what is freed is kept for the next request, whatever it is")                                \
    X(variable_free_accepted, "HY-MISUSE-06", "two owners",                                        \
      "a variable is taken for a block, and handed out")                                           \
    X(header_in_front_believed, "HY-MISUSE-07", "two owners",                                      \
      "a block of another allocator is taken for one by its header (rpmalloc pull 374)")           \
    X(interior_free_splits, "HY-MISUSE-08", "damage",                                              \
      "free of a pointer into a block frees the rest of the block")                                \
    X(misaligned_free_rounded, "HY-MISUSE-09", "two owners",                                       \
      "free rounds a misaligned pointer down")                                                     \
    X(overflow_believed, "HY-MISUSE-10", "two owners",                                             \
      "a size that an overflow wrote is believed (the poisoned null byte of glibc before 2.29)")   \
    X(underflow_believed, "HY-MISUSE-11", "two owners",                                            \
      "a size that an underflow wrote is believed")                                                \
    X(damaged_link_mended, "HY-MISUSE-12", "two owners",                                           \
      "a link that was overwritten is guessed: the block before")                                  \
    X(forged_link_followed, "HY-MISUSE-13", "two owners",                                          \
      "a link that was overwritten is followed (glibc's thread cache before 2.32)")                \
    X(sized_free_believed, "HY-MISUSE-14", "two owners",                                           \
      "a sized free puts the block on the list that the size names")                               \
    X(alignment_believed, "HY-MISUSE-15", "two owners",                                            \
      "free_aligned_sized finds the block by the alignment that it is told")                       \
    X(realloc_of_freed_in_place, "HY-MISUSE-16", "two owners",                                     \
      "realloc of a freed block answers it, and it stays on its free list")                        \
    X(double_free_ignored, "HY-MISUSE-17", "misuse", "a double free is not told")                  \
    X(double_free_unnamed, "HY-MISUSE-17", "SIGABRT", "misuse aborts without a word")              \
    X(foreign_free_ignored, "HY-MISUSE-18", "misuse", "free of a foreign pointer is not told")     \
    X(interior_free_ignored, "HY-MISUSE-19", "misuse", "free of an interior pointer is not told")  \
    X(realloc_of_freed_is_malloc, "HY-MISUSE-20", "misuse",                                        \
      "realloc of a freed block is as good as malloc")                                             \
    X(overflow_ignored, "HY-MISUSE-21", "misuse", "a damaged block is left alone")                 \
    X(underflow_ignored, "HY-MISUSE-22", "misuse", "a damaged block is left alone, in silence")    \
    X(late_write_ignored, "HY-MISUSE-23", "misuse",                                                \
      "a free list that was written into is dropped")                                              \
    X(wrong_size_ignored, "HY-MISUSE-24", "misuse",                                                \
      "a sized free takes any size (hardened_malloc pull 318)")

#endif /* HEAPYARD_CORPUS_DEFECTS_MISUSE_H */
