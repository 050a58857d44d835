/*
 * cost.h: what one call of an entry point costs, in instructions or on the clock.
 *
 *     engine ---> counted table ---> trap flag on ---> target's malloc ---> trap flag off ---> ...
 *                                                      one SIGTRAP an instruction: count it
 *
 * Instructions are counted exactly, with no counter of the processor's: the same call on the same
 * heap costs the same on an idle machine and on a busy one, under a hypervisor too. It takes some
 * microseconds an instruction, so a plan counts some hundred calls, not all. Where calls are not
 * counted the engine uses the plain table, and pays nothing for this.
 *
 * One engine, one thread at a time.
 */
#ifndef HEAPYARD_TRIAL_COST_H
#define HEAPYARD_TRIAL_COST_H

#include "trial/model.h"

#define HY_COST_SAMPLES   4096u
#define HY_COST_CALL_MOST 25000u /* instructions of one call that are counted */
#define HY_COST_MOST      75000u /* of all: then calls are no samples any more */

/* From now on each call is a sample; the old ones are dropped. NULL, or why this machine can't. */
const char *hy__cost_begin(hy_engine *engine, bool by_instructions);
void hy__cost_end(hy_engine *engine);

/* The least number that `percent` of the samples do not exceed; 0 without samples. */
uint64_t hy__cost_at(unsigned percent);

#endif /* HEAPYARD_TRIAL_COST_H */
