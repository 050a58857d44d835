#include "trial/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/print.h"

static const char usage[] =
    "usage: heapyard-runner [--library PATH] [--prefix PREFIX] [--preloaded] [--builtin libc]\n"
    "                       --plan FILE | --capabilities |\n"
    "                       --bench PLAN [--plan FILE] [--sized] [--live N] [--low N] [--high N]\n"
    "                                    [--seed N] [--pairs N] [--warm-up N]\n"
    "                       [--result FD] [--state FD] [--trace FD] [--address-space BYTES]\n";

typedef struct reading {
    hy_options *options;
    const char *builtin;
    const char *bench;
    bool preloaded;
    bool capabilities;
} reading;

static bool refuse(const char *what, const char *value)
{
    hy__print_error("heapyard-runner: %s%s\n%s", what, value, usage);
    return false;
}

static bool read_number(const char *text, uint64_t most, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *value > most) {
        return refuse("not a number in range: ", text);
    }
    return true;
}

static bool read_fd(const char *text, int *fd)
{
    uint64_t value;
    if (!read_number(text, INT_MAX, &value)) {
        return false;
    }
    *fd = (int)value;
    return true;
}

/* Options without a value. */
static bool read_switch(reading *so_far, const char *name)
{
    if (strcmp(name, "--preloaded") == 0) {
        so_far->preloaded = true;
        return true;
    }
    if (strcmp(name, "--capabilities") == 0) {
        so_far->capabilities = true;
        return true;
    }
    if (strcmp(name, "--sized") == 0) {
        so_far->options->bench.is_sized = 1;
        return true;
    }
    return false;
}

/* The numbers of a benchmark. True: it was one of them, and *is_sound says whether it can be. */
static bool read_bench(hy_trial_bench *bench, const char *name, const char *value, bool *is_sound)
{
    uint64_t warm_up = 0;
    const struct {
        const char *name;
        uint64_t *number;
        uint64_t most;
    } numbers[] = {
        {"--live", &bench->live, HY_BENCH_MAX_LIVE}, {"--low", &bench->low, HY_BENCH_MAX_SIZE},
        {"--high", &bench->high, HY_BENCH_MAX_SIZE}, {"--seed", &bench->seed, UINT64_MAX},
        {"--pairs", &bench->pairs, UINT64_MAX},      {"--warm-up", &warm_up, UINT32_MAX}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *is_sound = read_number(value, numbers[i].most, numbers[i].number);
            bench->warm_up = numbers[i].number == &warm_up ? (uint32_t)warm_up : bench->warm_up;
            return true;
        }
    }
    return false;
}

static bool read_valued(reading *so_far, const char *name, const char *value)
{
    hy_options *const options = so_far->options;
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--library", &options->target.library},
                 {"--prefix", &options->target.prefix},
                 {"--builtin", &so_far->builtin},
                 {"--bench", &so_far->bench},
                 {"--plan", &options->plan}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].text = value;
            return true;
        }
    }
    if (strcmp(name, "--result") == 0) {
        return read_fd(value, &options->result_fd);
    }
    if (strcmp(name, "--state") == 0) {
        return read_fd(value, &options->state_fd);
    }
    if (strcmp(name, "--trace") == 0) {
        return read_fd(value, &options->trace_fd);
    }
    if (strcmp(name, "--address-space") == 0) {
        return read_number(value, UINT64_MAX, &options->address_space);
    }
    bool is_sound = false;
    if (read_bench(&options->bench, name, value, &is_sound)) {
        return is_sound;
    }
    return refuse("unknown option: ", name);
}

static bool read_bench_name(reading *so_far)
{
    static const char *const names[] = {
#define NAME(value, name, text) [value] = #text,
        HY_BENCH_PLANS(NAME)
#undef NAME
    };
    so_far->options->is_bench = true;
    for (uint32_t i = 0; i < HY_BENCH_COUNT; i++) {
        if (strcmp(so_far->bench, names[i]) == 0) {
            so_far->options->bench.plan = i;
            return (i == HY_BENCH_PLAN) == (so_far->options->plan != NULL) ||
                   refuse("--plan goes with --bench plan, and with no other", "");
        }
    }
    return refuse("no such plan: ", so_far->bench);
}

static bool is_consistent(const reading *so_far)
{
    const hy_options *const options = so_far->options;
    const bool is_run = options->plan != NULL || so_far->bench != NULL;
    if (is_run == so_far->capabilities) {
        return refuse("give one of --plan, --bench and --capabilities", "");
    }
    if (so_far->builtin != NULL && strcmp(so_far->builtin, "libc") != 0) {
        return refuse("no such builtin: ", so_far->builtin);
    }
    if (so_far->builtin != NULL && (options->target.library != NULL || so_far->preloaded)) {
        return refuse("--builtin goes with neither --library nor --preloaded", "");
    }
    return true;
}

static hy_load_mode mode_of(const reading *so_far)
{
    if (so_far->preloaded) {
        return HY_LOAD_PRELOADED;
    }
    return so_far->options->target.library != NULL ? HY_LOAD_LIBRARY : HY_LOAD_BUILTIN;
}

bool hy__options_read(int count, char *const *arguments, hy_options *options)
{
    *options = (hy_options){
        .target = {.prefix = ""},
        .bench = {.size = (uint32_t)sizeof options->bench, .live = 10000, .low = 8, .high = 512},
        .result_fd = 1,
        .state_fd = -1,
        .trace_fd = -1};
    reading so_far = {.options = options};
    for (int i = 1; i < count; i++) {
        if (read_switch(&so_far, arguments[i])) {
            continue;
        }
        if (i + 1 == count) {
            return refuse("unknown option, or one without its value: ", arguments[i]);
        }
        if (!read_valued(&so_far, arguments[i], arguments[i + 1])) {
            return false;
        }
        i++;
    }
    options->target.mode = mode_of(&so_far);
    return is_consistent(&so_far) && (so_far.bench == NULL || read_bench_name(&so_far));
}
