#include "domain/judge.h"

#include "domain/frame.h"
#include "domain/hooks.h"

/* No block starts there: inside one, or nowhere. */
static void judge_stranger(const void *block, hy__finding *finding)
{
    const hy__record *const around = hy__records_enclosing(block);
    finding->kind = HY_MISUSE_FOREIGN_POINTER;
    if (around != NULL) {
        finding->kind = HY_MISUSE_INTERIOR_POINTER;
        finding->record = *around;
        finding->offset = (ptrdiff_t)((uintptr_t)block - (uintptr_t)around->block);
    }
}

static bool judge_owner(const hy__hooks *hooks, const hy__record *record, hy__finding *finding)
{
    finding->kind =
        record->hooks->domain != hooks->domain ? HY_MISUSE_WRONG_DOMAIN : HY_MISUSE_FOREIGN_POINTER;
    return record->hooks == hooks;
}

bool hy__judge(const hy__hooks *hooks, const hy__record *record, const void *block,
               hy__finding *finding)
{
    *finding = (hy__finding){.address = block, .through = hooks};
    if (record == NULL) {
        judge_stranger(block, finding);
        return false;
    }
    finding->record = *record;
    if (record->state != HY__RECORD_LIVE) {
        finding->kind = HY_MISUSE_DOUBLE_FREE;
        return false;
    }
    if (!judge_owner(hooks, record, finding)) {
        return false;
    }
    hy__damage damage;
    const bool damaged = hy__frame_find_damage(record, &damage);
    if (damaged) {
        finding->kind = damage.kind;
        finding->offset = damage.offset;
    }
    return !damaged;
}
