/*
 * exit.c: calls in handlers: of atexit, and of pthread_atfork.
 *
 * With at_exit the plan ends by exit(), called from inside the engine, whose state so is still there
 * when the handlers run:
 *
 *     rounds done -> exit() -> handler: its section -> ... -> last handler: frees, publishes
 *                           -> handlers registered before, destructors of libraries: the process
 *                              must still end well
 */
#include <stdlib.h>
#include <unistd.h>

#include "trial/threads.h"
#include "trial/verdict.h"

static hy_crew *leaving;
static hy_engine *forking;

static void publish(hy_engine *engine)
{
    hy__finish(engine);
    engine->host->publish(engine->host->context, engine->outcome);
}

static void on_exit_of_process(void)
{
    hy_crew *const crew = leaving;
    if (crew == NULL) { /* somebody else's exit, or after a violation */
        return;
    }
    const bool held =
        hy__walk(crew->workers[0], crew->engine, crew->exits[--crew->exit_count], false);
    if (!held || crew->exit_count == 0) {
        const bool is_end = held && hy__end_round(crew->engine);
        publish(crew->engine);
        if (!is_end) {
            _exit(0);
        }
    }
}

void hy__leave_by_exit(hy_crew *crew)
{
    leaving = crew;
    exit(0);
}

bool hy__run_at_exit(hy_crew *crew, hy_span span)
{
    hy_engine *const engine = crew->engine;
    if (engine->host->publish == NULL) {
        return hy__refuse_symbol(engine, "a process of its own (at_exit)");
    }
    if (crew->exit_count == sizeof crew->exits / sizeof crew->exits[0] ||
        atexit(on_exit_of_process) != 0) {
        return hy__refuse_memory(engine, "a handler of atexit");
    }
    crew->exits[crew->exit_count++] = span;
    return true;
}

/* In the thread that forks, on either side; no slot, no check. */
static void use_target(void)
{
    hy_engine *const engine = forking;
    void *const block = engine->target->malloc(engine->handle, 100);
    if (block != NULL) {
        *(volatile char *)block = 1;
        engine->target->free(engine->handle, block);
    }
}

bool hy__run_atfork(hy_engine *engine)
{
    const bool is_registered = forking != NULL;
    forking = engine;
    return is_registered || pthread_atfork(use_target, use_target, use_target) == 0 ||
           hy__refuse_memory(engine, "handlers of fork");
}
