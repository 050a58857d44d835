/*
 * trace.h: what a run did, call by call, in a file that the parent maps too: for drawings.
 *
 *     [ hy_trace_header, 64 bytes ][ events, 32 bytes each ][ samples, 32 bytes each ]
 *
 * An event is a block that came or went: the slots are compared with a copy of them after each op.
 * The last `event_room` events are kept, in a ring. A sample is taken at regular steps, and after
 * each `measure`, while there is room.
 *
 * The parent writes the two rooms, this side all else, at once: after a crash what is there is what
 * happened. One run of a process is traced, on the thread that runs the plan; the copy of the slots
 * is the engine's own memory, the file is shared memory, so neither counts as the target's.
 */
#ifndef HEAPYARD_TRIAL_TRACE_H
#define HEAPYARD_TRIAL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "trial/model.h"

typedef struct hy_trace_header {
    uint64_t event_room; /* at least 1 */
    uint64_t sample_room;
    uint64_t events; /* noted so far; the one with number n is in place n % event_room */
    uint64_t samples;
    uint64_t ops; /* of a round: the step of an op is round * (ops + 1) + index */
    uint64_t reserved[3];
} hy_trace_header;

typedef struct hy_trace_event {
    uint64_t step;
    uint64_t address;
    uint64_t size;
    uint32_t slot;
    uint32_t has_come; /* 1: the block came, 0: it went */
} hy_trace_event;

typedef struct hy_trace_sample {
    uint64_t step;
    uint64_t live;     /* bytes asked for, over all live blocks */
    uint64_t resident; /* as the measure `rss` */
    uint64_t mapped;   /* as the measure `mapped` */
} hy_trace_sample;

_Static_assert(sizeof(hy_trace_header) == 64, "the events begin at 64");
_Static_assert(sizeof(hy_trace_event) == 32, "an event has no padding");
_Static_assert(sizeof(hy_trace_sample) == 32, "a sample has no padding");

typedef struct hy_trace hy_trace;

/* Maps the file behind `fd`; what runs after this is traced. False: it is no such file. */
bool hy__trace_open(int fd);

/* For a run whose slots are there; NULL where nothing is to be traced, or memory is used up. */
hy_trace *hy__trace_begin(const hy_engine *engine);

/* After an op, whether it went well or not; `op` is NULL at the end of a round, and after a span of
 * ops of another thread, of which only what is left is seen. O(1) for an op with
 * a slot, else O(slots). */
void hy__trace_step(const hy_engine *engine, const hy_plan_op *op);

#endif /* HEAPYARD_TRIAL_TRACE_H */
