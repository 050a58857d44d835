/*
 * pattern.h: the contents that the engine gives each block.
 *
 * A stream of 64-bit words, word i = key + i * STEP, laid over the block from its first byte. The
 * key is different for every fill, so no two blocks look alike, nor one block before and after; the
 * step is odd, so a block that was copied to a wrong offset differs too.
 *
 *     [ word 0 ][ word 1 ] ... [ word n ][tail]      tail: the first bytes of word n + 1
 *
 * Blocks above HY_PATTERN_WHOLE are sampled (first and last 64 KiB, one word of each page between),
 * so that a huge block costs one page fault per page and little more:
 *
 *     [#### 64 KiB ####][#......][#......] ... [#### 64 KiB ####]
 *
 * Loads and stores go through memcpy: a target may return any address.
 */
#ifndef HEAPYARD_TRIAL_PATTERN_H
#define HEAPYARD_TRIAL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HY_PATTERN_STEP  UINT64_C(0x9e3779b97f4a7c15)
#define HY_PATTERN_WHOLE ((size_t)1 << 20)

typedef uint64_t hy_pair __attribute__((vector_size(16)));

/* The key of one fill: the serial number and the slot, scattered over 64 bits. */
static inline uint64_t hy__pattern_key(uint64_t seed, uint32_t slot, uint64_t serial)
{
    uint64_t x = seed + serial * HY_PATTERN_STEP + ((uint64_t)slot << 32);
    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ (x >> 32);
}

/* The eight bytes of the stream that start at any offset. */
static inline uint64_t hy__pattern_at(uint64_t key, size_t offset)
{
    const uint64_t word = key + (uint64_t)(offset >> 3) * HY_PATTERN_STEP;
    const unsigned shift = (unsigned)(offset & 7) * 8;
    return (word >> shift) | ((word + HY_PATTERN_STEP) << 1 << (63 - shift));
}

static inline uint64_t hy__load64(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline void hy__store64(unsigned char *at, uint64_t word)
{
    memcpy(at, &word, sizeof word);
}

/* Blocks of less than eight bytes: 4, 2 and 1 from the low end of the first word. */
static inline void hy__pattern_fill_tiny(unsigned char *at, size_t size, uint64_t word)
{
    if (size & 4) {
        memcpy(at, &word, 4);
        at += 4;
        word >>= 32;
    }
    if (size & 2) {
        memcpy(at, &word, 2);
        at += 2;
        word >>= 16;
    }
    if (size & 1) {
        *at = (unsigned char)word;
    }
}

static inline bool hy__pattern_holds_tiny(const unsigned char *at, size_t size, uint64_t word)
{
    uint64_t seen = 0;
    unsigned shift = 0;
    if (size & 4) {
        uint32_t part;
        memcpy(&part, at, 4);
        seen = part;
        at += 4;
        shift = 32;
    }
    if (size & 2) {
        uint16_t part;
        memcpy(&part, at, 2);
        seen |= (uint64_t)part << shift;
        at += 2;
        shift += 16;
    }
    if (size & 1) {
        seen |= (uint64_t)*at << shift;
    }
    return ((seen ^ word) & ((UINT64_C(1) << (size * 8)) - 1)) == 0;
}

static inline hy_pair hy__both(uint64_t value)
{
    return (hy_pair){value, value};
}

/* Words 0 and 1 of a stream. */
static inline hy_pair hy__pair(uint64_t key)
{
    return hy__both(key) + (hy_pair){0, HY_PATTERN_STEP};
}

/* The sixteen bytes that start at any offset of the stream that `first` begins. */
static inline hy_pair hy__pair_at(hy_pair first, size_t offset)
{
    const hy_pair pair = first + hy__both((uint64_t)(offset >> 3) * HY_PATTERN_STEP);
    const uint64_t shift = (offset & 7) * 8;
    return (pair >> shift) | ((pair + hy__both(HY_PATTERN_STEP)) << 1 << (63 - shift));
}

static inline hy_pair hy__load_pair(const unsigned char *at)
{
    hy_pair pair;
    memcpy(&pair, at, sizeof pair);
    return pair;
}

static inline void hy__store_pair(unsigned char *at, hy_pair pair)
{
    memcpy(at, &pair, sizeof pair);
}

/* 8 to 31 bytes: the first and the last 8 or 16, which may overlap. */
static inline void hy__pattern_fill_short(unsigned char *at, size_t size, uint64_t key)
{
    if (size < 16) {
        hy__store64(at, key);
        hy__store64(at + size - 8, hy__pattern_at(key, size - 8));
    } else {
        hy__store_pair(at, hy__pair(key));
        hy__store_pair(at + size - 16, hy__pair_at(hy__pair(key), size - 16));
    }
}

static inline bool hy__pattern_holds_short(const unsigned char *at, size_t size, uint64_t key)
{
    if (size < 16) {
        return ((hy__load64(at) ^ key) |
                (hy__load64(at + size - 8) ^ hy__pattern_at(key, size - 8))) == 0;
    }
    const hy_pair wrong = (hy__load_pair(at) ^ hy__pair(key)) |
                          (hy__load_pair(at + size - 16) ^ hy__pair_at(hy__pair(key), size - 16));
    return (wrong[0] | wrong[1]) == 0;
}

/*
 * Every byte of [at, at + size). 32 bytes at a time from the start, then the last 32, which may
 * overlap what is already there: no branch depends on size % 32.
 *
 *     [ 32 ][ 32 ] ... [ 32 ]
 *                  [   32   ]
 */
static inline void hy__pattern_fill_whole(unsigned char *at, size_t size, uint64_t key)
{
    if (size < 32) {
        if (size < 8) {
            hy__pattern_fill_tiny(at, size, key);
        } else {
            hy__pattern_fill_short(at, size, key);
        }
        return;
    }
    const hy_pair step = hy__both(4 * HY_PATTERN_STEP);
    const size_t last = size - 32;
    hy_pair low = hy__pair(key);
    hy_pair high = low + hy__both(2 * HY_PATTERN_STEP);
    const hy_pair last_low = hy__pair_at(low, last);
    const hy_pair last_high = hy__pair_at(high, last);
    for (size_t i = 0; i < last; i += 32) {
        hy__store_pair(at + i, low);
        hy__store_pair(at + i + 16, high);
        low += step;
        high += step;
    }
    hy__store_pair(at + last, last_low);
    hy__store_pair(at + last + 16, last_high);
}

static inline bool hy__pattern_holds_whole(const unsigned char *at, size_t size, uint64_t key)
{
    if (size < 32) {
        return size < 8 ? hy__pattern_holds_tiny(at, size, key)
                        : hy__pattern_holds_short(at, size, key);
    }
    const hy_pair step = hy__both(4 * HY_PATTERN_STEP);
    const size_t last = size - 32;
    hy_pair low = hy__pair(key);
    hy_pair high = low + hy__both(2 * HY_PATTERN_STEP);
    hy_pair wrong_low = hy__load_pair(at + last) ^ hy__pair_at(low, last);
    hy_pair wrong_high = hy__load_pair(at + last + 16) ^ hy__pair_at(high, last);
    for (size_t i = 0; i < last; i += 32) {
        wrong_low |= hy__load_pair(at + i) ^ low;
        wrong_high |= hy__load_pair(at + i + 16) ^ high;
        low += step;
        high += step;
    }
    const hy_pair wrong = wrong_low | wrong_high;
    return (wrong[0] | wrong[1]) == 0;
}

/* The sampled form, for blocks above HY_PATTERN_WHOLE. `limit`: only the samples that lie whole in
 * the first `limit` bytes count (what a shrinking realloc keeps). */
void hy__pattern_fill_sampled(unsigned char *at, size_t size, uint64_t key);
bool hy__pattern_holds_sampled(const unsigned char *at, size_t size, size_t limit, uint64_t key);

static inline void hy__pattern_fill(unsigned char *at, size_t size, uint64_t key)
{
    if (__builtin_expect(size <= HY_PATTERN_WHOLE, 1)) {
        hy__pattern_fill_whole(at, size, key);
    } else {
        hy__pattern_fill_sampled(at, size, key);
    }
}

/* Whether the first `limit` bytes of a pattern that was laid over `size` bytes are still there. */
static inline bool hy__pattern_holds(const unsigned char *at, size_t size, size_t limit,
                                     uint64_t key)
{
    if (__builtin_expect(size <= HY_PATTERN_WHOLE, 1)) {
        return hy__pattern_holds_whole(at, limit, key);
    }
    return hy__pattern_holds_sampled(at, size, limit, key);
}

/* The offset of the first byte that differs, after `holds` said that one does. */
size_t hy__pattern_first_wrong(const unsigned char *at, size_t size, size_t limit, uint64_t key);

/* Whether all of [at, at + size) is zero; *offset is the first byte that is not. */
bool hy__is_zero(const unsigned char *at, size_t size, size_t *offset);

#endif /* HEAPYARD_TRIAL_PATTERN_H */
