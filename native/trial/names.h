/*
 * names.h: what an op is called, and what it uses: the X-macros of plan.h as tables.
 */
#ifndef HEAPYARD_TRIAL_NAMES_H
#define HEAPYARD_TRIAL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/plan.h>

#include "trial/functions.h"

typedef struct hy_op_facts {
    const char *name;
    uint8_t fields;       /* HY_FIELD_... */
    uint8_t expects;      /* HY_EXPECT_... that it may carry */
    hy_function function; /* that it calls */
} hy_op_facts;

/* By value; a value that no op has is all zero. */
extern const hy_op_facts hy__op_facts[HY_OP_COUNT];

static inline bool hy__op_is_known(unsigned value)
{
    return value < HY_OP_COUNT && hy__op_facts[value].name != NULL;
}

/* The name in JSON of a check's bit, of a measure, and its unit; NULL for any other value. */
const char *hy__check_name(uint32_t bit);
const char *hy__measure_name(uint64_t measure);
const char *hy__measure_unit(uint64_t measure);

#endif /* HEAPYARD_TRIAL_NAMES_H */
