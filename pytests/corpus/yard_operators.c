/*
 * yard_operators.c: C++'s operator new and delete, in C, by their mangled names.
 *
 * All of them, as a library must have it that has one. Where there is no memory they call the new
 * handler of libstdc++, if the program has one, and try again. What a throwing operator would throw
 * is an abort here: nothing that is run on the corpus asks for so much.
 */
#include <stdlib.h>

#include "yard_family.h"

/* A function under another name: the declaration, before the definition. */
#define NAMED(name, symbol, ...) name(__VA_ARGS__) __asm__(symbol)

typedef void handler(void);

/* std::get_new_handler; a program without C++ has none. */
YARD_API handler *NAMED(yard_get_handler, "_ZSt15get_new_handlerv", void) __attribute__((weak));

/* Calls the handler; false: there is none. */
static bool handles(void)
{
    handler *const found = yard_get_handler != NULL ? yard_get_handler() : NULL;
    if (found == NULL || yard_defect(DEFECT_new_forgets_handler)) {
        return false;
    }
    found();
    return true;
}

static void *take(size_t size)
{
    void *block;
    do {
        block = malloc(size);
    } while (block == NULL && handles());
    return block;
}

static void *or_abort(void *block)
{
    if (block == NULL) {
        abort();
    }
    return block;
}

static void *aligned(size_t size, size_t alignment)
{
    void *block;
    if (yard_defect(DEFECT_new_ignores_alignment)) {
        return take(size);
    }
    do {
        block = aligned_alloc(alignment, size);
    } while (block == NULL && handles());
    return block;
}

/* plain, nothrow, aligned, aligned nothrow; each for one object and for an array */
#define NEWS(form, letters)                                                                        \
    YARD_API void *NAMED(form##_plain, "_Zn" letters "m", size_t size);                            \
    void *form##_plain(size_t size)                                                                \
    {                                                                                              \
        return or_abort(take(size));                                                               \
    }                                                                                              \
    YARD_API void *NAMED(form##_nothrow, "_Zn" letters "mRKSt9nothrow_t", size_t size,             \
                         const void *nothrow);                                                     \
    void *form##_nothrow(size_t size, const void *nothrow)                                         \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return take(size);                                                                         \
    }                                                                                              \
    YARD_API void *NAMED(form##_aligned, "_Zn" letters "mSt11align_val_t", size_t size,            \
                         size_t alignment);                                                        \
    void *form##_aligned(size_t size, size_t alignment)                                            \
    {                                                                                              \
        return or_abort(aligned(size, alignment));                                                 \
    }                                                                                              \
    YARD_API void *NAMED(form##_aligned_nothrow, "_Zn" letters "mSt11align_val_tRKSt9nothrow_t",   \
                         size_t size, size_t alignment, const void *nothrow);                      \
    void *form##_aligned_nothrow(size_t size, size_t alignment, const void *nothrow)               \
    {                                                                                              \
        (void)nothrow;                                                                             \
        return aligned(size, alignment);                                                           \
    }

NEWS(yard_new, "w")
NEWS(yard_new_array, "a")

/* the sized ones */
static void give_sized(void *block)
{
    if (!yard_defect(DEFECT_sized_delete_leaks)) {
        free(block);
    }
}

#define DELETES(form, letters)                                                                     \
    YARD_API void NAMED(form##_plain, "_Zd" letters "Pv", void *block);                            \
    void form##_plain(void *block)                                                                 \
    {                                                                                              \
        free(block);                                                                               \
    }                                                                                              \
    YARD_API void NAMED(form##_sized, "_Zd" letters "Pvm", void *block, size_t size);              \
    void form##_sized(void *block, size_t size)                                                    \
    {                                                                                              \
        (void)size;                                                                                \
        give_sized(block);                                                                         \
    }                                                                                              \
    YARD_API void NAMED(form##_nothrow, "_Zd" letters "PvRKSt9nothrow_t", void *block,             \
                        const void *nothrow);                                                      \
    void form##_nothrow(void *block, const void *nothrow)                                          \
    {                                                                                              \
        (void)nothrow;                                                                             \
        free(block);                                                                               \
    }                                                                                              \
    YARD_API void NAMED(form##_aligned, "_Zd" letters "PvSt11align_val_t", void *block,            \
                        size_t alignment);                                                         \
    void form##_aligned(void *block, size_t alignment)                                             \
    {                                                                                              \
        (void)alignment;                                                                           \
        free(block);                                                                               \
    }                                                                                              \
    YARD_API void NAMED(form##_sized_aligned, "_Zd" letters "PvmSt11align_val_t", void *block,     \
                        size_t size, size_t alignment);                                            \
    void form##_sized_aligned(void *block, size_t size, size_t alignment)                          \
    {                                                                                              \
        (void)size;                                                                                \
        (void)alignment;                                                                           \
        give_sized(block);                                                                         \
    }                                                                                              \
    YARD_API void NAMED(form##_aligned_nothrow, "_Zd" letters "PvSt11align_val_tRKSt9nothrow_t",   \
                        void *block, size_t alignment, const void *nothrow);                       \
    void form##_aligned_nothrow(void *block, size_t alignment, const void *nothrow)                \
    {                                                                                              \
        (void)alignment;                                                                           \
        (void)nothrow;                                                                             \
        free(block);                                                                               \
    }

DELETES(yard_delete, "l")
DELETES(yard_delete_array, "a")
