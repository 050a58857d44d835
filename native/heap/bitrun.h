/*
 * bitrun.h: runs of bits in an array of words, and the first run that is long enough.
 */
#ifndef HEAPYARD_HEAP_BITRUN_H
#define HEAPYARD_HEAP_BITRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits [low, high) of one word; high is at most 64. */
static inline uint64_t hy__bits_mask(size_t low, size_t high)
{
    const uint64_t upto = high == 64 ? UINT64_MAX : ((uint64_t)1 << high) - 1;
    return upto & ~(((uint64_t)1 << low) - 1);
}

static inline bool hy__bits_get(const uint64_t *words, size_t bit)
{
    return words[bit / 64] >> (bit % 64) & 1;
}

/* Set or clear `count` bits from `first` on. Returns how many of them were set before. */
static inline size_t hy__bits_put(uint64_t *words, size_t first, size_t count, bool value)
{
    size_t before = 0;
    for (size_t bit = first; bit < first + count;) {
        const size_t left = first + count - bit;
        const size_t high = bit % 64 + left < 64 ? bit % 64 + left : 64;
        const uint64_t mask = hy__bits_mask(bit % 64, high);
        before += (size_t)__builtin_popcountll(words[bit / 64] & mask);
        words[bit / 64] = value ? words[bit / 64] | mask : words[bit / 64] & ~mask;
        bit += high - bit % 64;
    }
    return before;
}

/* The first bit from `bit` on that is `value`; `end` where there is none before it. */
static inline size_t hy__bits_find(const uint64_t *words, size_t bit, size_t end, bool value)
{
    while (bit < end) {
        const uint64_t word = (value ? words[bit / 64] : ~words[bit / 64]) >> (bit % 64);
        if (word != 0) {
            const size_t found = bit + (size_t)__builtin_ctzll(word);
            return found < end ? found : end;
        }
        bit += 64 - bit % 64;
    }
    return end;
}

/* The first bit of the run of set bits that ends before `bit`; `bit` where the bit before it is not
 * set. */
static inline size_t hy__bits_run_start(const uint64_t *words, size_t bit)
{
    while (bit > 0) {
        const size_t in_word = (bit - 1) % 64 + 1; /* bits of the word that lie below `bit` */
        const uint64_t clear = ~words[(bit - 1) / 64] << (64 - in_word);
        if (clear != 0) {
            return bit - (size_t)__builtin_clzll(clear);
        }
        bit -= in_word;
    }
    return 0;
}

/* The end of the last run of set bits before `bit`: behind the last one that is set. 0: none is. */
static inline size_t hy__bits_run_end(const uint64_t *words, size_t bit)
{
    while (bit > 0) {
        const size_t in_word = (bit - 1) % 64 + 1;
        const uint64_t set = words[(bit - 1) / 64] << (64 - in_word);
        if (set != 0) {
            return bit - (size_t)__builtin_clzll(set);
        }
        bit -= in_word;
    }
    return 0;
}

#endif /* HEAPYARD_HEAP_BITRUN_H */
