/*
 * swap.h: heapyard-swap, an ordinary program whose malloc may have been replaced.
 *
 *     LD_PRELOAD=./libmine.so heapyard-swap strings 3      writes one JSON object to descriptor 3
 *
 * It does what programs do with memory that crosses between the C library and malloc, one step
 * after the other, and verifies what comes of each. Where a step ends the process, the object that
 * was written before it tells which one it was:
 *
 *     {"schema": "heapyard.swap/1", "status": "running", "operation": "free(strdup())"}
 *     {..., "status": "violation", "operation": ..., "expected": ..., "seen": ...}
 *     {..., "status": "held" }        {..., "status": "refused", "reason": ...}
 */
#ifndef HEAPYARD_SWAP_SWAP_H
#define HEAPYARD_SWAP_SWAP_H

#include <stdbool.h>
#include <stddef.h>

#include <heapyard/export.h>

/* A step begins. */
void hy__swap_step(const char *name);

/* What was expected of it; false ends the program with a violation that says what was seen. */
void hy__swap_expect(bool holds, const char *expected, const char *seen, ...) HY_PRINTF(3, 4);

/* The program can't ask: ends it. */
_Noreturn void hy__swap_refuse(const char *reason, ...) HY_PRINTF(1, 2);

/* A function of the object that malloc is in; NULL: it has none of that name. The libc's knows nothing
 * of another one's blocks. */
void *hy__swap_own(const char *name);

/* Fills bytes with a pattern that hangs on `number`, and verifies it. */
void hy__swap_fill(void *block, size_t size, unsigned number);
bool hy__swap_is_filled(const void *block, size_t size, unsigned number);

/* The topics. `library`: the path that was given, or NULL. */
void hy__swap_family(const char *library);
void hy__swap_closure(const char *library);
void hy__swap_strings(const char *library);
void hy__swap_grown(const char *library);
void hy__swap_operators(const char *library);
void hy__swap_deletes(const char *library);
void hy__swap_open(const char *library);
void hy__swap_close(const char *library);
void hy__swap_twice(const char *library);
void hy__swap_in_use(const char *library);
void hy__swap_sane(const char *library);
void hy__swap_system(const char *library);
void hy__swap_info(const char *library);
void hy__swap_new_handler(const char *library);

#endif /* HEAPYARD_SWAP_SWAP_H */
