/*
 * classes.h: which size class serves a size.
 *
 *     class   0    1    2   ...  31    32    33   ...   39     40    ...    87
 *     bytes  16   32   48   ... 512   576   640  ...  1024   1152   ...  65536
 *
 * Multiples of 16 up to 512, then eight to a doubling: the size less one, from its highest bit on,
 * in four bits.
 */
#ifndef HEAPYARD_HEAP_CLASSES_H
#define HEAPYARD_HEAP_CLASSES_H

#include "heap/layout.h"

/* The class of a size from 513 to HY_HEAP_MAX_SMALL. */
static inline unsigned hy__class_of_medium(size_t size)
{
    const size_t last = size - 1;
    const unsigned shift = hy__log2_floor(last) - 3;
    return HY_HEAP_FINE_CLASSES - 8 + (shift - 6) * 8 + (unsigned)(last >> shift);
}

/* The class of a size up to HY_HEAP_MAX_SMALL. */
static inline unsigned hy__class_of(size_t size)
{
    if (size <= HY_HEAP_ALIGNMENT * HY_HEAP_FINE_CLASSES) {
        return size == 0 ? 0 : (unsigned)((size - 1) / HY_HEAP_ALIGNMENT);
    }
    return hy__class_of_medium(size);
}

/* The block size of a class, in bytes. */
static inline size_t hy__class_size(unsigned size_class)
{
    if (size_class < HY_HEAP_FINE_CLASSES) {
        return (size_class + 1) * HY_HEAP_ALIGNMENT;
    }
    const unsigned step = size_class - HY_HEAP_FINE_CLASSES;
    return (size_t)(9 + step % 8) << (step / 8 + 6);
}

/* The first class of a page or more, as HY__BIG_CLASS says. */
static_assert((size_t)(9 + (HY__BIG_CLASS - HY_HEAP_FINE_CLASSES) % 8)
                      << ((HY__BIG_CLASS - HY_HEAP_FINE_CLASSES) / 8 + 6) ==
                  HY_PAGE_SIZE,
              "the class of 4096 bytes");

/* The least class whose blocks, laid side by side from a page's start, all have the alignment (up
 * to HY_PAGE_SIZE); HY_HEAP_CLASSES where there is none. */
static inline unsigned hy__class_of_aligned(size_t size, size_t alignment)
{
    const size_t least = size > alignment ? size : alignment;
    if (least > HY_HEAP_MAX_SMALL) {
        return HY_HEAP_CLASSES;
    }
    unsigned size_class = hy__class_of(least);
    while (size_class < HY_HEAP_CLASSES && hy__class_size(size_class) % alignment != 0) {
        size_class++;
    }
    return size_class;
}

/* An offset is a multiple of the block size if and only if it times this is less than this
 * (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019; offsets below 2^32). */
static inline uint64_t hy__class_divisor(unsigned size_class)
{
    return UINT64_MAX / hy__class_size(size_class) + 1;
}

static inline bool hy__is_block_start(const hy_heap_bin *bin, size_t within)
{
    return within * bin->divisor < bin->divisor;
}

#endif /* HEAPYARD_HEAP_CLASSES_H */
