/* Defects: out of memory. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_MEMORY_SHORT_H
#define HEAPYARD_CORPUS_DEFECTS_MEMORY_SHORT_H

#define YARD_SHORTAGE_DEFECTS(X)                                                                   \
    X(exhaustion_aborts, "HY-OOM-01", "SIGABRT",                                                   \
      "a small block that can't be had ends in abort() (gperftools issue 228)")                    \
    X(aligned_refused_einval, "HY-OOM-02", "errno",                                                \
      "an aligned request that the kernel refuses says EINVAL")                                    \
    X(exhaustion_drops_freed, "HY-OOM-03", "memory",                                               \
      "once memory was short, freed blocks are not used again")                                    \
    X(refused_errno_restored, "HY-OOM-04", "errno",                                                \
      "errno is put back after mmap, and so does not say why malloc failed")                       \
    X(refused_mapping_used, "HY-OOM-05", "SIGSEGV",                                                \
      "the answer of mmap is compared with NULL, and MAP_FAILED is used")                          \
    X(refused_chunk_used, "HY-OOM-05", "SIGSEGV",                                                  \
      "the answer of mmap for a chunk is not looked at")                                           \
    X(shortage_purges_live, "HY-OOM-06", "content",                                                \
      "where memory is short all pages of the chunk are purged, used or not")                      \
    X(refused_realloc_frees, "HY-OOM-07", "content",                                               \
      "a realloc that the kernel refuses frees the old block (SuperMalloc issue 3)")               \
    X(calloc_trusts_failed_purge, "HY-OOM-08", "zero",                                             \
      "a mapping whose purging failed is believed to be clean")                                    \
    X(failed_unmap_sets_errno, "HY-OOM-09", "errno",                                               \
      "free sets errno where munmap fails (glibc BZ 17924)")                                       \
    X(failed_unmap_aborts, "HY-OOM-09", "SIGABRT", "free ends in abort() where munmap fails")      \
    X(first_mapping_unchecked, "HY-OOM-10", "SIGSEGV",                                             \
      "setting up writes to a page that it did not get")                                           \
    X(first_failure_remembered, "HY-OOM-11", "null",                                               \
      "a failure of the first mapping is remembered for ever")                                     \
    X(shortage_keeps_lock, "HY-OOM-12", "hang", "a request that fails leaves the lock taken")      \
    X(one_failure_for_ever, "HY-OOM-12", "null", "after one failure the kernel is asked no more")  \
    X(refused_keeps_first_half, "HY-OOM-13", "memory",                                             \
      "a request that needs two mappings keeps the first where the second fails")                  \
    X(unopened_mapping_lost, "HY-OOM-13", "memory",                                                \
      "a mapping is reserved, then opened by mprotect; one that can't be opened stays")            \
    X(thread_cache_unchecked, "HY-OOM-14", "SIGSEGV",                                              \
      "a thread's first call writes to the page of its cache, which it may not have got")          \
    X(failures_count_as_live, "HY-OOM-13", "null",                                                 \
      "what was refused counts as handed out, against a limit of 128 MiB")

#endif /* HEAPYARD_CORPUS_DEFECTS_MEMORY_SHORT_H */
