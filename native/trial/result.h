/*
 * result.h: an outcome as JSON, schema heapyard.run/1.
 */
#ifndef HEAPYARD_TRIAL_RESULT_H
#define HEAPYARD_TRIAL_RESULT_H

#include "trial/json.h"
#include "trial/outcome.h"

/*
 * {"schema": "heapyard.run/1", "status": "held" | "violation" | "refused",
 *  "op": index | null, "round": n | null, "name": op's name | "end" | null,
 *  "operations": n, "nanoseconds": n, "cpu_nanoseconds": n,
 *  "figures": [{"name", "value", "unit", "op", "round"}], "figures_dropped": n,
 *  violation: "kind", "slot": n | null, "size", "address": "0x..." | null, "expected", "seen",
 *  refused:   "cause": "load" | "symbol" | "plan" | "memory" | "machine", "reason"}
 */
void hy__result_write(hy_json *json, const hy_outcome *outcome);

#endif /* HEAPYARD_TRIAL_RESULT_H */
