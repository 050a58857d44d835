/*
 * misuse.h: the one door for misuse.
 *
 * Misuse is a call that a correct program never makes: a double free, a free of a pointer that the
 * allocator never gave out, a free with the wrong size, a write past a block that ran over the
 * allocator's own data. Whatever the structure can tell is reported here, before anything is
 * changed. Running out of memory is not misuse: it returns NULL and counts a failure.
 *
 * The default handler prints one line to standard error and aborts:
 *
 *     heapyard: region: double free of 0x7f12a4c01040
 *
 * Where the memory around it was looked at, lines with a hex dump follow, indented. The text of the
 * first line is part of the interface and is tested literally. A program may set a handler of its
 * own; if that handler returns, the call that was misused has no effect.
 *
 * Threads: the handler is one pair (function, context) for the process, replaced atomically only
 * with respect to itself: set it before other threads allocate.
 */
#ifndef HEAPYARD_MISUSE_H
#define HEAPYARD_MISUSE_H

#include <stddef.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

/* Every kind of misuse: X(enumerator, text that the default handler prints). */
#define HY_MISUSE_KINDS(X)                                                                         \
    X(DOUBLE_FREE, "double free")                                                                  \
    X(FOREIGN_POINTER, "foreign pointer")                                                          \
    X(INTERIOR_POINTER, "interior pointer")                                                        \
    X(MISALIGNED_POINTER, "misaligned pointer")                                                    \
    X(UNUSED_POINTER, "pointer into unused memory")                                                \
    X(WRONG_SIZE, "wrong size")                                                                    \
    X(CORRUPTED, "corrupted metadata")                                                             \
    X(WRITE_AFTER_FREE, "write after free")                                                        \
    X(BAD_ARGUMENT, "bad argument")                                                                \
    X(OVERFLOW, "overflow")                                                                        \
    X(UNDERFLOW, "underflow")                                                                      \
    X(WRONG_DOMAIN, "wrong domain")                                                                \
    X(NO_LOCK, "use without the lock")

typedef enum hy_misuse_kind {
#define HY_MISUSE_ENUM(name, text) HY_MISUSE_##name,
    HY_MISUSE_KINDS(HY_MISUSE_ENUM)
#undef HY_MISUSE_ENUM
        HY_MISUSE_KIND_COUNT
} hy_misuse_kind;

/* One report. The struct and its strings are valid during the handler's call only. */
typedef struct hy_misuse {
    hy_misuse_kind kind;
    const char *part;    /* "region", "bump", ... */
    const char *detail;  /* NULL, or one more fact, as "(size 24, block has 32)" */
    const void *address; /* the pointer that was passed, or the first bad word */
    const char *dump;    /* NULL, or lines that show the memory around it */
} hy_misuse;

typedef void hy_misuse_handler(void *context, const hy_misuse *misuse);

/*
 * Replace the handler; NULL restores the default (print and abort). O(1). Writes the old pair
 * through `old_handler` and `old_context` where these are not NULL (NULL, NULL for the default).
 */
HY_API void hy_misuse_set_handler(hy_misuse_handler *handler, void *context,
                                  hy_misuse_handler **old_handler, void **old_context);

/* The text of a kind, as the default handler prints it; "unknown misuse" for any other value. */
HY_API const char *hy_misuse_text(hy_misuse_kind kind);

HY_END_DECLS

#endif /* HEAPYARD_MISUSE_H */
