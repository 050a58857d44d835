/*
 * annotate.h: tells AddressSanitizer and valgrind what is a block and what is not.
 *
 * Without it those tools see one big mapping and miss every overflow inside it. The calls cost
 * nothing where neither tool is built in: ASan's are compiled out, valgrind's are a few
 * instructions of no effect and are compiled out unless HEAPYARD_VALGRIND is set by the build.
 *
 *   hy__mark_unaddressable(p, n)   free memory, redzones: any access is an error
 *   hy__mark_undefined(p, n)       handed out, contents unspecified
 *   hy__mark_defined(p, n)         handed out, contents specified (calloc, kept by realloc)
 *   hy__is_annotating()            one of them is watching: leave redzones, take no short cut
 */
#ifndef HEAPYARD_BASE_ANNOTATE_H
#define HEAPYARD_BASE_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define HY_HAS_ASAN 1
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#    define HY_HAS_ASAN 1
#endif
#ifndef HY_HAS_ASAN
#    define HY_HAS_ASAN 0
#endif

#if HY_HAS_ASAN
#    include <sanitizer/asan_interface.h>
#endif
#ifndef HEAPYARD_VALGRIND
#    define HEAPYARD_VALGRIND 0
#endif
#if HEAPYARD_VALGRIND
#    include <valgrind/memcheck.h>
#endif

static inline void hy__mark_unaddressable(const void *address, size_t size)
{
#if HY_HAS_ASAN
    __asan_poison_memory_region(address, size);
#endif
#if HEAPYARD_VALGRIND
    (void)VALGRIND_MAKE_MEM_NOACCESS(address, size);
#endif
    (void)address;
    (void)size;
}

static inline void hy__mark_undefined(const void *address, size_t size)
{
#if HY_HAS_ASAN
    __asan_unpoison_memory_region(address, size);
#endif
#if HEAPYARD_VALGRIND
    (void)VALGRIND_MAKE_MEM_UNDEFINED(address, size);
#endif
    (void)address;
    (void)size;
}

static inline void hy__mark_defined(const void *address, size_t size)
{
#if HY_HAS_ASAN
    __asan_unpoison_memory_region(address, size);
#endif
#if HEAPYARD_VALGRIND
    (void)VALGRIND_MAKE_MEM_DEFINED(address, size);
#endif
    (void)address;
    (void)size;
}

/* Under valgrind's other tools (callgrind, massif) this is false: the program runs as it does
 * without them, and is measured so. */
static inline bool hy__is_annotating(void)
{
#if HY_HAS_ASAN
    return true;
#elif HEAPYARD_VALGRIND
    unsigned char byte = 0;
    unsigned char bits;
    return VALGRIND_GET_VBITS(&byte, &bits, 1) != 0;
#else
    return false;
#endif
}

#endif /* HEAPYARD_BASE_ANNOTATE_H */
