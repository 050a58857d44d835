/* Defects: what is the process's and not the heap's. What the columns are stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_SURROUNDINGS_H
#define HEAPYARD_CORPUS_DEFECTS_SURROUNDINGS_H

#define YARD_SURROUNDING_DEFECTS(X)                                                                \
    X(file_left_open, "HY-LIFE-11", "memory", "each mapping opens /dev/zero and leaves it open")   \
    X(closes_file_of_program, "HY-LIFE-11", "memory",                                              \
      "a descriptor that was never set, 0, is closed")                                             \
    X(signals_left_blocked, "HY-LIFE-12", "memory", "signals are blocked for a mapping, and stay") \
    X(handler_left, "HY-LIFE-12", "memory", "a handler that probes memory is not taken back")

#endif /* HEAPYARD_CORPUS_DEFECTS_SURROUNDINGS_H */
