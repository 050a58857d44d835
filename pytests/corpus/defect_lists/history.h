/* Defects: what only a long history shows. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_HISTORY_H
#define HEAPYARD_CORPUS_DEFECTS_HISTORY_H

#define YARD_HISTORY_DEFECTS(X)                                                                    \
    X(free_count_wraps, "HY-FUZZ-06", "overlap",                                                   \
      "a class whose count of frees wraps at 256 is taken for new: its last block is made again")  \
    X(list_of_512_overflows, "HY-FUZZ-06", "overlap",                                              \
      "a list of live small blocks has 512 entries: with the next one the first is given again")   \
    X(split_300_in_a_row, "HY-FUZZ-06", "overlap",                                                 \
      "the 300th request in a row of one class gets the block before it")                          \
    X(realloc_chain_forgets, "HY-FUZZ-06", "content",                                              \
      "a block that is resized for the 32nd time in a row loses its second half")                  \
    X(generation_wraps, "HY-FUZZ-06", "overlap",                                                   \
      "an address that is given for the 128th time counts as never given")                         \
    X(neighbours_merge_late, "HY-FUZZ-06", "overlap",                                              \
      "each 200th block freed right after one of another class was made takes that with it")       \
    X(clean_mark_outlives_frees, "HY-FUZZ-06", "zero",                                             \
      "after 150 frees without a calloc the next calloc trusts a mark that is stale")              \
    X(thousandth_of_a_class, "HY-FUZZ-06", "overlap",                                              \
      "each 1,000th request for 17 to 32 bytes gets the block of the one before")                  \
    X(remote_list_overflows, "HY-FUZZ-07", "overlap",                                              \
      "of blocks freed by threads that did not make them, the 101st lets a live one go")

#endif /* HEAPYARD_CORPUS_DEFECTS_HISTORY_H */
