/*
 * batch.h: many plans in turn, each in a process of its own, until one fails as it should.
 *
 *     request [ plan ][ plan ][ plan ] ...
 *                |       |       |
 *              fork    fork    fork     each child is the target as it was loaded: no call yet
 *                |       |       '--- fails as wanted: its index is the answer
 *              held    other
 *
 * A fork of this small process takes a tenth of what starting another does, so a failure is
 * shortened that much faster. The forks don't run the handlers of pthread_atfork, which are the
 * target's: a child must see the target untouched, and a broken one must not stop the search.
 */
#ifndef HEAPYARD_TRIAL_BATCH_H
#define HEAPYARD_TRIAL_BATCH_H

#include "trial/json.h"
#include "trial/run.h"

/* Whether these bytes are a request. */
bool hy__batch_is_request(const void *data, size_t size);

/* Runs it, and writes an object of schema heapyard.batch/1: `index` of the first plan that fails as
 * wanted (null: none does), and how many were `tried`. */
void hy__batch_run(const hy_run *run, const void *data, hy_json *json);

#endif /* HEAPYARD_TRIAL_BATCH_H */
