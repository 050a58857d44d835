/* Defects: zeroing. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_ZEROING_H
#define HEAPYARD_CORPUS_DEFECTS_ZEROING_H

#define YARD_ZEROING_DEFECTS(X)                                                                    \
    X(calloc_trusts_fresh, "HY-ZERO-01", "zero",                                                   \
      "fresh memory is not zero, and calloc believes so")                                          \
    X(calloc_trusts_reused, "HY-ZERO-02", "zero",                                                  \
      "calloc does not clear a block that is used again")                                          \
    X(calloc_trusts_mapping, "HY-ZERO-03", "zero",                                                 \
      "calloc does not clear a mapping from its cache")                                            \
    X(calloc_trusts_trimmed, "HY-ZERO-04", "zero", "calloc believes that malloc_trim cleared all") \
    X(calloc_trusts_resized, "HY-ZERO-05", "zero",                                                 \
      "a block left by realloc is believed to be clean (mimalloc issue 763)")                      \
    X(calloc_clears_one_item, "HY-ZERO-06", "zero", "calloc(n, size) clears one item")             \
    X(calloc_trusts_aligned, "HY-ZERO-07", "zero",                                                 \
      "a freed aligned block is believed to be clean")                                             \
    X(calloc_clears_whole_words, "HY-ZERO-08", "zero",                                             \
      "calloc clears whole words of 8 bytes only")                                                 \
    X(calloc_trusts_grown, "HY-ZERO-09", "zero",                                                   \
      "a freed block that realloc made is believed to be clean")

#endif /* HEAPYARD_CORPUS_DEFECTS_ZEROING_H */
