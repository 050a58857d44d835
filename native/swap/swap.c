#include "swap/swap.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trial/json.h"

static int result = STDOUT_FILENO;
static const char *running = "start";

static void put(const char *status, const char *name, const char *text, const char *seen)
{
    static char buffer[2048];
    hy_json json = {.buffer = buffer, .size = sizeof buffer};
    hy__json_open(&json, '{');
    hy__json_text_member(&json, "schema", "heapyard.swap/1");
    hy__json_text_member(&json, "status", status);
    hy__json_text_member(&json, "operation", running);
    if (name != NULL) {
        hy__json_text_member(&json, name, text);
    }
    if (seen != NULL) {
        hy__json_text_member(&json, "seen", seen);
    }
    hy__json_close(&json, '}');
    (void)hy__json_end(&json);
    (void)!ftruncate(result, 0);
    (void)lseek(result, 0, SEEK_SET);
    (void)!write(result, buffer, strlen(buffer));
}

void hy__swap_step(const char *name)
{
    running = name;
    put("running", NULL, NULL, NULL);
}

void hy__swap_expect(bool holds, const char *expected, const char *seen, ...)
{
    char text[512];
    va_list values;
    if (holds) {
        return;
    }
    va_start(values, seen);
    (void)vsnprintf(text, sizeof text, seen, values);
    va_end(values);
    put("violation", "expected", expected, text);
    _exit(0);
}

void hy__swap_refuse(const char *reason, ...)
{
    char text[512];
    va_list values;
    va_start(values, reason);
    (void)vsnprintf(text, sizeof text, reason, values);
    va_end(values);
    put("refused", "reason", text, NULL);
    _exit(0);
}

static unsigned char byte_at(unsigned number, size_t i)
{
    return (unsigned char)((size_t)61 * number + 37 * i + i / 251 + 1);
}

void hy__swap_fill(void *block, size_t size, unsigned number)
{
    unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = byte_at(number, i);
    }
}

bool hy__swap_is_filled(const void *block, size_t size, unsigned number)
{
    const unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != byte_at(number, i)) {
            return false;
        }
    }
    return true;
}

void *hy__swap_own(const char *name)
{
    Dl_info here;
    Dl_info other;
    void *const symbol = dlsym(RTLD_DEFAULT, name);
    const bool is_own = symbol != NULL && dladdr(symbol, &here) != 0 &&
                        dladdr(dlsym(RTLD_DEFAULT, "malloc"), &other) != 0 &&
                        here.dli_fbase == other.dli_fbase;
    return is_own ? symbol : NULL;
}

static const struct {
    const char *name;
    void (*run)(const char *library);
} topics[] = {
    {"family", hy__swap_family},       {"closure", hy__swap_closure},
    {"strings", hy__swap_strings},     {"grown", hy__swap_grown},
    {"operators", hy__swap_operators}, {"deletes", hy__swap_deletes},
    {"open", hy__swap_open},           {"close", hy__swap_close},
    {"twice", hy__swap_twice},         {"in_use", hy__swap_in_use},
    {"sane", hy__swap_sane},           {"system", hy__swap_system},
    {"info", hy__swap_info},           {"new_handler", hy__swap_new_handler},
};

int main(int count, char **arguments)
{
    const struct rlimit none = {0, 0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; count >= 3 && i < sizeof topics / sizeof topics[0]; i++) {
        if (strcmp(arguments[1], topics[i].name) == 0) {
            result = (int)strtol(arguments[2], NULL, 10);
            topics[i].run(count > 3 ? arguments[3] : NULL);
            running = "exit";
            put("held", NULL, NULL, NULL);
            return 0;
        }
    }
    (void)fprintf(stderr, "usage: heapyard-swap TOPIC RESULT_FD [LIBRARY]\n");
    return 2;
}
