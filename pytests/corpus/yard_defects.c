/*
 * yard_defects.c: which defect is in force, and the list for the tests.
 */
#include "yard_defects.h"

#include <string.h>
#include <unistd.h>

typedef struct defect_entry {
    const char *name;
    const char *rule;
    const char *shows;
    const char *text;
} defect_entry;

static const defect_entry entries[] = {
#define YARD_DEFECT_ENTRY(name, rule, shows, text) {#name, rule, shows, text},
    YARD_DEFECTS(YARD_DEFECT_ENTRY)
#undef YARD_DEFECT_ENTRY
};

enum { ENTRIES = sizeof entries / sizeof entries[0], UNDECIDED = -1 };

_Static_assert(ENTRIES + 1 == (int)YARD_DEFECT_END, "one entry for each defect");

static int in_force = UNDECIDED;

const char *yard_defect_name(unsigned index)
{
    return index < ENTRIES ? entries[index].name : NULL;
}

const char *yard_defect_rule(unsigned index)
{
    return index < ENTRIES ? entries[index].rule : NULL;
}

const char *yard_defect_shows(unsigned index)
{
    return index < ENTRIES ? entries[index].shows : NULL;
}

const char *yard_defect_text(unsigned index)
{
    return index < ENTRIES ? entries[index].text : NULL;
}

static const char *chosen_name(void)
{
    static const char key[] = "HEAPYARD_DEFECT=";
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, key, sizeof key - 1) == 0) {
            return *entry + sizeof key - 1;
        }
    }
    return "";
}

_Noreturn static void unknown_defect(void)
{
    static const char message[] = "yard_corpus: HEAPYARD_DEFECT names no defect of this build\n";
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(125);
}

static int decide(void)
{
    const char *name = chosen_name();
    if (*name == '\0') {
        return YARD_SOUND;
    }
    for (int i = 0; i < ENTRIES; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return i + 1;
        }
    }
    unknown_defect();
}

enum yard_defect yard_defect_in_force(void)
{
    int defect = __atomic_load_n(&in_force, __ATOMIC_RELAXED);
    if (defect == UNDECIDED) {
        if (environ == NULL) { /* the loader's own calls, before libc has set itself up */
            return YARD_SOUND;
        }
        defect = decide();
        __atomic_store_n(&in_force, defect, __ATOMIC_RELAXED);
    }
    return (enum yard_defect)defect;
}
