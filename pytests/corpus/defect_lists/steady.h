/* Defects: what threads and children of fork lose of memory, or of a lock. What the columns are
 * stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_STEADY_H
#define HEAPYARD_CORPUS_DEFECTS_STEADY_H

#define YARD_STEADY_DEFECTS(X)                                                                     \
    X(posted_block_overwritten, "HY-THREAD-17", "memory",                                          \
      "of two threads that post a freed block at the same time, one is overwritten")               \
    X(thread_exit_leaks_full_lists, "HY-THREAD-18", "memory",                                      \
      "of a thread that ends, lists of more than eight blocks are lost")                           \
    X(child_loses_what_it_frees, "HY-LIFE-13", "null",                                             \
      "in a child, what the parent's heap gets back is not used again")                            \
    X(second_lock_not_held_at_fork, "HY-LIFE-14", "hang",                                          \
      "aligned requests have a lock of their own, which fork forgets (gperftools issue 499)")      \
    X(mappings_in_one_table, "HY-COST-15", "memory",                                               \
      "mappings are entries of one table, which free searches and moves up")

#endif /* HEAPYARD_CORPUS_DEFECTS_STEADY_H */
