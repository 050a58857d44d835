/*
 * bits.h: checked arithmetic and powers of two. Nothing here can wrap silently.
 */
#ifndef HEAPYARD_BASE_BITS_H
#define HEAPYARD_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool hy__is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Sums and products that say whether they fit: true and *result, or false. */
static inline bool hy__add(size_t a, size_t b, size_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

static inline bool hy__multiply(size_t a, size_t b, size_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

/* value rounded up to a multiple of `alignment` (a power of two); false where that overflows. */
static inline bool hy__align_up(size_t value, size_t alignment, size_t *result)
{
    size_t sum;
    if (!hy__add(value, alignment - 1, &sum)) {
        return false;
    }
    *result = sum & ~(alignment - 1);
    return true;
}

/* The same for a value that the caller knows to be far from the largest one. */
static inline size_t hy__round_up(size_t value, size_t alignment)
{
    return (value + (alignment - 1)) & ~(alignment - 1);
}

/* value rounded down to a multiple of `alignment` (a power of two). */
static inline size_t hy__align_down(size_t value, size_t alignment)
{
    return value & ~(alignment - 1);
}

static inline bool hy__is_aligned(const void *pointer, size_t alignment)
{
    return ((uintptr_t)pointer & (alignment - 1)) == 0;
}

/* The index of the highest set bit; value must not be 0. */
static inline unsigned hy__log2_floor(size_t value)
{
    return (unsigned)(sizeof(unsigned long long) * 8 - 1) -
           (unsigned)__builtin_clzll((unsigned long long)value);
}

#endif /* HEAPYARD_BASE_BITS_H */
