#include "yard_stack.h"

#include <stddef.h>

#include "yard_defects.h"

static __attribute__((noinline)) void fill_large(void)
{
    volatile char table[128 << 10];
    for (size_t i = 0; i < sizeof table; i += 4096) {
        table[i] = 1;
    }
}

void yard_fill_frame(void)
{
    if (yard_defect(DEFECT_frame_of_128k)) {
        fill_large();
    }
}
