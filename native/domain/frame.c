#include "domain/frame.h"

#include <string.h>

#include <heapyard/debug.h>

#include "base/bits.h"
#include "domain/hooks.h"

static const char ids[HY_DOMAIN_COUNT] = {
    [HY_DOMAIN_RAW] = 'r', [HY_DOMAIN_MEM] = 'm', [HY_DOMAIN_OBJ] = 'o'};

size_t hy__frame_front(size_t guard)
{
    return sizeof(hy__frame_header) + guard;
}

size_t hy__frame_whole(size_t guard, size_t capacity)
{
    return hy__frame_front(guard) + capacity + guard;
}

bool hy__frame_fits(size_t guard, size_t size)
{
    return size <= PTRDIFF_MAX - hy__frame_whole(guard, 0);
}

void *hy__frame_raw(const hy__record *record)
{
    return record->block - hy__frame_front(record->hooks->guard);
}

static hy__frame_header header_of(const hy__record *record)
{
    const uint64_t id = (unsigned char)ids[record->hooks->domain];
    return (hy__frame_header){.size = record->size, .tag = record->serial << 8 | id};
}

void hy__frame_write(const hy__record *record)
{
    const size_t guard = record->hooks->guard;
    const hy__frame_header header = header_of(record);
    unsigned char *const end = record->block + record->size;
    memcpy(hy__frame_raw(record), &header, sizeof header);
    memset(record->block - guard, HY_DEBUG_GUARD_BYTE, guard);
    memset(end, HY_DEBUG_GUARD_BYTE, guard);
    memset(end + guard, HY_DEBUG_DEAD_BYTE, record->capacity - record->size);
}

void hy__frame_fill(unsigned char *bytes, unsigned char byte, size_t size)
{
    const size_t end = HY_DEBUG_MAX_FILL / 2;
    if (size <= HY_DEBUG_MAX_FILL) {
        memset(bytes, byte, size);
        return;
    }
    memset(bytes, byte, end);
    memset(bytes + size - end, byte, end);
}

/* The first of `size` bytes that is not `byte`; `size` where all are. */
static size_t first_other(const unsigned char *bytes, unsigned char byte, size_t size)
{
    if (size == 0 || (bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0)) {
        return size;
    }
    size_t i = 0;
    while (bytes[i] == byte) {
        i++;
    }
    return i;
}

/* The nearest wrong byte before the block: found from its start downwards. */
static bool find_underflow(const hy__record *record, hy__damage *damage)
{
    const size_t guard = record->hooks->guard;
    const hy__frame_header header = header_of(record);
    unsigned char expected[sizeof header];
    memcpy(expected, &header, sizeof header);
    const unsigned char *const raw = hy__frame_raw(record);
    for (size_t i = hy__frame_front(guard); i-- > 0;) {
        if (raw[i] != (i < sizeof header ? expected[i] : HY_DEBUG_GUARD_BYTE)) {
            *damage =
                (hy__damage){.kind = HY_MISUSE_UNDERFLOW, .offset = (raw + i) - record->block};
            return true;
        }
    }
    return false;
}

static bool find_overflow(const hy__record *record, hy__damage *damage)
{
    const size_t guard = record->hooks->guard;
    const unsigned char *const end = record->block + record->size;
    const size_t dead = record->capacity - record->size;
    size_t wrong = first_other(end, HY_DEBUG_GUARD_BYTE, guard);
    if (wrong == guard) {
        wrong += first_other(end + guard, HY_DEBUG_DEAD_BYTE, dead);
    }
    *damage = (hy__damage){.kind = HY_MISUSE_OVERFLOW, .offset = (end + wrong) - record->block};
    return wrong != guard + dead;
}

bool hy__frame_find_damage(const hy__record *record, hy__damage *damage)
{
    return find_underflow(record, damage) || find_overflow(record, damage);
}

bool hy__frame_find_late_write(const hy__record *record, hy__damage *damage)
{
    const size_t wrong = first_other(record->block, HY_DEBUG_DEAD_BYTE, record->size);
    bool found = wrong != record->size;
    damage->offset = (ptrdiff_t)wrong;
    if (!found) {
        found = hy__frame_find_damage(record, damage);
    }
    damage->kind = HY_MISUSE_WRITE_AFTER_FREE;
    return found;
}
