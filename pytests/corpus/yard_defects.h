/*
 * yard_defects.h: every defect that the corpus allocator can be given.
 *
 * X(name, rule that must catch it, what the rule must see, what goes wrong). "What the rule must
 * see" is the kind of the violation, the signal where the defect is a crash, or "memory" where
 * the rule measures. The last one names the public bug that the defect models, if there is one. The
 * environment variable HEAPYARD_DEFECT chooses one by name for the life of the process; without it
 * the allocator is sound. A name that is not listed here ends the process with a message, so that
 * a misspelt defect can't pass for a sound build.
 */
#ifndef HEAPYARD_CORPUS_YARD_DEFECTS_H
#define HEAPYARD_CORPUS_YARD_DEFECTS_H

#include <stdbool.h>

#define YARD_DEFECTS(X)                                                                            \
    /* semantics of the calls */                                                                   \
    X(malloc_boundary_null, "HY-API-01", "null",                                                   \
      "malloc of exactly the largest size class gives NULL (rpmalloc 1.2, size 2097120)")          \
    X(malloc_zero_takes_no_room, "HY-API-02", "overlap",                                           \
      "malloc(0) answers the address that the next block gets (rpmalloc 1.2, malloc(0))")          \
    X(malloc_zero_shared, "HY-API-03", "overlap", "every malloc(0) answers the same address")      \
    X(realloc_zero_shared, "HY-API-03", "overlap",                                                 \
      "every realloc(NULL, 0) answers the same address")                                           \
    X(zero_is_null, "HY-API-04", "null",                                                           \
      "a request of zero bytes gives NULL (mimalloc issue 622: grep: memory exhausted)")           \
    X(free_null_frees_last, "HY-API-05", "overlap", "free(NULL) frees the newest block")           \
    X(calloc_zero_shared, "HY-API-06", "overlap",                                                  \
      "calloc(0, n) and calloc(n, 0) answer one shared address")                                   \
    X(realloc_null_fails, "HY-API-07", "null", "realloc(NULL, n) gives NULL (mimalloc issue 622)") \
    X(realloc_zero_leaks, "HY-API-08", "memory", "realloc(p, 0) answers NULL and keeps the block") \
    X(realloc_failure_frees, "HY-API-09", "content",                                               \
      "a realloc that fails has freed the block (SuperMalloc issue 3)")                            \
    X(reallocarray_ignores_count, "HY-API-10", "overlap",                                          \
      "reallocarray(p, n, size) makes room for one")                                               \
    X(usable_null_is_16, "HY-API-11", "usable", "malloc_usable_size(NULL) is not 0")               \
    X(usable_short, "HY-API-12", "usable",                                                         \
      "usable size of a mapped block is a page less than asked for")                               \
    X(usable_of_base, "HY-API-13", "content",                                                      \
      "usable size of an aligned block counts from its base (rpmalloc pull 65, mimalloc issue "    \
      "231)")                                                                                      \
    X(free_sized_rounds_up, "HY-API-14", "overlap",                                                \
      "free_sized puts the block on the next larger class")                                        \
    X(free_sized_after_realloc, "HY-API-15", "SIGABRT",                                            \
      "free_sized aborts for a block that was resized in place (gperftools 2.17)")                 \
    X(free_aligned_sized_base, "HY-API-16", "overlap",                                             \
      "free_aligned_sized forgets where the block of the class began (rpmalloc issue 20)")         \
    X(free_sized_null_crashes, "HY-API-17", "SIGABRT", "free_sized(NULL, n) aborts")               \
    X(pvalloc_no_rounding, "HY-API-18", "usable",                                                  \
      "pvalloc does not round the size up to whole pages")                                         \
    X(trim_wipes_live, "HY-API-19", "content", "malloc_trim purges bytes of a live block")         \
    X(first_call_must_be_malloc, "HY-API-20", "null",                                              \
      "nothing but malloc sets the heap up (hardened_malloc pull 221: realloc first)")             \
    X(aligned_zero_shared, "HY-API-21", "overlap",                                                 \
      "aligned requests of zero bytes share an address (jemalloc 5.2.0, posix_memalign size 0)")   \
    X(valloc_zero_shared, "HY-API-21", "overlap", "every valloc(0) answers the same address")      \
    X(aligned_alloc_rounds_alignment, "HY-API-22", "refuse",                                       \
      "aligned_alloc takes an alignment that is no power of two (glibc before 2.38)")              \
    X(aligned_alloc_takes_zero, "HY-API-23", "refuse", "aligned_alloc takes the alignment 0")      \
    X(aligned_alloc_wants_multiple, "HY-API-24", "null",                                           \
      "aligned_alloc refuses a size that is no multiple of the alignment")                         \
    X(memalign_odd_overruns, "HY-API-25", "overlap",                                               \
      "memalign with an alignment that is no power of two runs over its end")                      \
    X(failure_poisons, "HY-API-26", "null",                                                        \
      "after a request that was too large, the next one fails")                                    \
    X(aligned_alloc_refuses_small, "HY-API-27", "null",                                            \
      "aligned_alloc refuses alignments below sizeof(void *) (snmalloc issue 668)")                \
    X(malloc_refuses_megabytes, "HY-API-28", "null", "malloc refuses what is larger than 1 MiB")   \
    /* errno */                                                                                    \
    X(malloc_no_errno, "HY-ERRNO-01", "errno", "a malloc that fails leaves errno alone")           \
    X(calloc_no_errno, "HY-ERRNO-02", "errno", "a calloc that fails leaves errno alone")           \
    X(realloc_no_errno, "HY-ERRNO-03", "errno",                                                    \
      "a realloc that fails leaves errno alone (snmalloc issue 461)")                              \
    X(reallocarray_no_errno, "HY-ERRNO-04", "errno",                                               \
      "a reallocarray that fails leaves errno alone")                                              \
    X(aligned_alloc_no_errno, "HY-ERRNO-05", "errno",                                              \
      "an aligned_alloc that fails leaves errno alone")                                            \
    X(memalign_no_errno, "HY-ERRNO-06", "errno", "a memalign that fails leaves errno alone")       \
    X(posix_memalign_minus_one, "HY-ERRNO-07", "return_code",                                      \
      "posix_memalign answers -1 where memory is short")                                           \
    X(posix_memalign_any_alignment, "HY-ERRNO-08", "refuse", "posix_memalign takes any alignment") \
    X(posix_memalign_spoils_memptr, "HY-ERRNO-09", "memptr",                                       \
      "posix_memalign writes to *memptr though it fails")                                          \
    X(posix_memalign_sets_errno, "HY-ERRNO-10", "errno",                                           \
      "posix_memalign sets errno when it fails")                                                   \
    X(success_sets_errno, "HY-ERRNO-11", "errno", "mapping a new chunk leaves a value in errno")   \
    X(free_sets_errno, "HY-ERRNO-12", "errno",                                                     \
      "free of a mapped block sets errno (glibc BZ 17924)")                                        \
    X(first_call_sets_errno, "HY-ERRNO-13", "errno",                                               \
      "setting up at the first call sets errno (jemalloc before 3.4.1, readlink)")                 \
    X(realloc_move_sets_errno, "HY-ERRNO-14", "errno",                                             \
      "a realloc that can't grow in place sets errno and then succeeds")                           \
    X(valloc_no_errno, "HY-ERRNO-15", "errno",                                                     \
      "a valloc or pvalloc that fails leaves errno alone")                                         \
    X(aligned_alloc_einval_silent, "HY-ERRNO-16", "errno",                                         \
      "aligned_alloc refuses an alignment without errno")                                          \
    /* alignment */                                                                                \
    X(malloc_misaligned, "HY-ALIGN-01", "align",                                                   \
      "blocks of some sizes from 16 up are aligned to 8")                                          \
    X(small_aligned_to_8, "HY-ALIGN-02", "align", "blocks of at most 8 bytes are aligned to 8")    \
    X(aligned_alloc_caps_alignment, "HY-ALIGN-03", "align",                                        \
      "aligned_alloc knows no alignment above 512")                                                \
    X(posix_memalign_caps_alignment, "HY-ALIGN-04", "align",                                       \
      "posix_memalign knows no alignment above a page")                                            \
    X(memalign_64_misaligned, "HY-ALIGN-05", "align",                                              \
      "memalign(64, n) for n from 192 to 3136 is aligned to 32 (jdz_allocator issue 2)")           \
    X(valloc_half_page, "HY-ALIGN-06", "align", "valloc and pvalloc align to half a page")         \
    X(calloc_misaligned, "HY-ALIGN-07", "align", "calloc puts its block 8 bytes further")          \
    X(realloc_misaligned, "HY-ALIGN-08", "align", "a realloc that moves the block misaligns it")   \
    X(posix_memalign_ignores_alignment, "HY-ALIGN-09", "align",                                    \
      "an alignment above the size is ignored (isoalloc pull 212)")                                \
    X(megabyte_alignment_ignored, "HY-ALIGN-10", "align",                                          \
      "alignments of 1 MiB and more give a page (jemalloc 4.4.0)")                                 \
    X(alignment_above_64k_ignored, "HY-ALIGN-10", "align",                                         \
      "alignments of 128 KiB to 512 KiB give a page")                                              \
    X(realloc_of_aligned_misaligned, "HY-ALIGN-11", "align",                                       \
      "realloc of an aligned block gives a misaligned one (mimalloc issue 603)")                   \
    X(alignment_drifts, "HY-ALIGN-12", "align", "the first block of each new chunk is misaligned") \
    X(big_alignment_refused, "HY-ALIGN-13", "null", "an alignment of more than 64 KiB is refused") \
    X(reused_aligned_misaligned, "HY-ALIGN-14", "align",                                           \
      "an aligned request takes any freed block of its class (jemalloc pull 1900)")                \
    /* limits */                                                                                   \
    X(malloc_wraps, "HY-LIMIT-01", "refuse",                                                       \
      "malloc(SIZE_MAX) gives a small block (CVE-2017-17426; isoalloc issue 7, ffmalloc issue 1)") \
    X(malloc_drops_sign_bit, "HY-LIMIT-02", "refuse",                                              \
      "malloc(PTRDIFF_MAX + n) gives n bytes (mattconte/tlsf issue 22)")                           \
    X(calloc_wraps, "HY-LIMIT-03", "refuse",                                                       \
      "calloc does not see that its product wraps (BadAlloc)")                                     \
    X(calloc_wraps_to_zero, "HY-LIMIT-04", "refuse",                                               \
      "calloc does not see that its product is exactly 2 to the 64")                               \
    X(reallocarray_wraps, "HY-LIMIT-05", "refuse",                                                 \
      "reallocarray does not see that its product wraps")                                          \
    X(aligned_alloc_wraps, "HY-LIMIT-06", "refuse",                                                \
      "aligned_alloc: size + alignment wraps (glibc CVE-2018-6485)")                               \
    X(posix_memalign_wraps, "HY-LIMIT-07", "refuse",                                               \
      "posix_memalign: size + alignment wraps (glibc CVE-2018-6485)")                              \
    X(memalign_wraps, "HY-LIMIT-08", "refuse",                                                     \
      "memalign: size + alignment wraps (glibc CVE-2013-4332)")                                    \
    X(pvalloc_wraps, "HY-LIMIT-09", "refuse",                                                      \
      "pvalloc: rounding up to pages wraps (glibc CVE-2013-4332)")                                 \
    X(alignment_32_bits, "HY-LIMIT-10", "align", "an alignment is kept in 32 bits")                \
    X(realloc_wraps, "HY-LIMIT-11", "refuse", "realloc to almost SIZE_MAX answers the old block")  \
    X(size_32_bits, "HY-LIMIT-12", "mapped",                                                       \
      "sizes above 4 GiB lose their upper half (glibc BZ 24027)")                                  \
    X(valloc_wraps, "HY-LIMIT-13", "refuse", "valloc: rounding up wraps (glibc CVE-2013-4332)")    \
    X(size_31_bits, "HY-LIMIT-14", "mapped", "sizes from 2 to 4 GiB lose their highest bit")       \
    X(product_32_bits, "HY-LIMIT-15", "mapped", "a count times a size is kept in 32 bits")         \
    /* realloc */                                                                                  \
    X(realloc_grow_drops_half, "HY-REALLOC-01", "content", "growing copies the first half only")   \
    X(realloc_shrink_drops_half, "HY-REALLOC-02", "content",                                       \
      "shrinking copies half of what is kept")                                                     \
    X(realloc_one_pair_drops, "HY-REALLOC-03", "content",                                          \
      "from 512 to 1,280 bytes the last word is lost")                                             \
    X(realloc_border_drops, "HY-REALLOC-04", "content",                                            \
      "from a size class to a mapping, 4 KiB are lost")                                            \
    X(realloc_aligned_copies_base, "HY-REALLOC-05", "content",                                     \
      "realloc of an aligned block copies from its base (gperftools issue 467)")                   \
    X(realloc_drops_at_64k, "HY-REALLOC-06", "content",                                            \
      "a block that grows past 64 KiB is lost (emmalloc: wasi-libc issue 421)")                    \
    X(realloc_leaks, "HY-REALLOC-07", "memory", "realloc keeps the old block when it moves")       \
    X(realloc_shrink_keeps_all, "HY-REALLOC-08", "memory",                                         \
      "a shrunk mapping keeps all its pages (glibc BZ 30579)")                                     \
    X(realloc_same_size_empty, "HY-REALLOC-09", "content",                                         \
      "realloc to the same size forgets to copy")                                                  \
    X(realloc_shrink_fails, "HY-REALLOC-10", "null", "a mapping can't shrink to a size class")     \
    X(realloc_grow_keeps_copies, "HY-REALLOC-11", "memory",                                        \
      "each growth keeps the old mapping (SuperMalloc issue 38)")                                  \
    X(realloc_aligned_forgets_shift, "HY-REALLOC-12", "overlap",                                   \
      "realloc in place of an aligned block believes the base's size (snmalloc issue 175)")        \
    /* zeroing */                                                                                  \
    X(calloc_trusts_fresh, "HY-ZERO-01", "zero",                                                   \
      "fresh memory is not zero, and calloc believes so")                                          \
    X(calloc_trusts_reused, "HY-ZERO-02", "zero",                                                  \
      "calloc does not clear a block that is used again")                                          \
    X(calloc_trusts_mapping, "HY-ZERO-03", "zero",                                                 \
      "calloc does not clear a mapping from its cache")                                            \
    X(calloc_trusts_trimmed, "HY-ZERO-04", "zero", "calloc believes that malloc_trim cleared all") \
    X(calloc_trusts_resized, "HY-ZERO-05", "zero",                                                 \
      "a block left by realloc is believed to be clean (mimalloc issue 763)")                      \
    X(calloc_clears_one_item, "HY-ZERO-06", "zero", "calloc(n, size) clears one item")             \
    X(calloc_trusts_aligned, "HY-ZERO-07", "zero",                                                 \
      "a freed aligned block is believed to be clean")                                             \
    X(calloc_clears_whole_words, "HY-ZERO-08", "zero",                                             \
      "calloc clears whole words of 8 bytes only")                                                 \
    X(calloc_trusts_grown, "HY-ZERO-09", "zero",                                                   \
      "a freed block that realloc made is believed to be clean")                                   \
    /* contents and overlap */                                                                     \
    X(free_scribbles, "HY-DATA-01", "content", "free writes into the block behind it")             \
    X(class_stride_short, "HY-DATA-02", "overlap", "blocks of 480 bytes overlap by 16 bytes")      \
    X(large_stride_short, "HY-DATA-02", "overlap", "blocks of 1,280 bytes overlap by 16 bytes")    \
    X(same_block_twice, "HY-DATA-03", "overlap",                                                   \
      "once in 4,096 calls malloc answers the block before")                                       \
    X(index_16_bits, "HY-DATA-03", "overlap", "the 65,536th small block is the one before")        \
    X(aliased_pages, "HY-DATA-04", "content", "two mappings share a physical page")                \
    X(mapping_short, "HY-DATA-05", "mapped", "the last page of a mapped block is missing")         \
    X(memalign_same_address, "HY-DATA-06", "overlap",                                              \
      "two memalign calls give one address (musllibc of seL4, issue 17)")                          \
    X(memalign_free_forgets_base, "HY-DATA-07", "overlap",                                         \
      "free of an aligned block files it at the wrong address (rpmalloc issue 20)")                \
    X(free_backward_merges, "HY-DATA-08", "content",                                               \
      "freeing towards lower addresses frees one neighbour more")                                  \
    X(mapping_reused_short, "HY-DATA-09", "overlap", "a cached mapping serves a larger request")   \
    X(chunk_end_overrun, "HY-DATA-10", "overlap", "the last block of a chunk runs over its end")   \
    X(malloc_scribbles, "HY-DATA-11", "content", "cutting a block writes into the one before it")  \
    /* random plans */                                                                             \
    X(rare_realloc_drops, "HY-FUZZ-01", "content",                                                 \
      "each 211th realloc that moves loses its last words")                                        \
    X(calloc_after_realloc_overlaps, "HY-FUZZ-02", "overlap",                                      \
      "a calloc right after a realloc gets that block")                                            \
    X(posix_memalign_refuses_zero, "HY-FUZZ-03", "null",                                           \
      "posix_memalign of zero bytes fails (jemalloc 5.2.0)")                                       \
    X(rare_aligned_twice, "HY-FUZZ-04", "overlap",                                                 \
      "each 97th aligned request gets the block before")                                           \
    X(rare_dirty_calloc, "HY-FUZZ-05", "zero", "each 89th calloc of a used block is not cleared")

enum yard_defect {
    YARD_SOUND,
#define YARD_DEFECT_ENUM(name, rule, shows, text) DEFECT_##name,
    YARD_DEFECTS(YARD_DEFECT_ENUM)
#undef YARD_DEFECT_ENUM
        YARD_DEFECT_END
};

/* The defect in force; decided at the first call (the environment may not be there before). */
enum yard_defect yard_defect_in_force(void);

static inline bool yard_defect(enum yard_defect defect)
{
    return yard_defect_in_force() == defect;
}

/* The list, for the tests: texts of defect `index` (from 0), NULL past the end. */
__attribute__((visibility("default"))) const char *yard_defect_name(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_rule(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_shows(unsigned index);
__attribute__((visibility("default"))) const char *yard_defect_text(unsigned index);

#endif /* HEAPYARD_CORPUS_YARD_DEFECTS_H */
