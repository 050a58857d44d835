/*
 * yard_statistics.c: the counters, and the functions of glibc that tell them.
 */
#include "yard_statistics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_family.h"
#include "yard_threads.h"

static size_t live; /* bytes of live blocks */
static size_t from_system;

static void add(size_t *counter, size_t bytes)
{
    (void)__atomic_fetch_add(counter, bytes, __ATOMIC_RELAXED);
}

static void subtract(size_t *counter, size_t bytes)
{
    (void)__atomic_fetch_sub(counter, bytes, __ATOMIC_RELAXED);
}

static size_t counted(const void *block)
{
    const yard_header *header = yard_header_of(block);
    const bool is_left_out = yard_defect(DEFECT_told_without_mappings) && header->klass == YARD_BIG;
    return is_left_out ? 0 : header->capacity;
}

void yard_count_live(const void *block)
{
    add(&live, counted(block));
}

void yard_count_dead(const void *block)
{
    if (yard_defect(DEFECT_told_remote_frees_twice) && yard_is_remote(block)) {
        subtract(&live, counted(block));
    }
    subtract(&live, counted(block));
}

void yard_count_mapped(size_t length)
{
    add(&from_system, length);
}

void yard_count_unmapped(size_t length)
{
    if (!yard_defect(DEFECT_told_unmapped_as_mapped)) {
        subtract(&from_system, length);
    }
}

/* ---- as glibc tells it --------------------------------------------------------------------- */

/* Declared here under names of their own: not every libc has them. */
typedef struct yard_told2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
} yard_told2;

typedef struct yard_told {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
} yard_told;

YARD_API yard_told2 yard_mallinfo2(void) __asm__("mallinfo2");
YARD_API yard_told yard_mallinfo(void) __asm__("mallinfo");

yard_told2 yard_mallinfo2(void)
{
    const size_t in_use = __atomic_load_n(&live, __ATOMIC_RELAXED);
    const size_t mapped = __atomic_load_n(&from_system, __ATOMIC_RELAXED);
    return (yard_told2){
        .arena = mapped, .uordblks = in_use, .fordblks = mapped > in_use ? mapped - in_use : 0};
}

yard_told yard_mallinfo(void)
{
    const yard_told2 told = yard_mallinfo2();
    return (yard_told){
        .arena = (int)told.arena, .uordblks = (int)told.uordblks, .fordblks = (int)told.fordblks};
}

YARD_API int malloc_info(int options, FILE *stream);
int malloc_info(int options, FILE *stream)
{
    const yard_told2 told = yard_mallinfo2();
    if (options != 0 && !yard_defect(DEFECT_told_with_any_option)) {
        errno = EINVAL;
        return -1;
    }
    (void)fprintf(stream,
                  "<malloc version=\"1\"><system size=\"%zu\"/><live size=\"%zu\"/></malloc>\n",
                  told.arena, told.uordblks);
    return 0;
}
