/* Defects: threads. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_THREADS_H
#define HEAPYARD_CORPUS_DEFECTS_THREADS_H

#define YARD_THREAD_DEFECTS(X)                                                                     \
    X(free_without_lock, "HY-THREAD-01", "overlap", "free changes a list without its lock")        \
    X(remote_free_on_two_lists, "HY-THREAD-02", "overlap",                                         \
      "a block that another thread frees is on two lists")                                         \
    X(remote_realloc_frees_first, "HY-THREAD-03", "content",                                       \
      "realloc of another thread's block frees before it copies (oneTBB pull 518)")                \
    X(first_realloc_crashes, "HY-THREAD-04", "SIGSEGV",                                            \
      "realloc needs what only another call sets up (hardened_malloc pull 221)")                   \
    X(thread_exit_frees_live, "HY-THREAD-05", "overlap",                                           \
      "a thread that ends frees what it made, live or not")                                        \
    X(destructor_free_crashes, "HY-THREAD-06", "SIGSEGV",                                          \
      "free in a key's destructor uses a cache that is gone (Heap-Layers pull 30)")                \
    X(errno_of_first_thread, "HY-THREAD-07", "errno",                                              \
      "every failure sets the first thread's errno")                                               \
    X(thread_ids_run_out, "HY-THREAD-08", "null",                                                  \
      "numbers of threads are not used again: the 1,001st gets no memory")                         \
    X(thread_exit_leaks_cache, "HY-THREAD-09", "memory",                                           \
      "a thread's cache is leaked when it ends (glibc BZ 22111)")                                  \
    X(last_destructor_leaks_cache, "HY-THREAD-10", "memory",                                       \
      "a call in the last destructor makes a cache anew, which is lost (mimalloc issue 944)")      \
    X(remote_free_lost, "HY-THREAD-11", "memory", "a block that another thread frees is lost")     \
    X(free_only_thread_hoards, "HY-THREAD-11", "memory",                                           \
      "a cache is bounded in malloc only: a thread that just frees hoards (mimalloc issue 1364)")  \
    X(remote_large_free_lost, "HY-THREAD-12", "memory",                                            \
      "a large block that another thread frees waits for its owner for ever (mimalloc issue "      \
      "1117)")                                                                                     \
    X(dead_threads_blocks_lost, "HY-THREAD-13", "memory",                                          \
      "blocks of a dead thread go back to it (snmalloc pull 161)")                                 \
    X(thread_exit_orphans, "HY-THREAD-14", "memory",                                               \
      "what a thread freed stays with it when it has ended")                                       \
    X(interleaved_blocks_overlap, "HY-THREAD-15", "overlap",                                       \
      "once in 50 small blocks two threads get the same one")                                      \
    X(threads_share_lines, "HY-THREAD-15", "figure",                                               \
      "threads draw their blocks from one list by turns")                                          \
    X(frame_of_128k, "HY-THREAD-16", "SIGSEGV",                                                    \
      "a mapping is made with a table of 128 KiB on the stack")

#endif /* HEAPYARD_CORPUS_DEFECTS_THREADS_H */
