/*
 * replay.h: runs a part of a tape on an allocator, as fast as calls through pointers go.
 *
 * Nothing is verified. Each block gets 8 bytes at its start (fewer where it is smaller); in mixed
 * parts, which come from real programs, also one byte in each page, since programs write their
 * memory, and resident memory would be a fiction otherwise.
 *
 * What an allocator lacks is done as a program without it would do it: calloc by malloc and memset,
 * realloc by malloc, memcpy and free, an alignment by asking for that much more.
 */
#ifndef HEAPYARD_TRIAL_REPLAY_H
#define HEAPYARD_TRIAL_REPLAY_H

#include "trial/subject.h"
#include "trial/tape.h"

typedef struct hy_replay {
    const hy_tape *tape;
    const hy_subject *subject;
    void *handle;
    void **slots;  /* as many as the tape has */
    bool is_sized; /* free with the size: the subject has free_sized */
} hy_replay;

/* False: the allocator returned NULL. */
bool hy__replay(const hy_replay *replay, const hy_tape_part *part);

#endif /* HEAPYARD_TRIAL_REPLAY_H */
