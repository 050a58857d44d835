#include "trial/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "trial/drawing.h"

#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_PLAN, __VA_ARGS__), false)

#define WAVE 512 /* calls between two tides */

const uint64_t hy__fuzz_operands[HY_FUZZ_OPERANDS] = {
    1,     2,      3,      4,      5,       7,     8,
    16,    8,      16,     32,     64,      128,   256,
    512,   1024,   2048,   4096,   8192,    16384, 32768,
    65536, 131072, 262144, 524288, 1048576, 24,    (uint64_t)1 << 40,
};

/* Now and then the limit falls, so that most blocks are freed one after the other, and rises. */
static void turn_tide(hy_drawing *from)
{
    const uint64_t drawn = hy__draw(&from->state);
    from->limit = from->swarm.live;
    if (from->swarm.is_wavy && (drawn & 1) != 0) {
        from->limit = 1 + hy__draw_below(drawn, from->swarm.live);
    }
}

static hy_plan_header header_of(const hy_drawing *from, uint64_t number)
{
    return (hy_plan_header){.magic = HY_PLAN_MAGIC,
                            .version = HY_PLAN_VERSION,
                            .checks = from->fuzzer->request->checks,
                            .slots = from->slots,
                            .operand_count = HY_FUZZ_OPERANDS,
                            .op_count = from->count,
                            .repeat = from->swarm.rounds,
                            .seed = from->fuzzer->request->seed + number,
                            .flags = HY_PLAN_WEAK_ALIGN};
}

static void draw_calls(hy_drawing *from)
{
    while (from->count < from->swarm.calls && from->bytes <= from->swarm.bytes) {
        if (from->count % WAVE == 0) {
            turn_tide(from);
        }
        hy__draw_any(from);
    }
}

void hy__fuzz_draw(hy_fuzzer *fuzzer, uint64_t number, hy_plan *plan)
{
    const hy_trial_fuzz *const request = fuzzer->request;
    hy_drawing from = {.fuzzer = fuzzer, .state = request->seed};
    from.held = (hy_held){.blocks = fuzzer->live, .empty = fuzzer->vacant};
    from.state = hy__draw(&from.state) + number * UINT64_C(0xd1b54a32d192ed03);
    hy__swarm_draw(&from.swarm, &from.state, request->functions);
    if (request->threads > 1) {
        hy__draw_threads(&from, request->threads);
    } else {
        draw_calls(&from);
    }
    *plan = (hy_plan){.header = header_of(&from, number),
                      .operands = hy__fuzz_operands,
                      .ops = fuzzer->ops,
                      .functions = request->functions,
                      .slots_used = from.slots,
                      .has_structure = request->threads > 1};
}

bool hy__fuzz_is_request(const void *data, size_t size)
{
    const uint64_t magic = HY_TRIAL_FUZZ_MAGIC;
    return size >= sizeof(hy_trial_fuzz) && memcmp(data, &magic, sizeof magic) == 0;
}

bool hy__fuzz_open(hy_fuzzer *fuzzer, const hy_trial_fuzz *request, hy_memory *memory,
                   hy_reason *reason)
{
    if (request->size != sizeof *request || request->count == 0 ||
        ((request->functions >> HY_FUNCTION_malloc) & 1u) == 0 ||
        request->functions >> HY_FUNCTION_COUNT != 0 ||
        (request->checks & ~(uint32_t)HY_CHECK_ALL) != 0 ||
        request->threads > HY_FUZZ_MOST_THREADS ||
        (request->threads > 1 && ((request->functions >> HY_FUNCTION_free) & 1u) == 0)) {
        return REFUSE(reason,
                      "bad request: size %" PRIu32 ", count %" PRIu64 ", functions 0x%" PRIx32,
                      request->size, request->count, request->functions);
    }
    *fuzzer = (hy_fuzzer){
        .request = request,
        .ops = hy__memory_take(memory, HY_FUZZ_MOST_CALLS * sizeof(hy_plan_op)),
        .live = hy__memory_take(memory, HY_FUZZ_MOST_SLOTS * sizeof(hy_fuzz_block)),
        .vacant = hy__memory_take(memory, HY_FUZZ_MOST_SLOTS * sizeof(uint32_t)),
    };
    if (fuzzer->ops == NULL || fuzzer->live == NULL || fuzzer->vacant == NULL) {
        hy__reason(reason, HY_CAUSE_MEMORY, "no memory for random plans");
        return false;
    }
    return true;
}
