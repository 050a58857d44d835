/*
 * runner.c: heapyard-runner, the child in which a plan meets a foreign allocator.
 *
 *     parent ---- plan file, state page ----> runner ---- calls ----> allocator under trial
 *            <--- one JSON object, or the way it died, and the state page
 *
 * Nothing here allocates by malloc, so the target meets the plan only. The exit code is 0 whenever
 * the JSON was written, whatever it says; 2 for a command line that makes no sense; 1 where the
 * JSON could not be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/print.h"
#include "trial/bench.h"
#include "trial/options.h"
#include "trial/process.h"
#include "trial/run.h"
#include "trial/trace.h"

static char result_buffer[(size_t)256 << 10]; /* holds HY_OUTCOME_FIGURES figures */
static hy_loaded loaded;

static void set_up_process(void)
{
    const struct rlimit none = {0, 0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
}

static const void *map_plan(const char *path, size_t *size, hy_reason *reason)
{
    struct stat file;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &file) == 0 && file.st_size > 0) {
        *size = (size_t)file.st_size;
        data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    if (data == MAP_FAILED) {
        hy__reason(reason, HY_CAUSE_PLAN, "bad plan: %s can't be read%s%s", path,
                   fd >= 0 ? "" : ": ", fd >= 0 ? " or is empty" : strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return data != MAP_FAILED ? data : NULL;
}

/* The page that the parent reads after a crash; NULL if it asked for none. */
static bool map_state(int fd, hy_trial_state **state)
{
    *state = NULL;
    if (fd < 0) {
        return true;
    }
    struct stat file;
    if (fstat(fd, &file) != 0 || file.st_size < (off_t)sizeof **state) {
        return false;
    }
    void *const page = mmap(NULL, sizeof **state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *state = page != MAP_FAILED ? page : NULL;
    return page != MAP_FAILED;
}

static void write_names(hy_json *json, uint32_t functions)
{
    hy__json_key(json, "functions");
    hy__json_open(json, '[');
    for (unsigned i = 0; i < HY_FUNCTION_COUNT; i++) {
        if ((functions >> i) & 1u) {
            hy__json_text(json, hy__function_name(i));
        }
    }
    hy__json_close(json, ']');
}

static void write_flags(hy_json *json, uint64_t flags)
{
    hy__json_key(json, "flags");
    hy__json_open(json, '[');
#define WRITE_FLAG(name, text)                                                                     \
    if ((flags & HEAPYARD_TARGET_##name) != 0) {                                                   \
        hy__json_text(json, text);                                                                 \
    }
    HEAPYARD_TARGET_FLAGS(WRITE_FLAG)
#undef WRITE_FLAG
    hy__json_close(json, ']');
}

static void write_found(hy_json *json)
{
    const struct heapyard_target *const table = &loaded.subject.table;
    hy__json_text_member(json, "status", "found");
    hy__json_text_member(json, "name", loaded.name);
    write_names(json, loaded.subject.functions);
    write_flags(json, table->flags);
    hy__json_number_member(json, "min_alignment", table->min_alignment);
    hy__json_number_member(json, "max_size", table->max_size);
    hy__json_key(json, "table");
    hy__json_bool(json, loaded.has_table);
    hy__json_text_member(json, "path", loaded.path);
}

static void write_capabilities(hy_json *json, bool found, const hy_reason *reason)
{
    hy__json_open(json, '{');
    hy__json_text_member(json, "schema", "heapyard.capabilities/1");
    if (found) {
        write_found(json);
    } else {
        hy__json_text_member(json, "status", "refused");
        hy__json_text_member(json, "cause", hy__cause_name(reason->cause));
        hy__json_text_member(json, "reason", reason->text);
    }
    hy__json_close(json, '}');
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static int result_fd;

static void publish(hy_json *json)
{
    (void)hy__json_end(json);
    (void)write_all(result_fd, result_buffer, strlen(result_buffer));
}

static void run_plan(const hy_options *options, hy_trial_state *state, hy_json *json)
{
    hy_reason reason;
    hy_run run = {.subject = &loaded.subject,
                  .address_space = options->address_space,
                  .state = state,
                  .publish = publish};
    result_fd = options->result_fd;
    hy__process_without_huge_pages();
    if (!hy__load(&options->target, &loaded, &reason)) {
        hy__run_refused(&reason, json);
        return;
    }
    run.early_block = hy__load_early(&loaded);
    run.plan = map_plan(options->plan, &run.plan_size, &reason);
    if (run.plan == NULL) {
        hy__run_refused(&reason, json);
        return;
    }
    hy__run(&run, json);
}

static void run_bench(const hy_options *options, hy_json *json)
{
    hy_reason reason;
    hy_bench_input input = {.request = &options->bench, .unmaps_plan = true};
    if (!hy__load(&options->target, &loaded, &reason)) {
        hy__bench_refused(&reason, json);
        return;
    }
    if (options->plan != NULL) {
        input.plan = map_plan(options->plan, &input.plan_size, &reason);
        if (input.plan == NULL) {
            hy__bench_refused(&reason, json);
            return;
        }
    }
    hy__bench(&input, &loaded.subject, json);
}

int main(int count, char **arguments)
{
    hy_options options;
    hy_trial_state *state = NULL;
    hy_reason reason;
    hy_json json = {.buffer = result_buffer, .size = sizeof result_buffer};
    set_up_process();
    if (!hy__options_read(count, arguments, &options)) {
        return 2;
    }
    if (!map_state(options.state_fd, &state)) {
        hy__print_error("heapyard-runner: --state: not a file of at least %zu bytes\n",
                        sizeof *state);
        return 2;
    }
    if (options.trace_fd >= 0 && !hy__trace_open(options.trace_fd)) {
        hy__print_error("heapyard-runner: --trace: not a file with the room that it says\n");
        return 2;
    }
    if (options.is_bench) {
        run_bench(&options, &json);
    } else if (options.plan != NULL) {
        run_plan(&options, state, &json);
    } else {
        const bool found = hy__load(&options.target, &loaded, &reason);
        write_capabilities(&json, found, &reason);
    }
    (void)hy__json_end(&json);
    return write_all(options.result_fd, result_buffer, strlen(result_buffer)) ? 0 : 1;
}
