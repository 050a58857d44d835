/*
 * wait.c: the ops that let time pass: idle, await and stir.
 *
 * An allocator that gives memory back late does so by a thread of its own, and then `await` sees
 * it, or when it is called the next time, and then `stir` does.
 */
#include <errno.h>
#include <time.h>

#include "trial/model.h"

#define LOOK_MILLISECONDS 20u
#define STIRS             500u
#define STIR_LEAST        ((size_t)64)
#define STIR_MOST         ((size_t)65536)

static uint64_t milliseconds_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* The whole time, whatever signals come. */
static void sleep_for(uint64_t milliseconds)
{
    struct timespec left = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

bool hy__run_idle(hy_engine *engine, const hy_plan_op *op)
{
    (void)engine;
    sleep_for(op->size);
    return true;
}

static void stir(const hy_engine *engine)
{
    size_t size = STIR_LEAST;
    for (unsigned i = 0; i < STIRS; i++) {
        void *const block = engine->target->malloc(engine->handle, size);
        if (block != NULL) {
            engine->target->free(engine->handle, block);
        }
        size = size < STIR_MOST ? size * 2 : STIR_LEAST;
    }
}

bool hy__run_await(hy_engine *engine, const hy_plan_op *op)
{
    const uint64_t bound = engine->first_rss + engine->plan.operands[op->arg];
    const uint64_t end = milliseconds_now() + op->size;
    for (;;) {
        if (op->op == HY_OP_STIR) {
            stir(engine);
        }
        if (hy__resident(engine) <= bound || milliseconds_now() >= end) {
            break;
        }
        sleep_for(LOOK_MILLISECONDS);
    }
    (void)hy__measure(engine, HY_MEASURE_RSS);
    return true;
}
