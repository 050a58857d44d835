/*
 * trace.c: heapyard-trace, which turns a recording into a packed plan and says what is in it.
 *
 *     heapyard-trace [--plain] RECORDING [PLAN]
 *
 * One JSON object on standard output says what the recording holds; the packed plan of <heapyard/plan.h>
 * goes into the file PLAN. A child of Python's, so that a damaged file harms nobody. Exit code 0; 2
 * with one line on standard error where the file is no recording, or can't become a plan.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/convert.h"

typedef struct hy_request {
    const char *recording;
    const char *plan; /* NULL: only say what is in it */
    hy_convert_options options;
} hy_request;

typedef struct recording {
    const hy_recording_header *header;
    const uint64_t *words;
    uint64_t count;
} recording;

static int refuse(const char *path, const char *reason)
{
    (void)fprintf(stderr, "%s: %s\n", path, reason);
    return 2;
}

/* The whole file; NULL, with the reason, where it can't be had. */
static const void *map_file(const char *path, size_t *size, const char **trouble)
{
    struct stat status;
    void *data = MAP_FAILED;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        *trouble = strerror(errno);
        return NULL;
    }
    *size = (size_t)status.st_size;
    if (!S_ISREG(status.st_mode)) {
        *trouble = "not a recording: no regular file";
    } else if (*size >= HY_RECORDING_HEADER) {
        data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        *trouble = strerror(errno);
    } else {
        *trouble = "not a recording: it is shorter than the header of one";
    }
    (void)close(fd);
    return data != MAP_FAILED ? data : NULL;
}

static bool open_recording(const char *path, recording *file, const char **trouble)
{
    size_t size;
    const hy_recording_header *const header = map_file(path, &size, trouble);
    if (header == NULL) {
        return false;
    }
    if (memcmp(header->magic, HY_RECORDING_MAGIC, sizeof header->magic) != 0) {
        *trouble = "not a recording: it does not start with HYREC1";
        return false;
    }
    if (header->version != HY_RECORDING_VERSION) {
        *trouble = "a recording of another version: this one reads version 1";
        return false;
    }
    const uint64_t held = (size - HY_RECORDING_HEADER) / sizeof(uint64_t);
    file->header = header;
    file->words = (const uint64_t *)(const void *)((const char *)header + HY_RECORDING_HEADER);
    file->count = header->words < held ? header->words : held;
    return true;
}

/* ---- the plan ---- */

static void *reserve(uint64_t count, size_t size)
{
    void *const memory = mmap(NULL, (size_t)(count + 1) * size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t written = write(fd, at, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_plan(int fd, const hy_converted *converted)
{
    const hy_plan_header header = {.magic = HY_PLAN_MAGIC,
                                   .version = HY_PLAN_VERSION,
                                   .checks = HY_CHECK_DEFAULT,
                                   .slots = converted->slots,
                                   .operand_count = converted->operand_count,
                                   .op_count = converted->op_count,
                                   .repeat = 1,
                                   .flags = HY_PLAN_WEAK_ALIGN};
    return write_all(fd, &header, sizeof header) &&
           write_all(fd, converted->operands, converted->operand_count * sizeof(uint64_t)) &&
           write_all(fd, converted->ops, converted->op_count * sizeof(hy_plan_op));
}

static const char *save_plan(const char *path, const hy_converted *converted)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return strerror(errno);
    }
    const bool written = write_plan(fd, converted);
    const char *const trouble = written ? NULL : strerror(errno);
    return close(fd) == 0 ? trouble : strerror(errno);
}

/* ---- what is in it ---- */

static void print_text(const char *text, size_t size)
{
    (void)putchar('"');
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if (byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\') {
            (void)printf("\\u%04x", byte); /* bytes as Latin-1: Python turns them back */
        } else {
            (void)putchar(byte);
        }
    }
    (void)putchar('"');
}

static void print_calls(const hy_converted *converted)
{
    static const char *const names[] = {
#define NAME(value, name, text, arguments) [value] = #text,
        HY_RECORDING_KINDS(NAME)
#undef NAME
    };
    const char *separator = "";
    (void)printf("\"calls\":{");
    for (unsigned kind = HY_WORD_MALLOC; kind < HY_WORD_COUNT; kind++) {
        if (kind != HY_WORD_REALLOC_START && converted->calls[kind] != 0) {
            (void)printf("%s\"%s\":%" PRIu64, separator, names[kind], converted->calls[kind]);
            separator = ",";
        }
    }
    (void)printf("},");
}

static void print_sizes(const hy_converted *converted)
{
    (void)printf("\"sizes\":[");
    for (unsigned bin = 0; bin < HY_SIZE_BINS; bin++) {
        (void)printf("%s%" PRIu64, bin == 0 ? "" : ",", converted->sizes[bin]);
    }
    (void)printf("]}\n");
}

static void print_header(const recording *file)
{
    const hy_recording_header *const header = file->header;
    const size_t most = sizeof header->command;
    (void)printf("{\"schema\":\"heapyard.recording/1\",\"process\":%" PRIu32 ",\"parent\":%" PRIu32
                 ",\"run\":%" PRIu64 ",\"full\":%s,\"words\":%" PRIu64 ",\"command\":",
                 header->process, header->parent, header->run,
                 (header->flags & HY_RECORDING_FULL) != 0 ? "true" : "false", file->count);
    print_text(header->command, header->command_size < most ? header->command_size : most);
    (void)putchar(',');
}

static void print_summary(const recording *file, const hy_converted *converted)
{
    print_header(file);
    print_calls(converted);
#define PRINT(name) (void)printf("\"" #name "\":%" PRIu64 ",", (uint64_t)converted->name)
    PRINT(failed);
    PRINT(free_null);
    PRINT(unknown);
    PRINT(lost);
    PRINT(cut);
    PRINT(threads);
    PRINT(live_bytes);
    PRINT(live_blocks);
    PRINT(peak_bytes);
    PRINT(peak_blocks);
    PRINT(peak_op);
    PRINT(allocated);
    PRINT(slots);
    PRINT(op_count);
#undef PRINT
    print_sizes(converted);
}

/* ---- the command ---- */

static bool read_request(int count, char **arguments, hy_request *request)
{
    int at = 1;
    if (at < count && strcmp(arguments[at], "--plain") == 0) {
        request->options.plain = true;
        at++;
    }
    if (at < count) {
        request->recording = arguments[at++];
    }
    if (at < count) {
        request->plan = arguments[at++];
    }
    return request->recording != NULL && at == count;
}

static int run(const hy_request *request)
{
    recording file;
    static hy_converted converted;
    const char *trouble = NULL;
    if (!open_recording(request->recording, &file, &trouble)) {
        return refuse(request->recording, trouble);
    }
    converted.ops = reserve(file.count, sizeof(hy_plan_op));
    converted.operands = reserve(HY_PLAN_NO_ARG, sizeof(uint64_t));
    if (converted.ops == NULL || converted.operands == NULL) {
        return refuse(request->recording, "there is not enough memory to convert it");
    }
    trouble = hy__convert(file.words, file.count, request->options, &converted);
    if (trouble != NULL) {
        return refuse(request->recording, trouble);
    }
    trouble = request->plan != NULL ? save_plan(request->plan, &converted) : NULL;
    if (trouble != NULL) {
        return refuse(request->plan, trouble);
    }
    print_summary(&file, &converted);
    return fflush(stdout) == 0 ? 0 : refuse("standard output", strerror(errno));
}

int main(int count, char **arguments)
{
    hy_request request = {0};
    if (!read_request(count, arguments, &request)) {
        (void)fprintf(stderr, "usage: heapyard-trace [--plain] RECORDING [PLAN]\n");
        return 2;
    }
    return run(&request);
}
