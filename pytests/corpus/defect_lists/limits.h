/* Defects: limits. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_LIMITS_H
#define HEAPYARD_CORPUS_DEFECTS_LIMITS_H

#define YARD_LIMIT_DEFECTS(X)                                                                      \
    X(malloc_wraps, "HY-LIMIT-01", "refuse",                                                       \
      "malloc(SIZE_MAX) gives a small block (CVE-2017-17426; isoalloc issue 7, ffmalloc issue 1)") \
    X(malloc_drops_sign_bit, "HY-LIMIT-02", "refuse",                                              \
      "malloc(PTRDIFF_MAX + n) gives n bytes (mattconte/tlsf issue 22)")                           \
    X(calloc_wraps, "HY-LIMIT-03", "refuse",                                                       \
      "calloc does not see that its product wraps (BadAlloc)")                                     \
    X(calloc_wraps_to_zero, "HY-LIMIT-04", "refuse",                                               \
      "calloc does not see that its product is exactly 2 to the 64")                               \
    X(reallocarray_wraps, "HY-LIMIT-05", "refuse",                                                 \
      "reallocarray does not see that its product wraps")                                          \
    X(aligned_alloc_wraps, "HY-LIMIT-06", "refuse",                                                \
      "aligned_alloc: size + alignment wraps (glibc CVE-2018-6485)")                               \
    X(posix_memalign_wraps, "HY-LIMIT-07", "refuse",                                               \
      "posix_memalign: size + alignment wraps (glibc CVE-2018-6485)")                              \
    X(memalign_wraps, "HY-LIMIT-08", "refuse",                                                     \
      "memalign: size + alignment wraps (glibc CVE-2013-4332)")                                    \
    X(pvalloc_wraps, "HY-LIMIT-09", "refuse",                                                      \
      "pvalloc: rounding up to pages wraps (glibc CVE-2013-4332)")                                 \
    X(alignment_32_bits, "HY-LIMIT-10", "align", "an alignment is kept in 32 bits")                \
    X(realloc_wraps, "HY-LIMIT-11", "refuse", "realloc to almost SIZE_MAX answers the old block")  \
    X(size_32_bits, "HY-LIMIT-12", "mapped",                                                       \
      "sizes above 4 GiB lose their upper half (glibc BZ 24027)")                                  \
    X(realloc_32_bits, "HY-LIMIT-12", "mapped",                                                    \
      "realloc compares 32 bits of a size with the block that is there (gperftools issue 470)")    \
    X(valloc_wraps, "HY-LIMIT-13", "refuse", "valloc: rounding up wraps (glibc CVE-2013-4332)")    \
    X(size_31_bits, "HY-LIMIT-14", "mapped", "sizes from 2 to 4 GiB lose their highest bit")       \
    X(product_32_bits, "HY-LIMIT-15", "mapped", "a count times a size is kept in 32 bits")

#endif /* HEAPYARD_CORPUS_DEFECTS_LIMITS_H */
