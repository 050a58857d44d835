/*
 * run.h: one run from end to end: decode, model, engine, JSON.
 */
#ifndef HEAPYARD_TRIAL_RUN_H
#define HEAPYARD_TRIAL_RUN_H

#include <heapyard/trial.h>

#include "trial/json.h"
#include "trial/subject.h"

typedef struct hy_run {
    const void *plan;
    size_t plan_size;
    const hy_subject *subject;
    uint64_t address_space; /* bytes that may be mapped from the start of the run; 0: no limit */
    hy_trial_state *state;  /* NULL: nobody watches */
    void (*publish)(hy_json *json); /* writes what is in `json` where it is wanted; NULL: can't */
    void *(*early_block)(uint32_t number); /* see hy_host; NULL: there are none */
} hy_run;

/* Runs it and writes the outcome. Where address_space is set, the process keeps that limit. */
void hy__run(const hy_run *run, hy_json *json);

/* The outcome of a run that could not begin. */
void hy__run_refused(const hy_reason *reason, hy_json *json);

#endif /* HEAPYARD_TRIAL_RUN_H */
