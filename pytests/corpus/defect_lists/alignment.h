/* Defects: alignment. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_ALIGNMENT_H
#define HEAPYARD_CORPUS_DEFECTS_ALIGNMENT_H

#define YARD_ALIGNMENT_DEFECTS(X)                                                                  \
    X(malloc_misaligned, "HY-ALIGN-01", "align",                                                   \
      "blocks of some sizes from 16 up are aligned to 8")                                          \
    X(small_aligned_to_8, "HY-ALIGN-02", "align", "blocks of at most 8 bytes are aligned to 8")    \
    X(aligned_alloc_caps_alignment, "HY-ALIGN-03", "align",                                        \
      "aligned_alloc knows no alignment above 512")                                                \
    X(posix_memalign_caps_alignment, "HY-ALIGN-04", "align",                                       \
      "posix_memalign knows no alignment above a page")                                            \
    X(memalign_64_misaligned, "HY-ALIGN-05", "align",                                              \
      "memalign(64, n) for n from 192 to 3136 is aligned to 32 (jdz_allocator issue 2)")           \
    X(valloc_half_page, "HY-ALIGN-06", "align", "valloc and pvalloc align to half a page")         \
    X(calloc_misaligned, "HY-ALIGN-07", "align", "calloc puts its block 8 bytes further")          \
    X(realloc_misaligned, "HY-ALIGN-08", "align", "a realloc that moves the block misaligns it")   \
    X(posix_memalign_ignores_alignment, "HY-ALIGN-09", "align",                                    \
      "an alignment above the size is ignored (isoalloc pull 212)")                                \
    X(megabyte_alignment_ignored, "HY-ALIGN-10", "align",                                          \
      "alignments of 1 MiB and more give a page (jemalloc 4.4.0)")                                 \
    X(alignment_above_64k_ignored, "HY-ALIGN-10", "align",                                         \
      "alignments of 128 KiB to 512 KiB give a page")                                              \
    X(realloc_of_aligned_misaligned, "HY-ALIGN-11", "align",                                       \
      "realloc of an aligned block gives a misaligned one (mimalloc issue 603)")                   \
    X(alignment_drifts, "HY-ALIGN-12", "align", "the first block of each new chunk is misaligned") \
    X(big_alignment_refused, "HY-ALIGN-13", "null", "an alignment of more than 64 KiB is refused") \
    X(reused_aligned_misaligned, "HY-ALIGN-14", "align",                                           \
      "an aligned request takes any freed block of its class (jemalloc pull 1900)")

#endif /* HEAPYARD_CORPUS_DEFECTS_ALIGNMENT_H */
