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
#include "trial/memory.h"
#include "trial/outcome.h"
#include "trial/subject.h"

/* Runs it. `memory` is where the model comes from; `state` is not NULL. */
void hy__engine_run(const hy_plan *plan, const hy_subject *subject, hy_memory *memory,
                    hy_trial_state *state, hy_outcome *outcome);

#endif /* HEAPYARD_TRIAL_ENGINE_H */
