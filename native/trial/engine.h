/*
 * engine.h: runs a decoded plan against a subject and holds every call against a model.
 *
 * The model is an array of slots; each says where its block is, how large, and which pattern is in
 * it. The address index says which bytes belong to a live block. One call of the target goes:
 *
 *     op ---> call the target ---> outcome as expected? aligned? bytes free in the index? mapped?
 *                                          |  yes to all
 *                                  write the pattern, note it in the slot ---> next op
 *
 * The first 'no' ends the run.
 */
#ifndef HEAPYARD_TRIAL_ENGINE_H
#define HEAPYARD_TRIAL_ENGINE_H

#include <heapyard/trial.h>

#include "trial/decode.h"
#include "trial/fuzz.h"
#include "trial/memory.h"
#include "trial/outcome.h"
#include "trial/subject.h"

/* What the program around the engine does for it. All NULL in the library. */
typedef struct hy_host {
    /* Writes the outcome where it is wanted, from any thread; the process may end right after. */
    void (*publish)(void *context, const hy_outcome *outcome);
    void *context;
    /* hy_trial_early_block of a preloaded libheapyard_trial.so. */
    void *(*early_block)(uint32_t number);
} hy_host;

/* Runs it. `memory` is where the model comes from; `state` and `host` are not NULL. A plan with
 * at_exit ends the process: the host publishes its outcome. */
void hy__engine_run(const hy_plan *plan, const hy_subject *subject, hy_memory *memory,
                    hy_trial_state *state, const hy_host *host, hy_outcome *outcome);

/* Draws and runs plans until one does not hold: the outcome's round is its number. */
void hy__engine_fuzz(hy_fuzzer *fuzzer, const hy_subject *subject, hy_memory *memory,
                     hy_trial_state *state, const hy_host *host, hy_outcome *outcome);

#endif /* HEAPYARD_TRIAL_ENGINE_H */
