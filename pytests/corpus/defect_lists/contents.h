/* Defects: contents and overlap. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_CONTENTS_H
#define HEAPYARD_CORPUS_DEFECTS_CONTENTS_H

#define YARD_CONTENT_DEFECTS(X)                                                                    \
    X(free_scribbles, "HY-DATA-01", "content", "free writes into the block behind it")             \
    X(class_stride_short, "HY-DATA-02", "overlap", "blocks of 480 bytes overlap by 16 bytes")      \
    X(large_stride_short, "HY-DATA-02", "overlap", "blocks of 1,280 bytes overlap by 16 bytes")    \
    X(same_block_twice, "HY-DATA-03", "overlap",                                                   \
      "once in 4,096 calls malloc answers the block before")                                       \
    X(index_16_bits, "HY-DATA-03", "overlap", "the 65,536th small block is the one before")        \
    X(aliased_pages, "HY-DATA-04", "content", "two mappings share a physical page")                \
    X(mapping_short, "HY-DATA-05", "mapped", "the last page of a mapped block is missing")         \
    X(memalign_same_address, "HY-DATA-06", "overlap",                                              \
      "two memalign calls give one address (musllibc of seL4, issue 17)")                          \
    X(memalign_free_forgets_base, "HY-DATA-07", "overlap",                                         \
      "free of an aligned block files it at the wrong address (rpmalloc issue 20)")                \
    X(free_backward_merges, "HY-DATA-08", "content",                                               \
      "freeing towards lower addresses frees one neighbour more")                                  \
    X(mapping_reused_short, "HY-DATA-09", "overlap", "a cached mapping serves a larger request")   \
    X(chunk_end_overrun, "HY-DATA-10", "overlap", "the last block of a chunk runs over its end")   \
    X(index_12_bits, "HY-DATA-12", "overlap",                                                      \
      "with 4,096 blocks live, free gives back the one made last in place of its own")             \
    X(malloc_scribbles, "HY-DATA-11", "content", "cutting a block writes into the one before it")  \
    X(volume_wraps, "HY-DATA-13", "overlap",                                                       \
      "when 4 GiB were handed out in all, a sum in 32 bits wraps, and one block is given twice")   \
    X(break_is_ours, "HY-DATA-14", "overlap",                                                      \
      "a new chunk is believed to begin where the last one ended, whoever moved the break since")

#endif /* HEAPYARD_CORPUS_DEFECTS_CONTENTS_H */
