/*
 * yard_statistics.h: what the corpus allocator tells of itself: mallinfo, mallinfo2, malloc_info.
 *
 * Bytes are counted where they change hands: a block's capacity when the map of live blocks learns of
 * it or forgets it (yard_guard.h), pages where they are mapped and unmapped (yard_system.h). Atomic,
 * since threads free without the lock.
 */
#ifndef HEAPYARD_CORPUS_YARD_STATISTICS_H
#define HEAPYARD_CORPUS_YARD_STATISTICS_H

#include <stddef.h>

/* A block, whose header is whole, is live from now on; or is none any more. */
void yard_count_live(const void *block);
void yard_count_dead(const void *block);

/* Pages came from the system, or went back. */
void yard_count_mapped(size_t length);
void yard_count_unmapped(size_t length);

#endif /* HEAPYARD_CORPUS_YARD_STATISTICS_H */
