/*
 * misuse.c: the one door for misuse, and its default handler.
 */
#include "base/misuse.h"

#include <stdlib.h>

#include "base/print.h"

static const char *const misuse_texts[] = {
#define HY_MISUSE_TEXT(name, text) [HY_MISUSE_##name] = (text),
    HY_MISUSE_KINDS(HY_MISUSE_TEXT)
#undef HY_MISUSE_TEXT
};

static hy_misuse_handler *current_handler;
static void *current_context;

const char *hy_misuse_text(hy_misuse_kind kind)
{
    if ((unsigned)kind >= (unsigned)HY_MISUSE_KIND_COUNT) {
        return "unknown misuse";
    }
    return misuse_texts[kind];
}

static void print_and_abort(const hy_misuse *misuse)
{
    const char *detail = misuse->detail != NULL ? misuse->detail : "";
    const char *space = misuse->detail != NULL ? " " : "";
    hy__print_error("heapyard: %s: %s of %p%s%s\n", misuse->part, hy_misuse_text(misuse->kind),
                    misuse->address, space, detail);
    if (misuse->dump != NULL) {
        hy__print_text(misuse->dump);
    }
    abort();
}

void hy_misuse_set_handler(hy_misuse_handler *handler, void *context,
                           hy_misuse_handler **old_handler, void **old_context)
{
    if (old_handler != NULL) {
        *old_handler = current_handler;
    }
    if (old_context != NULL) {
        *old_context = current_context;
    }
    current_handler = handler;
    current_context = handler != NULL ? context : NULL;
}

void hy__misuse(hy_misuse_kind kind, const char *part, const void *address, const char *detail)
{
    hy__misuse_shown(kind, part, address, detail, NULL);
}

void hy__misuse_shown(hy_misuse_kind kind, const char *part, const void *address,
                      const char *detail, const char *dump)
{
    const hy_misuse misuse = {
        .kind = kind, .part = part, .detail = detail, .address = address, .dump = dump};
    if (current_handler == NULL) {
        print_and_abort(&misuse);
    }
    current_handler(current_context, &misuse);
}
