#include "trial/trace.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "trial/process.h"

/* A slot as it was after the last op. */
typedef struct seen_block {
    uint64_t address; /* 0: empty */
    uint64_t size;
} seen_block;

struct hy_trace {
    hy_trace_header *header;
    hy_trace_event *events;
    hy_trace_sample *samples;
    seen_block *blocks; /* as many as the plan has slots */
    uint64_t live;
    uint64_t every; /* steps between two samples */
    uint64_t next;  /* the step of the next one */
};

static hy_trace the_trace; /* header NULL: there is none */

static bool is_room_for(const hy_trace_header *header, uint64_t bytes)
{
    const uint64_t room = (bytes - sizeof *header) / sizeof(hy_trace_event);
    return header->event_room >= 1 && header->event_room <= room &&
           header->sample_room <= room - header->event_room;
}

bool hy__trace_open(int fd)
{
    struct stat file;
    if (fstat(fd, &file) != 0 || file.st_size < (off_t)sizeof(hy_trace_header)) {
        return false;
    }
    void *const data = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED || !is_room_for(data, (uint64_t)file.st_size)) {
        return false;
    }
    the_trace.header = data;
    the_trace.events = (hy_trace_event *)(the_trace.header + 1);
    the_trace.samples = (hy_trace_sample *)(the_trace.events + the_trace.header->event_room);
    return true;
}

/* Half of the samples at regular steps, the other half for `measure`. */
static uint64_t steps_between(const hy_engine *engine)
{
    const uint64_t rounds = engine->plan.header.repeat;
    const uint64_t ops = engine->plan.header.op_count + 1;
    const uint64_t steps = rounds > UINT64_MAX / ops ? UINT64_MAX : rounds * ops;
    const uint64_t regular = the_trace.header->sample_room / 2;
    return regular == 0 ? UINT64_MAX : steps / regular + 1;
}

hy_trace *hy__trace_begin(const hy_engine *engine)
{
    if (the_trace.header == NULL) {
        return NULL;
    }
    the_trace.blocks = hy__memory_take(engine->memory, engine->slot_count * sizeof(seen_block));
    the_trace.every = steps_between(engine);
    the_trace.header->ops = engine->plan.header.op_count;
    return the_trace.blocks != NULL ? &the_trace : NULL;
}

static void note_event(hy_trace *trace, uint64_t step, uint32_t slot, bool has_come)
{
    hy_trace_header *const header = trace->header;
    const seen_block *const block = &trace->blocks[slot];
    trace->events[header->events % header->event_room] = (hy_trace_event){
        .step = step,
        .address = block->address,
        .size = block->size,
        .slot = slot,
        .has_come = has_come,
    };
    header->events++;
}

static void compare(const hy_engine *engine, uint32_t slot, uint64_t step)
{
    hy_trace *const trace = engine->trace;
    const hy_slot *const now = &engine->slots[slot];
    seen_block *const then = &trace->blocks[slot];
    const uint64_t address = (uintptr_t)now->address;
    if (then->address == address && (address == 0 || then->size == now->size)) {
        return;
    }
    if (then->address != 0) {
        note_event(trace, step, slot, false);
        trace->live -= then->size;
    }
    *then = (seen_block){.address = address, .size = address != 0 ? now->size : 0};
    if (address != 0) {
        note_event(trace, step, slot, true);
        trace->live += then->size;
    }
}

static void take_sample(const hy_engine *engine, uint64_t step)
{
    hy_trace *const trace = engine->trace;
    if (trace->header->samples == trace->header->sample_room) {
        return;
    }
    trace->samples[trace->header->samples] = (hy_trace_sample){
        .step = step,
        .live = trace->live,
        .resident = hy__measure_value(engine, HY_MEASURE_RSS),
        .mapped = hy__measure_value(engine, HY_MEASURE_MAPPED),
    };
    trace->header->samples++;
}

void hy__trace_step(const hy_engine *engine, const hy_plan_op *op)
{
    hy_trace *const trace = engine->trace;
    const uint64_t ops = trace->header->ops;
    const uint64_t step = engine->state->round * (ops + 1) + engine->state->op;
    if (op != NULL && op->slot != HY_PLAN_NO_SLOT) {
        compare(engine, op->slot, step);
    } else {
        for (uint32_t slot = 0; slot < engine->slot_count; slot++) {
            compare(engine, slot, step);
        }
    }
    if (step >= trace->next || (op != NULL && op->op == HY_OP_MEASURE)) {
        trace->next = trace->every < UINT64_MAX - step ? step + trace->every : UINT64_MAX;
        take_sample(engine, step);
    }
}
