/*
 * bench.h: one benchmark from end to end: tape, replay, clock, memory, JSON.
 *
 *     read memory -> open -> [ part | clock stands: read memory | part | ... ] x n -> free the rest
 *                 -> read memory -> trim -> read memory -> close
 */
#ifndef HEAPYARD_TRIAL_BENCH_H
#define HEAPYARD_TRIAL_BENCH_H

#include <heapyard/trial.h>

#include "trial/json.h"
#include "trial/subject.h"

/* Runs it and writes the result. `plan` is NULL but for HY_BENCH_PLAN. */
void hy__bench(const hy_trial_bench *request, const void *plan, size_t plan_size,
               const hy_subject *subject, hy_json *json);

/* The result of one that could not begin. */
void hy__bench_refused(const hy_reason *reason, hy_json *json);

#endif /* HEAPYARD_TRIAL_BENCH_H */
