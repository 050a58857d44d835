/*
 * yard_guard.c: the map of live blocks, and the seals.
 */
#include "yard_guard.h"

#include <string.h>
#include <sys/mman.h>

#include "yard_statistics.h"

#define ADDRESS_BITS 47
#define LEAF_BITS    24 /* of address: 16 MiB, in a leaf of 256 KiB */
#define UNIT_BITS    3
#define LEAVES       ((size_t)1 << (ADDRESS_BITS - LEAF_BITS))
#define LEAF_BYTES   ((size_t)1 << (LEAF_BITS - UNIT_BITS - 3))
#define SECRET       UINT64_C(0x9e3779b97f4a7c15)
#define FAR          ((size_t)64 << 10)

static uint8_t *leaves[LEAVES]; /* never written: costs address space only */

static uint8_t *spare; /* a leaf in reserve */

static uint8_t *fresh_leaf(void)
{
    uint8_t *leaf =
        mmap(NULL, LEAF_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return leaf == MAP_FAILED ? NULL : leaf;
}

bool yard_guard_reserve(void)
{
    uint8_t *none = NULL;
    if (__atomic_load_n(&spare, __ATOMIC_ACQUIRE) != NULL) {
        return true;
    }
    uint8_t *fresh = fresh_leaf();
    if (fresh != NULL && !__atomic_compare_exchange_n(&spare, &none, fresh, false, __ATOMIC_ACQ_REL,
                                                      __ATOMIC_ACQUIRE)) {
        (void)munmap(fresh, LEAF_BYTES); /* another thread was first */
    }
    return fresh != NULL;
}

static uint8_t *map_leaf(uint8_t **place)
{
    uint8_t *fresh = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQ_REL);
    uint8_t *none = NULL;
    if (fresh == NULL) {
        fresh = fresh_leaf();
    }
    if (fresh == NULL) {
        return NULL;
    }
    if (!__atomic_compare_exchange_n(place, &none, fresh, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        (void)munmap(fresh, LEAF_BYTES); /* another thread was first */
        return none;
    }
    return fresh;
}

/* The byte with the bit of an address; NULL where no block ever was, or can be. */
static uint8_t *byte_of(uintptr_t address, bool makes)
{
    if (address >> ADDRESS_BITS != 0 || address % 8 != 0) {
        return NULL;
    }
    uint8_t **place = &leaves[address >> LEAF_BITS];
    uint8_t *leaf = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (leaf == NULL) {
        leaf = makes ? map_leaf(place) : NULL;
    }
    const size_t unit = (address >> UNIT_BITS) & (LEAF_BYTES * 8 - 1);
    return leaf != NULL ? leaf + unit / 8 : NULL;
}

static uint8_t bit_of(uintptr_t address)
{
    return (uint8_t)(1U << ((address >> UNIT_BITS) % 8));
}

bool yard_guard_add(void *block)
{
    uint8_t *byte = byte_of((uintptr_t)block, true);
    if (byte == NULL) {
        return false;
    }
    yard_seal_header(block);
    const uint8_t bit = bit_of((uintptr_t)block);
    if ((__atomic_fetch_or(byte, bit, __ATOMIC_RELEASE) & bit) == 0) {
        yard_count_live(block);
    }
    return true;
}

bool yard_guard_remove(const void *block)
{
    uint8_t *byte = byte_of((uintptr_t)block, false);
    const uint8_t bit = bit_of((uintptr_t)block);
    const bool held =
        byte != NULL && (__atomic_fetch_and(byte, (uint8_t)~bit, __ATOMIC_ACQ_REL) & bit) != 0;
    if (held) {
        yard_count_dead(block);
    }
    return held;
}

bool yard_guard_holds(const void *address)
{
    const uint8_t *byte = byte_of((uintptr_t)address, false);
    return byte != NULL &&
           (__atomic_load_n(byte, __ATOMIC_ACQUIRE) & bit_of((uintptr_t)address)) != 0;
}

void *yard_guard_below(const void *address)
{
    const uintptr_t first = (uintptr_t)address & ~(uintptr_t)7;
    for (uintptr_t at = first; at + FAR > first && at >= 8; at -= 8) {
        if (yard_guard_holds((void *)at)) {
            return (void *)at;
        }
    }
    return NULL;
}

/* ---- seals -------------------------------------------------------------------------------- */

static uint16_t header_seal(const void *block)
{
    yard_header header = *yard_header_of(block);
    uint64_t words[2];
    header.seal = 0;
    memcpy(words, &header, sizeof words);
    const uint64_t mixed = ((words[0] ^ (uintptr_t)block) * SECRET ^ words[1]) * SECRET;
    return (uint16_t)(mixed >> 48);
}

bool yard_header_is_whole(const void *block)
{
    return yard_header_of(block)->seal == header_seal(block);
}

void yard_seal_header(void *block)
{
    yard_header_of(block)->seal = header_seal(block);
}

static uintptr_t link_seal(const yard_free_block *block)
{
    return ((uintptr_t)block->next ^ (uintptr_t)block) * SECRET + 1;
}

bool yard_link_is_whole(const yard_free_block *block)
{
    return block->seal == link_seal(block);
}

void yard_set_link(yard_free_block *block, yard_free_block *next)
{
    block->next = next;
    block->seal = link_seal(block);
}
