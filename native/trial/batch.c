#include "trial/batch.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial/engine.h"

#define ROUND_UP(size) (((size) + 7) & ~(uint64_t)7)

/* What a child says of its plan, in a page that both can see. */
typedef struct answer {
    uint32_t status; /* HY_STATUS_... */
    uint32_t kind;   /* of a violation */
    uint32_t is_done;
} answer;

bool hy__batch_is_request(const void *data, size_t size)
{
    const uint64_t magic = HY_TRIAL_BATCH_MAGIC;
    return size >= sizeof(hy_trial_batch) && memcmp(data, &magic, sizeof magic) == 0;
}

static pid_t fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* In the child. */
_Noreturn static void run_one(const hy_run *run, const void *data, size_t size, answer *said)
{
    hy_memory memory;
    hy_plan plan;
    hy_trial_state state = {0};
    hy_outcome outcome = {.status = HY_STATUS_HELD};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!hy__memory_open(&memory) || !hy__plan_decode(data, size, &plan, &outcome.reason)) {
        outcome.status = HY_STATUS_REFUSED;
    } else {
        const hy_host host = {.early_block = run->early_block};
        hy__engine_run(&plan, run->subject, &memory, &state, &host, &outcome);
    }
    *said = (answer){.status = outcome.status, .kind = outcome.violation.kind, .is_done = 1};
    _exit(0);
}

/* Waits for the end of a child; false: its time was over, and it is gone now. */
static bool ends_in_time(pid_t child, uint64_t milliseconds, int *status)
{
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    const bool ended = end.fd >= 0 && poll(&end, 1, (int)milliseconds) == 1;
    if (!ended) {
        (void)kill(child, SIGKILL);
    }
    (void)waitpid(child, status, 0);
    if (end.fd >= 0) {
        (void)close(end.fd);
    }
    return ended;
}

static bool is_wanted(const hy_trial_batch *request, const answer *said, bool in_time, int status)
{
    switch (request->wanted) {
    case HY_BATCH_VIOLATION:
        return in_time && said->is_done != 0 && said->status == HY_STATUS_VIOLATION &&
               said->kind == request->kind;
    case HY_BATCH_CRASH:
        return in_time && WIFSIGNALED(status) && (uint32_t)WTERMSIG(status) == request->kind;
    case HY_BATCH_HANG:
        return !in_time;
    default:
        return in_time && WIFEXITED(status) && said->is_done == 0;
    }
}

static bool fails_as_wanted(const hy_run *run, const hy_trial_batch *request, const void *plan,
                            size_t size, answer *said)
{
    int status = 0;
    *said = (answer){0};
    const pid_t child = fork_quietly();
    if (child == 0) {
        run_one(run, plan, size, said);
    }
    if (child < 0) {
        return false;
    }
    const bool in_time = ends_in_time(child, request->milliseconds, &status);
    return is_wanted(request, said, in_time, status);
}

/* How many plans are whole: the sizes come first, then the plans, each at a multiple of 8. */
static uint64_t whole_plans(const hy_trial_batch *request, size_t size)
{
    const uint64_t *const sizes = (const uint64_t *)(const void *)(request + 1);
    uint64_t room = size - sizeof *request;
    uint64_t whole = 0;
    if (request->count > room / sizeof *sizes) {
        return 0;
    }
    room -= request->count * sizeof *sizes;
    while (whole < request->count && sizes[whole] <= room && ROUND_UP(sizes[whole]) <= room) {
        room -= ROUND_UP(sizes[whole++]);
    }
    return whole;
}

static void write_answer(hy_json *json, uint64_t index, uint64_t tried, bool found)
{
    hy__json_open(json, '{');
    hy__json_text_member(json, "schema", "heapyard.batch/1");
    hy__json_key(json, "index");
    if (found) {
        hy__json_number(json, index);
    } else {
        hy__json_text(json, NULL);
    }
    hy__json_number_member(json, "tried", tried);
    hy__json_close(json, '}');
}

void hy__batch_run(const hy_run *run, const void *data, hy_json *json)
{
    const hy_trial_batch *const request = data;
    const uint64_t *const sizes = (const uint64_t *)(const void *)(request + 1);
    const unsigned char *plan = (const unsigned char *)(sizes + request->count);
    const uint64_t count = whole_plans(request, run->plan_size);
    answer *const said =
        mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t at = 0;
    bool found = false;
    while (said != MAP_FAILED && at < count && !found) {
        found = fails_as_wanted(run, request, plan, sizes[at], said);
        plan += ROUND_UP(sizes[at]);
        at += !found;
    }
    write_answer(json, at, found ? at + 1 : at, found);
}
