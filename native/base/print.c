#include "base/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void hy__print_error(const char *format, ...)
{
    const int saved_errno = errno;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0) {
        const size_t used = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        const ssize_t ignored = write(STDERR_FILENO, line, used);
        (void)ignored;
    }
    errno = saved_errno;
}

void hy__print_text(const char *text)
{
    const int saved_errno = errno;
    const ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
    errno = saved_errno;
}
