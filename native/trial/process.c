#include "trial/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A small file of /proc, whole, as a string; empty where it can't be read. */
static void read_file(const char *path, char *text, size_t size)
{
    size_t used = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    while (file >= 0 && used < size - 1) {
        const ssize_t got = read(file, text + used, size - 1 - used);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
    }
    if (file >= 0) {
        (void)close(file);
    }
    text[used] = '\0';
}

static uint64_t number_at(const char *text)
{
    uint64_t value = 0;
    while (*text == ' ') {
        text++;
    }
    while (*text >= '0' && *text <= '9') {
        value = value * 10 + (uint64_t)(*text++ - '0');
    }
    return value;
}

/* The value of a line "Name:   123 kB", in bytes; 0 if there is no such line. */
static uint64_t field_of(const char *text, const char *name)
{
    const char *const at = strstr(text, name);
    return at == NULL ? 0 : number_at(at + strlen(name)) * 1024;
}

uint64_t hy__process_anonymous(void)
{
    char text[4096];
    read_file("/proc/self/smaps_rollup", text, sizeof text);
    const uint64_t anonymous = field_of(text, "\nAnonymous:");
    const uint64_t free_lazily = field_of(text, "\nLazyFree:");
    return anonymous > free_lazily ? anonymous - free_lazily : 0;
}

/* Swapped out is not given back; shared pages are counted by their share, once for all mappings of
 * this process. */
uint64_t hy__process_resident(void)
{
    char text[4096];
    read_file("/proc/self/smaps_rollup", text, sizeof text);
    const uint64_t taken =
        field_of(text, "\nAnonymous:") + field_of(text, "\nSwap:") + field_of(text, "\nPss_Shmem:");
    const uint64_t free_lazily = field_of(text, "\nLazyFree:");
    return taken > free_lazily ? taken - free_lazily : 0;
}

uint64_t hy__process_lazily_free(void)
{
    char text[4096];
    read_file("/proc/self/smaps_rollup", text, sizeof text);
    return field_of(text, "\nLazyFree:");
}

/* One line of the file is one mapping. */
uint64_t hy__process_mappings(void)
{
    char text[16384];
    uint64_t lines = 0;
    ssize_t got = 0;
    const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while (file >= 0 && (got = read(file, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            lines += text[i] == '\n';
        }
    }
    if (file >= 0) {
        (void)close(file);
    }
    return lines;
}

void hy__process_without_huge_pages(void)
{
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

uint64_t hy__process_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_minflt : 0;
}

uint64_t hy__process_mapped(void)
{
    char text[256];
    read_file("/proc/self/statm", text, sizeof text);
    return number_at(text) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The second number of the line. */
uint64_t hy__process_shown(void)
{
    char text[256];
    read_file("/proc/self/statm", text, sizeof text);
    const char *const second = strchr(text, ' ');
    return second == NULL ? 0 : number_at(second) * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool hy__limit_address_space(uint64_t bytes)
{
    const uint64_t limit = hy__process_mapped() + bytes;
    const struct rlimit both = {.rlim_cur = limit, .rlim_max = limit};
    return limit >= bytes && setrlimit(RLIMIT_AS, &both) == 0;
}

bool hy__limit_space(uint64_t bytes)
{
    const uint64_t mapped = hy__process_mapped();
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0) {
        return false;
    }
    const uint64_t most = limit.rlim_max;
    limit.rlim_cur = bytes < most && mapped < most - bytes ? mapped + bytes : most;
    return setrlimit(RLIMIT_AS, &limit) == 0;
}

/* Who closes what is not theirs closes low numbers. */
static void open_some_files(void)
{
    static bool are_open;
    for (int i = 0; !are_open && i < 8; i++) {
        (void)!open("/dev/null", O_RDONLY);
    }
    are_open = true;
}

uint64_t hy__process_open_files(void)
{
    uint64_t count = 0;
    open_some_files();
    for (int file = 0; file < 1024; file++) {
        count += fcntl(file, F_GETFD) != -1;
    }
    return count;
}

uint64_t hy__process_blocked_signals(void)
{
    sigset_t blocked;
    uint64_t count = 0;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    for (int signal = 1; signal < NSIG; signal++) {
        count += sigismember(&blocked, signal) == 1;
    }
    return count;
}

uint64_t hy__process_handled_signals(void)
{
    struct sigaction action;
    uint64_t count = 0;
    for (int signal = 1; signal < NSIG; signal++) {
        count += sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
    }
    return count;
}
