#include "trial/pattern.h"

#define EDGE ((size_t)64 << 10) /* verified whole at both ends of a sampled block */
#define PAGE ((size_t)4096)

/* Where the last edge starts: a multiple of 8 bytes, so that the stream stays in step. */
static size_t last_edge(size_t size)
{
    return (size - EDGE) & ~(size_t)7;
}

/* The key of the same stream, `offset` bytes further on (a multiple of 8). */
static uint64_t key_at(uint64_t key, size_t offset)
{
    return key + (uint64_t)(offset / 8) * HY_PATTERN_STEP;
}

void hy__pattern_fill_sampled(unsigned char *at, size_t size, uint64_t key)
{
    const size_t last = last_edge(size);
    hy__pattern_fill_whole(at, EDGE, key);
    for (size_t i = EDGE; i < last; i += PAGE) {
        hy__store64(at + i, key_at(key, i));
    }
    hy__pattern_fill_whole(at + last, size - last, key_at(key, last));
}

bool hy__pattern_holds_sampled(const unsigned char *at, size_t size, size_t limit, uint64_t key)
{
    const size_t last = last_edge(size);
    const size_t middle = limit < last ? limit : last;
    uint64_t wrong = 0;
    if (!hy__pattern_holds_whole(at, limit < EDGE ? limit : EDGE, key)) {
        return false;
    }
    for (size_t i = EDGE; i < last && i + 8 <= middle; i += PAGE) {
        wrong |= hy__load64(at + i) ^ key_at(key, i);
    }
    if (limit > last && !hy__pattern_holds_whole(at + last, limit - last, key_at(key, last))) {
        return false;
    }
    return wrong == 0;
}

static bool byte_holds(const unsigned char *at, size_t offset, uint64_t key)
{
    return at[offset] == (unsigned char)hy__pattern_at(key, offset);
}

/* Whether the pattern covers this byte at all. */
static bool is_sampled(size_t offset, size_t size, size_t limit)
{
    if (size <= HY_PATTERN_WHOLE || offset < EDGE || offset >= last_edge(size)) {
        return true;
    }
    const size_t in_page = (offset - EDGE) % PAGE;
    return in_page < 8 && offset - in_page + 8 <= limit;
}

size_t hy__pattern_first_wrong(const unsigned char *at, size_t size, size_t limit, uint64_t key)
{
    for (size_t i = 0; i < limit; i++) {
        if (is_sampled(i, size, limit) && !byte_holds(at, i, key)) {
            return i;
        }
    }
    return limit;
}

/* 64 bytes at a time, then the first byte that is not zero, if there is one. */
bool hy__is_zero(const unsigned char *at, size_t size, size_t *offset)
{
    size_t i = 0;
    while (i + 64 <= size) {
        const hy_pair low = hy__load_pair(at + i) | hy__load_pair(at + i + 16);
        const hy_pair all = low | hy__load_pair(at + i + 32) | hy__load_pair(at + i + 48);
        if ((all[0] | all[1]) != 0) {
            break;
        }
        i += 64;
    }
    while (i + 8 <= size && hy__load64(at + i) == 0) {
        i += 8;
    }
    while (i < size && at[i] == 0) {
        i++;
    }
    *offset = i;
    return i == size;
}
