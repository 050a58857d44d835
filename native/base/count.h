/*
 * count.h: a statement that only counts; compiled out where HEAPYARD_COUNTERS is 0.
 */
#ifndef HEAPYARD_BASE_COUNT_H
#define HEAPYARD_BASE_COUNT_H

#ifndef HEAPYARD_COUNTERS
#    define HEAPYARD_COUNTERS 1
#endif

#if HEAPYARD_COUNTERS
#    define HY_COUNT(statement) ((void)(statement))
#else
#    define HY_COUNT(statement) ((void)0)
#endif

#endif /* HEAPYARD_BASE_COUNT_H */
