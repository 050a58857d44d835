/*
 * load.h: finds the entry points of the allocator that the command line names.
 */
#ifndef HEAPYARD_TRIAL_LOAD_H
#define HEAPYARD_TRIAL_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "trial/subject.h"

typedef enum hy_load_mode {
    HY_LOAD_BUILTIN,  /* the libc of this program */
    HY_LOAD_LIBRARY,  /* dlopen: its table, or its symbols by name */
    HY_LOAD_PRELOADED /* it is in this process already: its symbols by name */
} hy_load_mode;

typedef struct hy_load_request {
    hy_load_mode mode;
    const char *library; /* path; may be NULL for HY_LOAD_PRELOADED: any that is not the libc */
    const char *prefix;  /* "": none */
} hy_load_request;

typedef struct hy_loaded {
    hy_subject subject;
    struct hy_trial_functions functions; /* the subject's handle, where there is no table */
    bool has_table;
    char path[4096]; /* of the file that it came from */
    char name[256];
} hy_loaded;

/* Fills *loaded, which must stay where it is while the subject is used. False: *reason says why. */
bool hy__load(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason);

/* hy_trial_early_block of a libheapyard_trial.so in this process, if its malloc is the target's;
 * NULL: there is none. */
typedef void *hy_early_function(uint32_t number);
hy_early_function *hy__load_early(const hy_loaded *loaded);

/* The parts: each of a file of its own. */
void hy__load_builtin_name(hy_loaded *loaded); /* and the path */
bool hy__load_library(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason);
bool hy__load_preloaded(const hy_load_request *request, hy_loaded *loaded, hy_reason *reason);

#endif /* HEAPYARD_TRIAL_LOAD_H */
