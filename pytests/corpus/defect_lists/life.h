/* Defects: fork, signals, and the life of a process. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_LIFE_H
#define HEAPYARD_CORPUS_DEFECTS_LIFE_H

#define YARD_LIFE_DEFECTS(X)                                                                       \
    X(heap_shared_with_child, "HY-LIFE-01", "content", "a forked child shares the parent's heap")  \
    X(child_rejects_blocks, "HY-LIFE-01", "SIGABRT", "a forked child may not free anything")       \
    X(fork_without_handlers, "HY-LIFE-02", "hang",                                                 \
      "a lock that another thread has at fork stays locked (jemalloc issue 2019)")                 \
    X(fork_of_new_thread_crashes, "HY-LIFE-03", "SIGSEGV",                                         \
      "after fork, the thread is believed to have a cache (gperftools issue 1570)")                \
    X(fork_handlers_come_late, "HY-LIFE-04", "hang",                                               \
      "handlers of fork are registered at the first call, after the program's")                    \
    X(fork_in_handler_deadlocks, "HY-LIFE-05", "hang",                                             \
      "fork waits for a lock that its own thread has (glibc BZ 838)")                              \
    X(interrupted_wait_fails, "HY-LIFE-06", "null", "a wait that a signal ends fails the call")    \
    X(interrupted_lock_is_taken, "HY-LIFE-06", "overlap",                                          \
      "a wait for the lock that a signal ends counts as having it")                                \
    X(interrupted_wait_shows, "HY-LIFE-07", "errno", "a wait that a signal ends leaves EINTR")     \
    X(early_calloc_is_static, "HY-LIFE-08", "SIGABRT",                                             \
      "what calloc gave before the constructor ran is no block for free")                          \
    X(constructor_forgets_blocks, "HY-LIFE-08", "content",                                         \
      "the constructor sets up the heap again, under blocks that are live")                        \
    X(exit_handler_ends_heap, "HY-LIFE-09", "SIGSEGV", "a handler of atexit unmaps the heap")      \
    X(destructor_ends_heap, "HY-LIFE-10", "SIGSEGV", "the library's destructor unmaps the heap")

#endif /* HEAPYARD_CORPUS_DEFECTS_LIFE_H */
