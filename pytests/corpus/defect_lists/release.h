/* Defects: memory that does not go back, does not merge, grows or is wasted. What the columns are
 * stands in yard_defects.h. */
#ifndef HEAPYARD_CORPUS_DEFECTS_RELEASE_H
#define HEAPYARD_CORPUS_DEFECTS_RELEASE_H

#define YARD_RELEASE_DEFECTS(X)                                                                    \
    X(mapping_never_unmapped, "HY-RSS-01", "memory", "a freed mapping stays mapped")               \
    X(mapping_cache_unbounded, "HY-RSS-01", "memory",                                              \
      "freed mappings wait for reuse, however many (google/tcmalloc issue 294)")                   \
    X(goes_back_from_32m, "HY-RSS-02", "figure", "a freed mapping below 32 MiB waits for reuse")   \
    X(trim_top_only, "HY-RSS-03", "memory",                                                        \
      "chunks go back by malloc_trim only, and only the newest (glibc before 2.8)")                \
    X(trim_skips_pinned, "HY-RSS-04", "memory",                                                    \
      "malloc_trim gives back whole chunks only, no page between live blocks")                     \
    X(trim_answers_0, "HY-RSS-05", "memory", "malloc_trim answers 0 whatever it gives back")       \
    X(purge_rounds_outward, "HY-RSS-06", "content",                                                \
      "the last page of a free span is given back with the live block that begins in it")          \
    X(small_never_released, "HY-RSS-07", "figure",                                                 \
      "chunks of small blocks never go back (Zig issue 23592)")                                    \
    X(release_waits_for_malloc, "HY-RSS-08", "figure",                                             \
      "free chunks go back at the next malloc, which an idle process does not call")               \
    X(survivor_pins_chunk, "HY-RSS-09", "figure",                                                  \
      "pages around the last blocks of a chunk stay until it is empty")                            \
    X(chunks_lazily_free, "HY-RSS-10", "figure",                                                   \
      "chunks are given back by MADV_FREE and stay in view (snmalloc issue 846)")                  \
    X(startup_touches_64m, "HY-RSS-11", "memory", "the first call touches 64 MiB")                 \
    X(mapping_for_each_page, "HY-RSS-12", "memory",                                                \
      "each block of a page or more is a mapping that merges with no other")                       \
    X(mappings_set_apart, "HY-RSS-13", "figure", "neighbouring large mappings never merge")        \
    X(calloc_clears_fresh, "HY-RSS-14", "memory", "calloc clears fresh mappings by hand")          \
    X(malloc_touches_all, "HY-RSS-15", "memory", "malloc touches each page of a large block")      \
    X(huge_keeps_addresses, "HY-RSS-16", "memory",                                                 \
      "freed blocks of 1 GiB and more keep their addresses")                                       \
    X(large_shrink_keeps, "HY-RSS-17", "memory",                                                   \
      "a large mapping that shrinks keeps all its pages (glibc BZ 30579)")                         \
    X(many_shrunk_keep, "HY-RSS-18", "figure", "mappings up to 4 MiB keep all when they shrink")   \
    X(merge_not_with_previous, "HY-MERGE-01", "memory",                                            \
      "a freed block does not merge with a free one before it")                                    \
    X(merge_not_with_next, "HY-MERGE-02", "memory",                                                \
      "a freed block does not merge with a free one behind it")                                    \
    X(merge_one_side_only, "HY-MERGE-03", "memory",                                                \
      "a freed block between two free ones merges with one of them")                               \
    X(merge_never, "HY-MERGE-04", "memory", "free blocks never merge (Hoard issue 1)")             \
    X(merge_stops_at_16, "HY-MERGE-05", "memory", "every sixteenth merge is left out")             \
    X(classes_keep_memory, "HY-MERGE-06", "memory",                                                \
      "memory of one size class never serves another")                                             \
    X(whole_needs_new_memory, "HY-MERGE-07", "figure",                                             \
      "memory of small blocks never serves a large one")                                           \
    X(aligned_base_lost, "HY-MERGE-08", "memory",                                                  \
      "what lies around an aligned block is lost when it is freed (glibc BZ 14581)")               \
    X(class_never_reused, "HY-MERGE-09", "memory", "freed blocks of one class are lost")           \
    X(chunks_keep_addresses, "HY-MERGE-10", "figure",                                              \
      "the memory of free chunks goes back, their addresses are not used again")                   \
    X(small_blocks_keep_memory, "HY-MERGE-11", "memory",                                           \
      "chunks in which blocks below 4 KiB were freed never go back (glibc BZ 24531)")              \
    X(mappings_kept_by_number, "HY-MERGE-12", "memory",                                            \
      "128 freed mappings wait for reuse, however large they are")                                 \
    X(mapping_record_lost, "HY-FRAG-11", "memory",                                                 \
      "64 bytes that describe a mapping are lost with it (jemalloc issue 2815)")                   \
    X(phase_loses_blocks, "HY-FRAG-01", "memory", "each tenth freed block is lost")                \
    X(phase_loses_a_page, "HY-FRAG-02", "memory", "each fiftieth free loses a page")               \
    X(one_mapping_in_16_lost, "HY-FRAG-03", "memory", "each sixteenth freed mapping is lost")      \
    X(two_buffers_leak, "HY-FRAG-04", "memory",                                                    \
      "of mappings between 64 and 96 KiB, each second free is lost (wee_alloc issue 106)")         \
    X(large_keeps_addresses, "HY-FRAG-05", "memory",                                               \
      "freed blocks of 32 MiB and more keep their addresses")                                      \
    X(churn_keeps_addresses, "HY-FRAG-06", "memory",                                               \
      "freed blocks of 1 MiB and more keep their addresses (jemalloc issue 496)")                  \
    X(shadow_of_each_block, "HY-FRAG-07", "figure", "each block has as much again, written")       \
    X(block_is_doubled, "HY-FRAG-08", "figure", "each block is made twice as large")               \
    X(powers_of_two_written, "HY-FRAG-09", "figure",                                               \
      "each block is a power of two, written to its end")                                          \
    X(survivors_strand, "HY-FRAG-10", "memory",                                                    \
      "free blocks of a chunk are not used again once it is full")                                 \
    X(large_finds_no_room, "HY-OOM-15", "memory",                                                  \
      "free chunks wait for malloc_trim, though a large block finds no room (Hoard issue 1)")      \
    X(usable_is_twice, "HY-SIZE-01", "memory", "each block is twice as large, and 128 bytes")      \
    X(usable_is_half_more, "HY-SIZE-02", "figure", "each block is half as large again")            \
    X(blocks_at_least_512, "HY-SIZE-03", "memory", "no block is smaller than 512 bytes")           \
    X(hole_taken_whole, "HY-SIZE-05", "memory",                                                    \
      "where a class has no free block, one of a larger class is taken and not cut")               \
    X(one_class_trebled, "HY-SIZE-06", "memory", "blocks of 2,500 to 3,500 bytes take 10,000")     \
    X(class_row_misplaced, "HY-SIZE-07", "memory",                                                 \
      "blocks of 4,900 to 5,600 bytes are of a class above that of larger ones")                   \
    X(block_has_64_more, "HY-SIZE-04", "figure", "each block has 64 bytes more")

/* The first and the last of them. */
#define YARD_RELEASE_FIRST DEFECT_mapping_never_unmapped
#define YARD_RELEASE_LAST  DEFECT_block_has_64_more

#endif /* HEAPYARD_CORPUS_DEFECTS_RELEASE_H */
