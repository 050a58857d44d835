/*
 * export.h: what every public header of heapyard needs.
 *
 * HY_API marks a function that the shared library exports; everything else is hidden
 * (-fvisibility=hidden). The other macros give the compiler facts that the comments state.
 */
#ifndef HEAPYARD_EXPORT_H
#define HEAPYARD_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#    define HY_API                __attribute__((visibility("default")))
#    define HY_NODISCARD          __attribute__((warn_unused_result))
#    define HY_MALLOC_LIKE        __attribute__((malloc, warn_unused_result))
#    define HY_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#    error "heapyard is built with GCC or Clang"
#endif

#ifdef __cplusplus
#    define HY_BEGIN_DECLS extern "C" {
#    define HY_END_DECLS   }
#else
#    define HY_BEGIN_DECLS
#    define HY_END_DECLS
#endif

#endif /* HEAPYARD_EXPORT_H */
