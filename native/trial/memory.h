/*
 * memory.h: the engine's own memory. It never comes from the target, so a broken malloc can't
 * disturb the model that judges it.
 *
 * One span of address space is reserved at the start and handed out from the bottom:
 *
 *     [ plan ][ slots ][ index ... -> used ][ not yet touched ................ reserved ]
 *
 * Nothing is given back before the end. Pages cost memory only once they are touched, and the span
 * is fixed before a limit on address space is set, so the limit meets the target alone.
 */
#ifndef HEAPYARD_TRIAL_MEMORY_H
#define HEAPYARD_TRIAL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hy_memory {
    unsigned char *base;
    size_t reserved;
    size_t used;
} hy_memory;

/* Reserves up to 16 GiB, less where the system refuses that. False if not even 16 MiB is left. */
bool hy__memory_open(hy_memory *memory);
void hy__memory_close(hy_memory *memory);

/* `size` bytes of zeros at a multiple of 64; NULL if and only if the span is used up. O(1). */
void *hy__memory_take(hy_memory *memory, size_t size);

/* Bytes of the span that are in RAM now. */
size_t hy__memory_resident(const hy_memory *memory);

#endif /* HEAPYARD_TRIAL_MEMORY_H */
