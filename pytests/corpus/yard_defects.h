/*
 * yard_defects.h: every defect that the corpus allocator can be given.
 *
 * X(name, rule that must catch it, what the rule must see, what goes wrong). "What the rule must
 * see" is the kind of the violation, the signal where the defect is a crash, "memory" where the
 * rule measures and finds too much, "figure" where its first figure is worse than the sound build's by
 * half, or a word of the lowest grade where it grades. The last one names the public bug that the
 * defect models, if there is one. The environment variable HEAPYARD_DEFECT chooses one by name for the life of the process; without it
 * the allocator is sound. A name that is not listed here ends the process with a message, so that
 * a misspelt defect can't pass for a sound build.
 */
#ifndef HEAPYARD_CORPUS_YARD_DEFECTS_H
#define HEAPYARD_CORPUS_YARD_DEFECTS_H

#include <stdbool.h>

#include "defect_lists/alignment.h"
#include "defect_lists/calls.h"
#include "defect_lists/contents.h"
#include "defect_lists/cost.h"
#include "defect_lists/errno.h"
#include "defect_lists/history.h"
#include "defect_lists/life.h"
#include "defect_lists/limits.h"
#include "defect_lists/memory_short.h"
#include "defect_lists/misuse.h"
#include "defect_lists/random.h"
#include "defect_lists/realloc.h"
#include "defect_lists/release.h"
#include "defect_lists/steady.h"
#include "defect_lists/surroundings.h"
#include "defect_lists/swap.h"
#include "defect_lists/threads.h"
#include "defect_lists/zeroing.h"

#define YARD_DEFECTS(X)                                                                            \
    YARD_CALL_DEFECTS(X)                                                                           \
    YARD_ERRNO_DEFECTS(X)                                                                          \
    YARD_ALIGNMENT_DEFECTS(X)                                                                      \
    YARD_LIMIT_DEFECTS(X)                                                                          \
    YARD_REALLOC_DEFECTS(X)                                                                        \
    YARD_ZEROING_DEFECTS(X)                                                                        \
    YARD_CONTENT_DEFECTS(X)                                                                        \
    YARD_THREAD_DEFECTS(X)                                                                         \
    YARD_LIFE_DEFECTS(X)                                                                           \
    YARD_SURROUNDING_DEFECTS(X)                                                                    \
    YARD_HISTORY_DEFECTS(X)                                                                        \
    YARD_RANDOM_DEFECTS(X)                                                                         \
    YARD_MISUSE_DEFECTS(X)                                                                         \
    YARD_SWAP_DEFECTS(X)                                                                           \
    YARD_SHORTAGE_DEFECTS(X)                                                                       \
    YARD_STEADY_DEFECTS(X)                                                                         \
    YARD_COST_DEFECTS(X)                                                                           \
    YARD_RELEASE_DEFECTS(X)

enum yard_defect {
    YARD_SOUND,
#define YARD_DEFECT_ENUM(name, rule, shows, text) DEFECT_##name,
    YARD_DEFECTS(YARD_DEFECT_ENUM)
#undef YARD_DEFECT_ENUM
        YARD_DEFECT_END
};

/* The defect in force; decided at the first call (the environment may not be there before). */
enum yard_defect yard_defect_in_force(void);

static inline bool yard_defect(enum yard_defect defect)
{
    return yard_defect_in_force() == defect;
}

/* The list, for the tests: texts of defect `index` (from 0), NULL past the end. */
__attribute__((visibility("default"))) const char *yard_defect_name(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_rule(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_shows(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_text(unsigned index);

#endif /* HEAPYARD_CORPUS_YARD_DEFECTS_H */
