#include "trial/subject.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include <heapyard/plan.h>

#include "base/bits.h"

#define OR_FLAG(name, text) | HEAPYARD_TARGET_##name
#define KNOWN_FLAGS         ((uint64_t)0 HEAPYARD_TARGET_FLAGS(OR_FLAG))

#define REFUSE(reason, ...) (hy__reason((reason), HY_CAUSE_LOAD, __VA_ARGS__), false)

static bool header_is_sound(uint32_t size, uint32_t version, size_t expected, hy_reason *reason)
{
    if (version != HEAPYARD_TARGET_VERSION) {
        return REFUSE(reason, "the target table has version %" PRIu32 ", must be %u", version,
                      HEAPYARD_TARGET_VERSION);
    }
    if (size < expected) {
        return REFUSE(reason, "the target table has size %" PRIu32 ", must be at least %zu", size,
                      expected);
    }
    return true;
}

static bool complete(hy_subject *subject, hy_reason *reason)
{
    struct heapyard_target *const table = &subject->table;
    if ((table->flags & ~KNOWN_FLAGS) != 0) {
        return REFUSE(reason, "the target table has unknown flags 0x%" PRIx64,
                      table->flags & ~KNOWN_FLAGS);
    }
    if (table->min_alignment == 0) {
        table->min_alignment = HY_PLAN_ALIGNMENT;
    }
    if (!hy__is_power_of_two(table->min_alignment)) {
        return REFUSE(reason, "the target table has min_alignment %zu, must be a power of two",
                      table->min_alignment);
    }
    if (table->malloc == NULL) {
        return REFUSE(reason, "the target table has no malloc");
    }
    if ((table->open == NULL) != (table->close == NULL)) {
        return REFUSE(reason, "the target table has only one of open and close");
    }
    if ((table->flags & HEAPYARD_TARGET_BULK_FREE_ONLY) != 0 && table->open == NULL) {
        return REFUSE(reason, "the target table frees in bulk only, but has no open and close");
    }
    if (table->max_size == 0) {
        table->max_size = PTRDIFF_MAX;
    }
    if (table->name == NULL) {
        table->name = "unnamed";
    }
    subject->functions = hy__functions_of(table);
    return true;
}

bool hy__subject_from_table(const struct heapyard_target *table, hy_subject *subject,
                            hy_reason *reason)
{
    if (!header_is_sound(table->size, table->version, sizeof *table, reason)) {
        return false;
    }
    *subject = (hy_subject){.table = *table};
    return complete(subject, reason);
}

/* Each of these drops the handle, which is where the plain functions stand. */
#define PLAIN(handle) ((const struct hy_trial_functions *)(handle))

static void *plain_malloc(void *handle, size_t size)
{
    return PLAIN(handle)->malloc(size);
}

static void *plain_calloc(void *handle, size_t count, size_t size)
{
    return PLAIN(handle)->calloc(count, size);
}

static void *plain_realloc(void *handle, void *block, size_t size)
{
    return PLAIN(handle)->realloc(block, size);
}

static void *plain_reallocarray(void *handle, void *block, size_t count, size_t size)
{
    return PLAIN(handle)->reallocarray(block, count, size);
}

static void plain_free(void *handle, void *block)
{
    PLAIN(handle)->free(block);
}

static void plain_free_sized(void *handle, void *block, size_t size)
{
    PLAIN(handle)->free_sized(block, size);
}

static void plain_free_aligned_sized(void *handle, void *block, size_t alignment, size_t size)
{
    PLAIN(handle)->free_aligned_sized(block, alignment, size);
}

static void *plain_aligned_alloc(void *handle, size_t alignment, size_t size)
{
    return PLAIN(handle)->aligned_alloc(alignment, size);
}

static int plain_posix_memalign(void *handle, void **block, size_t alignment, size_t size)
{
    return PLAIN(handle)->posix_memalign(block, alignment, size);
}

static void *plain_memalign(void *handle, size_t alignment, size_t size)
{
    return PLAIN(handle)->memalign(alignment, size);
}

static void *plain_valloc(void *handle, size_t size)
{
    return PLAIN(handle)->valloc(size);
}

static void *plain_pvalloc(void *handle, size_t size)
{
    return PLAIN(handle)->pvalloc(size);
}

static size_t plain_usable_size(void *handle, void *block)
{
    return PLAIN(handle)->usable_size(block);
}

static int plain_trim(void *handle, size_t pad)
{
    return PLAIN(handle)->trim(pad);
}

static const char *plain_check(void *handle)
{
    return PLAIN(handle)->check();
}

bool hy__subject_from_functions(const struct hy_trial_functions *functions, hy_subject *subject,
                                hy_reason *reason)
{
    if (!header_is_sound(functions->size, functions->version, sizeof *functions, reason)) {
        return false;
    }
    *subject = (hy_subject){
        .table = {HEAPYARD_TARGET_HEADER, .name = functions->name, .flags = functions->flags,
                  .min_alignment = functions->min_alignment, .max_size = functions->max_size},
        .handle = (void *)(uintptr_t)functions,
        .plain = functions,
    };
#define ADAPT(entry) subject->table.entry = functions->entry != NULL ? plain_##entry : NULL;
    HEAPYARD_TARGET_FUNCTIONS(ADAPT)
#undef ADAPT
    return complete(subject, reason);
}
