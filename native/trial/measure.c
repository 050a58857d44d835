#include "trial/cost.h"
#include "trial/model.h"
#include "trial/os_calls.h"
#include "trial/process.h"

static uint64_t less(uint64_t from, uint64_t part)
{
    return from > part ? from - part : 0;
}

uint64_t hy__resident(const hy_engine *engine)
{
    return less(hy__process_resident(), hy__memory_resident(engine->memory));
}

static uint64_t measure_mapped(const hy_engine *engine)
{
    return less(hy__process_mapped(), engine->memory->reserved);
}

static uint64_t measure_live(const hy_engine *engine)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        sum += engine->slots[i].address != NULL ? engine->slots[i].size : 0;
    }
    return sum;
}

/* 0 where the target does not tell. */
static uint64_t measure_usable(const hy_engine *engine)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; engine->target->usable_size != NULL && i < engine->slot_count; i++) {
        if (engine->slots[i].address != NULL) {
            sum += engine->target->usable_size(engine->handle, engine->slots[i].address);
        }
    }
    return sum;
}

static uint64_t measure_extent(const hy_engine *engine)
{
    uintptr_t low = UINTPTR_MAX;
    uintptr_t high = 0;
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        const uintptr_t start = (uintptr_t)engine->slots[i].address;
        if (start != 0) {
            const uintptr_t end = start + engine->slots[i].size;
            low = start < low ? start : low;
            high = end > high ? end : high;
        }
    }
    return high > low ? high - low : 0;
}

uint64_t hy__measure_value(const hy_engine *engine, uint64_t measure)
{
    switch (measure) {
    case HY_MEASURE_RSS:
        return hy__resident(engine);
    case HY_MEASURE_LIVE_BYTES:
        return measure_live(engine);
    case HY_MEASURE_USABLE_BYTES:
        return measure_usable(engine);
    case HY_MEASURE_EXTENT:
        return measure_extent(engine);
    case HY_MEASURE_SHARED_LINES:
        return hy__shared_lines(engine);
    case HY_MEASURE_OS_CALLS:
        return hy__os_watched().count;
    case HY_MEASURE_OS_FAILURES:
        return hy__os_watched().failed;
    case HY_MEASURE_PAGE_FAULTS:
        return hy__process_faults();
    case HY_MEASURE_COST_MEDIAN:
        return hy__cost_at(50);
    case HY_MEASURE_COST_P90:
        return hy__cost_at(90);
    case HY_MEASURE_COST_P99:
        return hy__cost_at(99);
    case HY_MEASURE_COST_MAX:
        return hy__cost_at(100);
    case HY_MEASURE_MAPPED:
        return measure_mapped(engine);
    case HY_MEASURE_LAZILY_FREE:
        return hy__process_lazily_free();
    case HY_MEASURE_MAPPINGS:
        return hy__process_mappings();
    case HY_MEASURE_SHOWN:
        return hy__process_shown();
    case HY_MEASURE_TRIMMED:
        return (uint32_t)engine->trimmed;
    case HY_MEASURE_OPEN_FILES:
        return hy__process_open_files();
    case HY_MEASURE_BLOCKED_SIGNALS:
        return hy__process_blocked_signals();
    case HY_MEASURE_HANDLED_SIGNALS:
        return hy__process_handled_signals();
    default:
        return hy__residue(engine);
    }
}

uint64_t hy__measure(hy_engine *engine, uint64_t measure)
{
    hy_outcome *const outcome = engine->outcome;
    const uint64_t value = hy__measure_value(engine, measure);
    if (measure == HY_MEASURE_RSS && !engine->has_rss) {
        engine->first_rss = value;
        engine->has_rss = true;
    }
    if (outcome->figure_count < HY_OUTCOME_FIGURES) {
        outcome->figures[outcome->figure_count] = (hy_figure){
            .measure = measure,
            .value = value,
            .op = engine->state->op,
            .round = engine->state->round,
        };
    }
    outcome->figure_count++;
    return value;
}
