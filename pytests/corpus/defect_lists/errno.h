/* Defects: errno. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_ERRNO_H
#define HEAPYARD_CORPUS_DEFECTS_ERRNO_H

#define YARD_ERRNO_DEFECTS(X)                                                                      \
    X(malloc_no_errno, "HY-ERRNO-01", "errno", "a malloc that fails leaves errno alone")           \
    X(calloc_no_errno, "HY-ERRNO-02", "errno", "a calloc that fails leaves errno alone")           \
    X(realloc_no_errno, "HY-ERRNO-03", "errno",                                                    \
      "a realloc that fails leaves errno alone (snmalloc issue 461)")                              \
    X(reallocarray_no_errno, "HY-ERRNO-04", "errno",                                               \
      "a reallocarray that fails leaves errno alone")                                              \
    X(aligned_alloc_no_errno, "HY-ERRNO-05", "errno",                                              \
      "an aligned_alloc that fails leaves errno alone")                                            \
    X(memalign_no_errno, "HY-ERRNO-06", "errno", "a memalign that fails leaves errno alone")       \
    X(posix_memalign_minus_one, "HY-ERRNO-07", "return_code",                                      \
      "posix_memalign answers -1 where memory is short")                                           \
    X(posix_memalign_any_alignment, "HY-ERRNO-08", "refuse", "posix_memalign takes any alignment") \
    X(posix_memalign_spoils_memptr, "HY-ERRNO-09", "memptr",                                       \
      "posix_memalign writes to *memptr though it fails")                                          \
    X(posix_memalign_sets_errno, "HY-ERRNO-10", "errno",                                           \
      "posix_memalign sets errno when it fails")                                                   \
    X(success_sets_errno, "HY-ERRNO-11", "errno", "mapping a new chunk leaves a value in errno")   \
    X(free_sets_errno, "HY-ERRNO-12", "errno",                                                     \
      "free of a mapped block sets errno (glibc BZ 17924)")                                        \
    X(first_call_sets_errno, "HY-ERRNO-13", "errno",                                               \
      "setting up at the first call sets errno (jemalloc before 3.4.1, readlink)")                 \
    X(realloc_move_sets_errno, "HY-ERRNO-14", "errno",                                             \
      "a realloc that can't grow in place sets errno and then succeeds")                           \
    X(valloc_no_errno, "HY-ERRNO-15", "errno",                                                     \
      "a valloc or pvalloc that fails leaves errno alone")                                         \
    X(aligned_alloc_einval_silent, "HY-ERRNO-16", "errno",                                         \
      "aligned_alloc refuses an alignment without errno")

#endif /* HEAPYARD_CORPUS_DEFECTS_ERRNO_H */
