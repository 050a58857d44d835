/* Defects: in malloc's place. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_SWAP_H
#define HEAPYARD_CORPUS_DEFECTS_SWAP_H

#define YARD_SWAP_DEFECTS(X)                                                                       \
    X(aligned_alloc_left_to_libc, "HY-SWAP-01", "SIGABRT",                                         \
      "aligned_alloc is missing, so libc's serves it (gperftools issue 909)")                      \
    X(pvalloc_left_to_libc, "HY-SWAP-02", "swap",                                                  \
      "pvalloc is missing, so libc's serves it (jemalloc issue 2246)")                             \
    X(libc_blocks_apart, "HY-SWAP-03", "SIGABRT",                                                  \
      "blocks that the libc asks for come from elsewhere, and free knows nothing of it (rpmalloc " \
      "pull 374)")                                                                                 \
    X(libc_realloc_drops, "HY-SWAP-04", "swap",                                                    \
      "a realloc that the libc calls loses the contents")                                          \
    X(new_ignores_alignment, "HY-SWAP-05", "swap", "the aligned operator new is like the other")   \
    X(sized_delete_leaks, "HY-SWAP-06", "swap", "operator delete(void *, size_t) frees nothing")   \
    X(static_tls_too_large, "HY-SWAP-07", "SIGABRT",                                               \
      "it can be loaded at the start of a program only (jemalloc issue 937)")                      \
    X(exit_handler_left, "HY-SWAP-08", "SIGSEGV", "an exit handler stays when the library goes")   \
    X(fixed_address, "HY-SWAP-09", "swap", "chunks lie at fixed addresses, whoever is there")      \
    X(told_without_mappings, "HY-SWAP-12", "swap",                                                 \
      "mallinfo leaves out blocks of their own mapping")                                           \
    X(told_remote_frees_twice, "HY-SWAP-13", "swap",                                               \
      "a free by another thread is counted twice, and the count wraps")                            \
    X(told_unmapped_as_mapped, "HY-SWAP-14", "swap", "what is unmapped still counts as mapped")    \
    X(told_with_any_option, "HY-SWAP-15", "swap", "malloc_info takes options that there are not")  \
    X(new_forgets_handler, "HY-SWAP-16", "swap", "operator new gives up without the new handler")  \
    X(load_crashes, "HY-LOAD-01", "load", "a constructor crashes")                                 \
    X(load_exits, "HY-LOAD-01", "load", "a constructor calls _exit")                               \
    X(rare_free_wipes, "HY-SWAP-10", "output", "each 500th free wipes a live block")               \
    X(rare_malloc_fails, "HY-SWAP-11", "output", "each 20,000th malloc answers NULL")

#endif /* HEAPYARD_CORPUS_DEFECTS_SWAP_H */
