/*
 * options.h: the runner's command line.
 */
#ifndef HEAPYARD_TRIAL_OPTIONS_H
#define HEAPYARD_TRIAL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "trial/load.h"

typedef struct hy_options {
    hy_load_request target;
    const char *plan; /* NULL: --capabilities, or a benchmark's generated plan */
    hy_trial_bench bench;
    bool is_bench;
    int result_fd;
    int state_fd; /* -1: none */
    int trace_fd; /* -1: none */
    uint64_t address_space;
} hy_options;

/* False: it says on standard error what is wrong; the exit code is then 2. */
bool hy__options_read(int count, char *const *arguments, hy_options *options);

#endif /* HEAPYARD_TRIAL_OPTIONS_H */
