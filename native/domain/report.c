#include "domain/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/misuse.h"
#include "domain/hooks.h"
#include "domain/peek.h"

#define ROW 16

typedef struct text {
    char bytes[2048];
    size_t used;
} text;

static void add(text *to, const char *format, ...) HY_PRINTF(2, 3);

static void add(text *to, const char *format, ...)
{
    const size_t room = sizeof to->bytes - to->used;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(to->bytes + to->used, room, format, arguments);
    va_end(arguments);
    if (length > 0) {
        to->used += (size_t)length < room ? (size_t)length : room - 1;
    }
}

/* ---- the line ------------------------------------------------------------------------------- */

static void add_block(text *line, const hy__record *record)
{
    add(line, "%s block of %zu bytes, serial %llu", hy_domain_name(record->hooks->domain),
        record->size, (unsigned long long)record->serial);
}

static void add_foreign(text *line, const hy__finding *finding)
{
    if (finding->record.hooks == NULL) {
        add(line, "not a block of %s", hy_domain_name(finding->through->domain));
    } else {
        add_block(line, &finding->record);
        add(line, ", of other hooks");
    }
}

static void add_detail(text *line, const hy__finding *finding)
{
    const hy__record *const record = &finding->record;
    if (finding->kind == HY_MISUSE_FOREIGN_POINTER) {
        add_foreign(line, finding);
    } else if (finding->kind == HY_MISUSE_INTERIOR_POINTER) {
        add(line, "byte %td of the ", finding->offset);
        add_block(line, record);
    } else if (finding->kind == HY_MISUSE_WRONG_DOMAIN) {
        add_block(line, record);
        add(line, ", through %s", hy_domain_name(finding->through->domain));
    } else if (finding->kind == HY_MISUSE_CORRUPTED) {
        add(line, "the allocator below served it again: ");
        add_block(line, record);
    } else if (finding->kind == HY_MISUSE_DOUBLE_FREE) {
        add_block(line, record);
    } else {
        add_block(line, record);
        add(line, ": byte %td", finding->offset);
    }
}

/* ---- the dump ------------------------------------------------------------------------------- */

static void add_bytes(text *dump, const unsigned char *bytes)
{
    for (size_t i = 0; i < ROW; i++) {
        add(dump, " %02x", bytes[i]);
    }
    add(dump, "  ");
    for (size_t i = 0; i < ROW; i++) {
        add(dump, "%c", bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '.');
    }
    add(dump, "\n");
}

static void add_row(text *dump, const char *name, uintptr_t address)
{
    unsigned char bytes[ROW];
    add(dump, "    %-6s 0x%012llx ", name, (unsigned long long)address);
    if (hy__peek(bytes, (const void *)address, sizeof bytes)) { /* NOLINT(*-int-to-ptr) */
        add_bytes(dump, bytes);
    } else {
        add(dump, " can't be read\n");
    }
}

/*
 *     before   16 bytes of the guard
 *     start    the first 16 of the block
 *     there    those around the byte that it is about, where they are none of the others
 *     end      the last 16, where the block has more than the start shows
 *     after    the first 16 of the guard
 */
static void add_rows(text *dump, const hy__finding *finding)
{
    const hy__record *const record = &finding->record;
    const uintptr_t block = (uintptr_t)record->block;
    const ptrdiff_t size = (ptrdiff_t)record->size;
    const ptrdiff_t there = finding->offset & ~(ptrdiff_t)(ROW - 1);
    const bool shown = there == -ROW || there == 0 || (there >= size - ROW && there <= size);
    add_row(dump, "before", block - ROW);
    add_row(dump, "start", block);
    if (!shown) {
        add_row(dump, "there", block + (uintptr_t)there);
    }
    if (size > ROW) {
        add_row(dump, "end", block + (uintptr_t)(size - ROW));
    }
    add_row(dump, "after", block + (uintptr_t)size);
}

void hy__report(const hy__finding *finding)
{
    text detail = {.used = 0};
    text dump = {.used = 0};
    add(&detail, "(");
    add_detail(&detail, finding);
    add(&detail, ")");
    if (finding->record.hooks != NULL) {
        add_rows(&dump, finding);
    } else {
        add_row(&dump, "there", (uintptr_t)finding->address);
    }
    hy__misuse_shown(finding->kind, "domain", finding->address, detail.bytes, dump.bytes);
}

void hy__report_no_lock(const hy__hooks *hooks, const char *call, const void *block)
{
    text detail = {.used = 0};
    add(&detail, "(%s %s)", hy_domain_name(hooks->domain), call);
    hy__misuse(HY_MISUSE_NO_LOCK, "domain", block, detail.bytes);
}
