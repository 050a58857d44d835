/*
 * functions.h: the entry points of a target as numbers, so that sets of them are bit masks.
 */
#ifndef HEAPYARD_TRIAL_FUNCTIONS_H
#define HEAPYARD_TRIAL_FUNCTIONS_H

#include <stdint.h>

#include <heapyard/target.h>

typedef enum hy_function {
#define HY__FUNCTION_ENUM(name) HY_FUNCTION_##name,
    HEAPYARD_TARGET_FUNCTIONS(HY__FUNCTION_ENUM)
#undef HY__FUNCTION_ENUM
        HY_FUNCTION_COUNT,
    HY_FUNCTION_none = HY_FUNCTION_COUNT
} hy_function;

/* "malloc", ...; NULL for any other value. */
const char *hy__function_name(unsigned function);

/* The entry points that a table has, one bit each: 1 << HY_FUNCTION_... */
uint32_t hy__functions_of(const struct heapyard_target *target);

#endif /* HEAPYARD_TRIAL_FUNCTIONS_H */
