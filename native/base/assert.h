/*
 * assert.h: three levels of assertion, chosen by the build (-DHEAPYARD_ASSERT=...).
 *
 *   off       nothing
 *   debug     HY_ASSERT_ARG:   arguments of internal calls
 *   internal  HY_ASSERT_STATE: invariants of cost O(1)
 *   full      HY_ASSERT_ALL:   whole structures walked after each change
 *
 * Each level includes those above it. A failed assertion is a defect of heapyard itself: it prints
 * the expression and its place and aborts, without allocating.
 */
#ifndef HEAPYARD_BASE_ASSERT_H
#define HEAPYARD_BASE_ASSERT_H

#include <assert.h>

#define HY_ASSERT_LEVEL_OFF      0
#define HY_ASSERT_LEVEL_DEBUG    1
#define HY_ASSERT_LEVEL_INTERNAL 2
#define HY_ASSERT_LEVEL_FULL     3

#ifndef HEAPYARD_ASSERT_LEVEL
#    define HEAPYARD_ASSERT_LEVEL HY_ASSERT_LEVEL_OFF
#endif

_Noreturn void hy__assert_failed(const char *expression, const char *file, int line);

#define HY__ASSERT(expression)                                                                     \
    ((expression) ? (void)0 : hy__assert_failed(#expression, __FILE__, __LINE__))

#if HEAPYARD_ASSERT_LEVEL >= HY_ASSERT_LEVEL_DEBUG
#    define HY_ASSERT_ARG(expression) HY__ASSERT(expression)
#else
#    define HY_ASSERT_ARG(expression) ((void)0)
#endif

#if HEAPYARD_ASSERT_LEVEL >= HY_ASSERT_LEVEL_INTERNAL
#    define HY_ASSERT_STATE(expression) HY__ASSERT(expression)
#else
#    define HY_ASSERT_STATE(expression) ((void)0)
#endif

#if HEAPYARD_ASSERT_LEVEL >= HY_ASSERT_LEVEL_FULL
#    define HY_ASSERT_ALL(expression) HY__ASSERT(expression)
#else
#    define HY_ASSERT_ALL(expression) ((void)0)
#endif

#endif /* HEAPYARD_BASE_ASSERT_H */
