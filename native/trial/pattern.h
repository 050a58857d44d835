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

/*
 * Every byte of [at, at + size). Whole pairs of words in a loop, then the end as two words that may
 * overlap what is already there: no branch depends on size % 16.
 */
static inline void hy__pattern_fill_whole(unsigned char *at, size_t size, uint64_t key)
{
    if (size < 8) {
        hy__pattern_fill_tiny(at, size, key);
        return;
    }
    hy_pair pair = {key, key + HY_PATTERN_STEP};
    const hy_pair step = {2 * HY_PATTERN_STEP, 2 * HY_PATTERN_STEP};
    const size_t head = size < 16 ? 0 : size - 16;
    for (size_t i = 0; i < head; i += 16) {
        memcpy(at + i, &pair, sizeof pair);
        pair += step;
    }
    hy__store64(at + head, hy__pattern_at(key, head));
    hy__store64(at + size - 8, hy__pattern_at(key, size - 8));
}

static inline bool hy__pattern_holds_whole(const unsigned char *at, size_t size, uint64_t key)
{
    if (size < 8) {
        return hy__pattern_holds_tiny(at, size, key);
    }
    hy_pair pair = {key, key + HY_PATTERN_STEP};
    hy_pair wrong = {0, 0};
    const hy_pair step = {2 * HY_PATTERN_STEP, 2 * HY_PATTERN_STEP};
    const size_t head = size < 16 ? 0 : size - 16;
    for (size_t i = 0; i < head; i += 16) {
        hy_pair seen;
        memcpy(&seen, at + i, sizeof seen);
        wrong |= seen ^ pair;
        pair += step;
    }
    const uint64_t end = (hy__load64(at + head) ^ hy__pattern_at(key, head)) |
                         (hy__load64(at + size - 8) ^ hy__pattern_at(key, size - 8));
    return (wrong[0] | wrong[1] | end) == 0;
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
