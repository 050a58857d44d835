/*
 * recording.h: the file that `heapyard record` writes, one for each process.
 *
 *     [ header, one page of 4,096 bytes ][ words, 8 bytes each ]
 *
 * All numbers are little-endian. The place of a word in the file is its number: a call takes its
 * words with one atomic addition to `words` in the header, so the order of the file is the order of
 * the calls over all threads:
 *
 *  - free takes its number before the block is freed, what allocates takes it after the block is
 *    there, and realloc takes one before and one after. So, read in order, no address is handed out
 *    twice while it is live.
 *  - A call that never wrote its words (the process was killed right there) leaves zeros, which
 *    readers skip. Words are written last to first: a first word that is there has all others.
 *
 * A call is one first word and, right after it, its arguments:
 *
 *     first word      [ address, 48 bits ][ thread, 12 bits ][ kind, 4 bits ]
 *     argument        [        value, 60 bits               ][ HY_WORD_ARGUMENT, 4 bits ]
 *
 * The address is what the call answered (0: it failed) or, for free and the start of a realloc,
 * what it was given. Values above 2^60 - 1 are kept as 2^60 - 1. Threads are numbered from 1 in the
 * order of their first calls; all from the 4,095th on share that number.
 *
 * `words` may be more than the file holds: where there was no more room for the file, recording
 * stopped, and HY_RECORDING_FULL is set.
 */
#ifndef HEAPYARD_RECORDING_H
#define HEAPYARD_RECORDING_H

#include <stdint.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

#define HY_RECORDING_MAGIC   "HYREC1\0" /* with its final zero: 8 bytes */
#define HY_RECORDING_VERSION 1u
#define HY_RECORDING_HEADER  4096u
#define HY_RECORDING_FULL    1u /* flag: there was no room for the last calls */

typedef struct hy_recording_header {
    char magic[8];
    uint32_t version;
    uint32_t flags;
    uint64_t words;       /* taken so far */
    uint64_t run;         /* the same for all processes of one `heapyard record` */
    uint32_t process;     /* its id */
    uint32_t parent;      /* the id of its parent */
    uint64_t nanoseconds; /* since 1970, when it began */
    uint64_t reserved[10];
    uint32_t command_size;
    char command[HY_RECORDING_HEADER - 132]; /* arguments, each ended by a zero; may be cut short */
} hy_recording_header;

#define HY_WORD_KIND_BITS    4u
#define HY_WORD_THREAD_BITS  12u
#define HY_WORD_ADDRESS_BITS 48u
#define HY_WORD_MOST         ((UINT64_C(1) << 60) - 1) /* of a value */

#ifndef __cplusplus
_Static_assert(sizeof(hy_recording_header) == HY_RECORDING_HEADER, "the header fills its page");
_Static_assert(HY_WORD_KIND_BITS + HY_WORD_THREAD_BITS + HY_WORD_ADDRESS_BITS == 64,
               "a word has no padding");
#endif

/*
 * The kinds of first words: X(value, enumerator, name, number of arguments). Values are part of the
 * format and never change.
 *
 *  calloc            count, size of one
 *  realloc_start     the block given; a realloc of NULL has no start
 *  realloc           size, distance: how many words ago its start was; 0: it was given NULL
 *  reallocarray      count, size of one, distance
 *  aligned_alloc, posix_memalign, memalign    alignment, size
 *  malloc, valloc, pvalloc                    size
 */
#define HY_RECORDING_KINDS(X)                                                                      \
    X(0, NOTHING, nothing, 0)                                                                      \
    X(1, ARGUMENT, argument, 0)                                                                    \
    X(2, MALLOC, malloc, 1)                                                                        \
    X(3, CALLOC, calloc, 2)                                                                        \
    X(4, REALLOC_START, realloc_start, 0)                                                          \
    X(5, REALLOC, realloc, 2)                                                                      \
    X(6, REALLOCARRAY, reallocarray, 3)                                                            \
    X(7, FREE, free, 0)                                                                            \
    X(8, ALIGNED_ALLOC, aligned_alloc, 2)                                                          \
    X(9, POSIX_MEMALIGN, posix_memalign, 2)                                                        \
    X(10, MEMALIGN, memalign, 2)                                                                   \
    X(11, VALLOC, valloc, 1)                                                                       \
    X(12, PVALLOC, pvalloc, 1)

typedef enum hy_recording_kind {
#define HY__WORD_ENUM(value, name, text, arguments) HY_WORD_##name = (value),
    HY_RECORDING_KINDS(HY__WORD_ENUM)
#undef HY__WORD_ENUM
        HY_WORD_COUNT
} hy_recording_kind;

HY_END_DECLS

#endif /* HEAPYARD_RECORDING_H */
