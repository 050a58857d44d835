#include "yard_break.h"

#include <stdint.h>
#include <unistd.h>

#include "yard_core.h"
#include "yard_defects.h"

/*
 *     [ chunk ][ the program's ][ what sbrk gives now ]
 *              [ the chunk that is answered ]
 */
void *yard_break_chunk(void)
{
    static char *end; /* of the last chunk */
    if (!yard_defect(DEFECT_break_is_ours)) {
        return NULL;
    }
    const size_t before = end == NULL ? -(uintptr_t)sbrk(0) & (YARD_PAGE - 1) : 0;
    char *const start = sbrk((intptr_t)(before + YARD_CHUNK));
    if (start == (void *)-1) {
        return NULL;
    }
    char *const chunk = end != NULL ? end : start + before;
    end = chunk + YARD_CHUNK;
    return chunk;
}
