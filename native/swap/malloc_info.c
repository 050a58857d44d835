/*
 * malloc_info.c: what malloc_info writes (malloc_info(3)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swap/swap.h"

static int write_info(int options, char **text)
{
    int (*function)(int, FILE *);
    void *const symbol = hy__swap_own("malloc_info");
    size_t length = 0;
    FILE *const stream = open_memstream(text, &length);
    if (symbol == NULL || stream == NULL) {
        hy__swap_refuse(symbol == NULL ? "it has no malloc_info" : "no stream can be opened");
    }
    memcpy(&function, &symbol, sizeof function);
    const int code = function(options, stream);
    (void)fclose(stream);
    return code;
}

static bool is_document(const char *text)
{
    const char *const end = strstr(text, "</malloc>");
    return strncmp(text, "<malloc", strlen("<malloc")) == 0 && end != NULL &&
           end[strlen("</malloc>") + strspn(end + strlen("</malloc>"), "\n")] == '\0';
}

void hy__swap_info(const char *library)
{
    char *text = NULL;
    (void)library;
    hy__swap_step("malloc_info(0, stream)");
    const int code = write_info(0, &text);
    hy__swap_expect(code == 0, "0", "%d", code);
    hy__swap_expect(is_document(text), "one element <malloc>", "%.40s", text);
    free(text);
    hy__swap_step("malloc_info(1, stream)");
    hy__swap_expect(write_info(1, &text) != 0, "options other than 0 refused", "0");
    free(text);
}
