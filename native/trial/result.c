#include "trial/result.h"

#include "trial/names.h"

static void number_or_null(hy_json *json, const char *name, uint64_t value, bool known)
{
    hy__json_key(json, name);
    if (known) {
        hy__json_number(json, value);
    } else {
        hy__json_text(json, NULL);
    }
}

static void write_violation(hy_json *json, const hy_violation *violation)
{
    hy__json_text_member(json, "kind", hy__check_name(violation->kind));
    number_or_null(json, "slot", violation->slot, violation->slot != HY_PLAN_NO_SLOT);
    hy__json_number_member(json, "size", violation->size);
    hy__json_key(json, "address");
    hy__json_address(json, violation->address);
    hy__json_text_member(json, "expected", violation->expected);
    hy__json_text_member(json, "seen", violation->seen);
}

static void write_figure(hy_json *json, const hy_figure *figure)
{
    hy__json_open(json, '{');
    hy__json_text_member(json, "name", hy__measure_name(figure->measure));
    hy__json_number_member(json, "value", figure->value);
    hy__json_text_member(json, "unit", hy__measure_unit(figure->measure));
    hy__json_number_member(json, "op", figure->op);
    hy__json_number_member(json, "round", figure->round);
    hy__json_close(json, '}');
}

static void write_figures(hy_json *json, const hy_outcome *outcome)
{
    const uint64_t kept =
        outcome->figure_count < HY_OUTCOME_FIGURES ? outcome->figure_count : HY_OUTCOME_FIGURES;
    hy__json_key(json, "figures");
    hy__json_open(json, '[');
    for (uint64_t i = 0; i < kept; i++) {
        write_figure(json, &outcome->figures[i]);
    }
    hy__json_close(json, ']');
    hy__json_number_member(json, "figures_dropped", outcome->figure_count - kept);
}

void hy__result_write(hy_json *json, const hy_outcome *outcome)
{
    static const char *const statuses[] = {[HY_STATUS_HELD] = "held",
                                           [HY_STATUS_VIOLATION] = "violation",
                                           [HY_STATUS_REFUSED] = "refused"};
    const bool ran = outcome->op_name != NULL;
    hy__json_open(json, '{');
    hy__json_text_member(json, "schema", "heapyard.run/1");
    hy__json_text_member(json, "status", statuses[outcome->status]);
    number_or_null(json, "op", outcome->op, ran);
    number_or_null(json, "round", outcome->round, ran);
    hy__json_text_member(json, "name", outcome->op_name);
    if (outcome->status == HY_STATUS_VIOLATION) {
        write_violation(json, &outcome->violation);
    }
    if (outcome->status == HY_STATUS_REFUSED) {
        hy__json_text_member(json, "cause", hy__cause_name(outcome->reason.cause));
        hy__json_text_member(json, "reason", outcome->reason.text);
    }
    hy__json_number_member(json, "operations", outcome->operations);
    hy__json_number_member(json, "nanoseconds", outcome->nanoseconds);
    hy__json_number_member(json, "cpu_nanoseconds", outcome->cpu_nanoseconds);
    write_figures(json, outcome);
    hy__json_close(json, '}');
}
