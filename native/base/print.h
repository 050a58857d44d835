/*
 * print.h: one formatted line to standard error, without allocating.
 */
#ifndef HEAPYARD_BASE_PRINT_H
#define HEAPYARD_BASE_PRINT_H

#include <heapyard/export.h>

/* Formats into a buffer on the stack (512 bytes; longer text is cut) and writes it with write(2),
 * so that it can report from inside an allocator that stands in for malloc. Keeps errno. */
void hy__print_error(const char *format, ...) HY_PRINTF(1, 2);

/* Writes text of any length as it is, likewise. */
void hy__print_text(const char *text);

#endif /* HEAPYARD_BASE_PRINT_H */
