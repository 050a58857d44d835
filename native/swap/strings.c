/*
 * strings.c: memory that the C library allocates and the program frees, and the other way round.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#include "swap/swap.h"

static const char text[] = "memory crosses between the C library and malloc, and comes back whole";

static void expect_text(const char *given, const char *expected)
{
    hy__swap_expect(given != NULL && strcmp(given, expected) == 0, expected, "%s",
                    given != NULL ? given : "NULL");
}

/* Resized as a program may do with what it owns, then freed. */
static void resize_and_free(char *given, const char *expected)
{
    expect_text(given, expected);
    char *const grown = realloc(given, 3 * strlen(expected) + 100);
    expect_text(grown, expected);
    free(grown);
}

static FILE *scratch_file(const char *line, int lines)
{
    const int fd = memfd_create("heapyard-swap", MFD_CLOEXEC);
    FILE *const file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (file == NULL) {
        hy__swap_refuse("no scratch file");
    }
    for (int i = 0; i < lines; i++) {
        (void)fprintf(file, "%d %s\n", i, line);
    }
    rewind(file);
    return file;
}

static void duplicate(void)
{
    hy__swap_step("free(strdup())");
    free(strdup(text));
    hy__swap_step("realloc(strdup())");
    resize_and_free(strdup(text), text);
    hy__swap_step("free(strndup())");
    resize_and_free(strndup(text, 6), "memory");
    hy__swap_step("free(wcsdup())");
    free(wcsdup(L"wide characters too"));
}

static void name_files(void)
{
    char here[PATH_MAX];
    hy__swap_step("free(getcwd(NULL, 0))");
    resize_and_free(getcwd(NULL, 0), getcwd(here, sizeof here));
    hy__swap_step("free(realpath(\"/\", NULL))");
    resize_and_free(realpath("/", NULL), "/");
    hy__swap_step("free(canonicalize_file_name(\"/usr/..\"))");
    resize_and_free(canonicalize_file_name("/usr/.."), "/");
}

static char *format(const char *how, ...)
{
    char *given = NULL;
    va_list values;
    va_start(values, how);
    const int length = vasprintf(&given, how, values);
    va_end(values);
    return length >= 0 ? given : NULL;
}

static void print(void)
{
    char *given = NULL;
    hy__swap_step("free(asprintf())");
    (void)!asprintf(&given, "%s", text);
    resize_and_free(given, text);
    hy__swap_step("free(vasprintf())");
    resize_and_free(format("%d %s", 7, "lines"), "7 lines");
}

static void list_folder(void)
{
    struct dirent **entries = NULL;
    hy__swap_step("free(scandir())");
    const int count = scandir("/proc/self", &entries, NULL, alphasort);
    hy__swap_expect(count > 0, "the entries of /proc/self", "%d", count);
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
}

static void read_file(void)
{
    hy__swap_step("fopen, fread, fclose");
    FILE *const file = scratch_file(text, 5000);
    char piece[1000];
    size_t all = 0;
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;) {
        all += got;
    }
    hy__swap_expect(all > 5000 * sizeof text, "all lines", "%zu bytes", all);
    (void)fclose(file);
}

void hy__swap_strings(const char *library)
{
    (void)library;
    for (int round = 0; round < 50; round++) {
        duplicate();
        name_files();
        print();
        list_folder();
    }
    read_file();
}

/* ---- what both of them resize ------------------------------------------------------------------ */

static void read_lines(char *line, size_t room, const char *longer)
{
    FILE *const file = scratch_file(longer, 200);
    int count = 0;
    for (ssize_t got; (got = getline(&line, &room, file)) > 0; count++) {
        hy__swap_expect((size_t)got < room && strstr(line, longer) != NULL, "the whole line",
                        "line %d has %zd bytes", count, got);
    }
    hy__swap_expect(count == 200, "200 lines", "%d", count);
    free(line);
    (void)fclose(file);
}

static void read_until_comma(void)
{
    FILE *const file = scratch_file(text, 100);
    char *piece = malloc(2);
    size_t room = 2;
    while (getdelim(&piece, &room, ',', file) > 0) {
    }
    free(piece);
    (void)fclose(file);
}

static void write_stream(void)
{
    char *given = NULL;
    size_t size = 0;
    FILE *const stream = open_memstream(&given, &size);
    hy__swap_expect(stream != NULL, "a stream", "NULL");
    for (int i = 0; i < 20000; i++) {
        (void)fputs("0123456789", stream);
    }
    (void)fclose(stream);
    hy__swap_expect(size == 200000 && memcmp(given + 199990, "0123456789", 10) == 0,
                    "200000 bytes in the stream", "%zu", size);
    free(given);
}

static int by_number(const void *one, const void *other)
{
    const int a = *(const int *)one;
    const int b = *(const int *)other;
    return (a > b) - (a < b);
}

static void sort(void)
{
    enum { COUNT = 100000 };
    int *const numbers = malloc(COUNT * sizeof *numbers);
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = (int)((unsigned)i * 2654435761U % COUNT);
    }
    qsort(numbers, COUNT, sizeof *numbers, by_number);
    for (int i = 1; i < COUNT; i++) {
        hy__swap_expect(numbers[i - 1] <= numbers[i], "numbers in order", "%d before %d",
                        numbers[i - 1], numbers[i]);
    }
    free(numbers);
}

void hy__swap_grown(const char *library)
{
    char longer[4000];
    (void)library;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    hy__swap_step("getline(NULL)");
    read_lines(NULL, 0, text);
    hy__swap_step("getline(a block of the program's)");
    read_lines(malloc(4), 4, text);
    hy__swap_step("getline(a block of the program's), long lines");
    read_lines(malloc(16), 16, longer);
    hy__swap_step("getdelim(a block of the program's)");
    read_until_comma();
    hy__swap_step("free(open_memstream())");
    write_stream();
    hy__swap_step("qsort of 100000 numbers");
    sort();
    hy__swap_step("setenv, unsetenv");
    for (int i = 0; i < 1000; i++) {
        (void)setenv("HEAPYARD_SWAP", i % 2 == 0 ? text : longer, 1);
    }
    (void)unsetenv("HEAPYARD_SWAP");
}
