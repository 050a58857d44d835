#include "trial/names.h"

#include <stddef.h>

#include <heapyard/trial.h>

const hy_op_facts hy__op_facts[HY_OP_COUNT] = {
#define OP_FACTS(value, name, text, fields, expects, entry)                                        \
    [value] = {#text, (fields), (expects), HY_FUNCTION_##entry},
    HY_PLAN_OPS(OP_FACTS)
#undef OP_FACTS
};

const char *hy__check_name(uint32_t bit)
{
    switch (bit) {
#define CHECK_NAME(value, name, text)                                                              \
    case (value):                                                                                  \
        return #text;
        HY_PLAN_CHECKS(CHECK_NAME)
#undef CHECK_NAME
    default:
        return NULL;
    }
}

const char *hy__measure_name(uint64_t measure)
{
    static const char *const names[] = {
#define MEASURE_NAME(value, name, text, unit) [value] = #text,
        HY_PLAN_MEASURES(MEASURE_NAME)
#undef MEASURE_NAME
    };
    return measure < HY_MEASURE_COUNT ? names[measure] : NULL;
}

const char *hy__measure_unit(uint64_t measure)
{
    static const char *const units[] = {
#define MEASURE_UNIT(value, name, text, unit) [value] = #unit,
        HY_PLAN_MEASURES(MEASURE_UNIT)
#undef MEASURE_UNIT
    };
    return measure < HY_MEASURE_COUNT ? units[measure] : NULL;
}

const char *hy__function_name(unsigned function)
{
    static const char *const names[] = {
#define FUNCTION_NAME(name) #name,
        HEAPYARD_TARGET_FUNCTIONS(FUNCTION_NAME)
#undef FUNCTION_NAME
    };
    return function < HY_FUNCTION_COUNT ? names[function] : NULL;
}

uint32_t hy__functions_of(const struct heapyard_target *target)
{
    uint32_t found = 0;
#define HAS_FUNCTION(name) found |= (uint32_t)(target->name != NULL) << HY_FUNCTION_##name;
    HEAPYARD_TARGET_FUNCTIONS(HAS_FUNCTION)
#undef HAS_FUNCTION
    return found;
}

const char *hy_trial_op_name(uint32_t op)
{
    return hy__op_is_known(op) ? hy__op_facts[op].name : NULL;
}

const char *hy_trial_check_name(uint32_t index)
{
    return index < 32 ? hy__check_name(UINT32_C(1) << index) : NULL;
}

const char *hy_trial_measure_name(uint32_t measure)
{
    return hy__measure_name(measure);
}

const char *hy_trial_function_name(uint32_t function)
{
    return hy__function_name(function);
}
