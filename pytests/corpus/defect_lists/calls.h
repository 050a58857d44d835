/* Defects: semantics of the calls. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_CALLS_H
#define HEAPYARD_CORPUS_DEFECTS_CALLS_H

#define YARD_CALL_DEFECTS(X)                                                                       \
    X(malloc_boundary_null, "HY-API-01", "null",                                                   \
      "malloc of exactly the largest size class gives NULL (rpmalloc 1.2, size 2097120)")          \
    X(malloc_zero_takes_no_room, "HY-API-02", "overlap",                                           \
      "malloc(0) answers the address that the next block gets (rpmalloc 1.2, malloc(0))")          \
    X(malloc_zero_shared, "HY-API-03", "overlap", "every malloc(0) answers the same address")      \
    X(realloc_zero_shared, "HY-API-03", "overlap",                                                 \
      "every realloc(NULL, 0) answers the same address")                                           \
    X(zero_is_null, "HY-API-04", "null",                                                           \
      "a request of zero bytes gives NULL (mimalloc issue 622: grep: memory exhausted)")           \
    X(free_null_frees_last, "HY-API-05", "overlap", "free(NULL) frees the newest block")           \
    X(calloc_zero_shared, "HY-API-06", "overlap",                                                  \
      "calloc(0, n) and calloc(n, 0) answer one shared address")                                   \
    X(realloc_null_fails, "HY-API-07", "null", "realloc(NULL, n) gives NULL (mimalloc issue 622)") \
    X(realloc_zero_leaks, "HY-API-08", "memory", "realloc(p, 0) answers NULL and keeps the block") \
    X(realloc_failure_frees, "HY-API-09", "content",                                               \
      "a realloc that fails has freed the block (SuperMalloc issue 3)")                            \
    X(reallocarray_ignores_count, "HY-API-10", "overlap",                                          \
      "reallocarray(p, n, size) makes room for one")                                               \
    X(usable_null_is_16, "HY-API-11", "usable", "malloc_usable_size(NULL) is not 0")               \
    X(usable_short, "HY-API-12", "usable",                                                         \
      "usable size of a mapped block is a page less than asked for")                               \
    X(usable_of_base, "HY-API-13", "content",                                                      \
      "usable size of an aligned block counts from its base (rpmalloc pull 65, mimalloc issue "    \
      "231)")                                                                                      \
    X(free_sized_rounds_up, "HY-API-14", "overlap",                                                \
      "free_sized puts the block on the next larger class")                                        \
    X(free_sized_after_realloc, "HY-API-15", "SIGABRT",                                            \
      "free_sized aborts for a block that was resized in place (gperftools 2.17)")                 \
    X(free_aligned_sized_base, "HY-API-16", "overlap",                                             \
      "free_aligned_sized forgets where the block of the class began (rpmalloc issue 20)")         \
    X(free_sized_null_crashes, "HY-API-17", "SIGABRT", "free_sized(NULL, n) aborts")               \
    X(pvalloc_no_rounding, "HY-API-18", "usable",                                                  \
      "pvalloc does not round the size up to whole pages")                                         \
    X(trim_wipes_live, "HY-API-19", "content", "malloc_trim purges bytes of a live block")         \
    X(first_call_must_be_malloc, "HY-API-20", "null",                                              \
      "nothing but malloc sets the heap up (hardened_malloc pull 221: realloc first)")             \
    X(aligned_zero_shared, "HY-API-21", "overlap",                                                 \
      "aligned requests of zero bytes share an address (jemalloc 5.2.0, posix_memalign size 0)")   \
    X(posix_memalign_stores_nothing, "HY-API-21", "return_code",                                   \
      "posix_memalign of zero bytes answers 0 and leaves the pointer as it was")                   \
    X(valloc_zero_shared, "HY-API-21", "overlap", "every valloc(0) answers the same address")      \
    X(aligned_alloc_rounds_alignment, "HY-API-22", "refuse",                                       \
      "aligned_alloc takes an alignment that is no power of two (glibc before 2.38)")              \
    X(aligned_alloc_takes_zero, "HY-API-23", "refuse", "aligned_alloc takes the alignment 0")      \
    X(aligned_alloc_wants_multiple, "HY-API-24", "null",                                           \
      "aligned_alloc refuses a size that is no multiple of the alignment")                         \
    X(memalign_odd_overruns, "HY-API-25", "overlap",                                               \
      "memalign with an alignment that is no power of two runs over its end")                      \
    X(failure_poisons, "HY-API-26", "null",                                                        \
      "after a request that was too large, the next one fails")                                    \
    X(aligned_alloc_refuses_small, "HY-API-27", "null",                                            \
      "aligned_alloc refuses alignments below sizeof(void *) (snmalloc issue 668)")                \
    X(malloc_refuses_megabytes, "HY-API-28", "null", "malloc refuses what is larger than 1 MiB")   \
    X(table_full_at_half_a_million, "HY-API-29", "null",                                           \
      "a table of live blocks has 524,288 entries, and malloc gives NULL when it is full")

#endif /* HEAPYARD_CORPUS_DEFECTS_CALLS_H */
