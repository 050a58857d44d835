/*
 * yard_surroundings.h: what the corpus allocator does to open files and signals: nothing, unless a
 * defect has it so.
 */
#ifndef HEAPYARD_CORPUS_YARD_SURROUNDINGS_H
#define HEAPYARD_CORPUS_YARD_SURROUNDINGS_H

/* Before each mapping. */
void yard_surroundings_map(void);

#endif /* HEAPYARD_CORPUS_YARD_SURROUNDINGS_H */
