/*
 * misuse.h (internal): how an allocator reports misuse through the public door.
 */
#ifndef HEAPYARD_BASE_MISUSE_H
#define HEAPYARD_BASE_MISUSE_H

#include <heapyard/misuse.h>

/* Calls the handler in force. Returns if that handler returns: the caller then leaves its
 * structure as it was. `detail` may be NULL. */
void hy__misuse(hy_misuse_kind kind, const char *part, const void *address, const char *detail);

/* The same with lines of a dump (NULL: none), printed after the line by the default handler. */
void hy__misuse_shown(hy_misuse_kind kind, const char *part, const void *address,
                      const char *detail, const char *dump);

#endif /* HEAPYARD_BASE_MISUSE_H */
