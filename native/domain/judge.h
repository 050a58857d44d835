/*
 * judge.h: may this block be freed or resized through these hooks?
 */
#ifndef HEAPYARD_DOMAIN_JUDGE_H
#define HEAPYARD_DOMAIN_JUDGE_H

#include <stdbool.h>

#include "domain/report.h"

/* `record` is what was found under the address `block`. False: it may not, and `finding` says why.
 * With the lock; reads the frames of live blocks only. */
bool hy__judge(const hy__hooks *hooks, const hy__record *record, const void *block,
               hy__finding *finding);

#endif /* HEAPYARD_DOMAIN_JUDGE_H */
