/*
 * yard_break.h: chunks from the break, for the defect that believes the break to be its own.
 */
#ifndef HEAPYARD_CORPUS_YARD_BREAK_H
#define HEAPYARD_CORPUS_YARD_BREAK_H

/* A chunk of YARD_CHUNK bytes; NULL where chunks are mappings, as they are without the defect. */
void *yard_break_chunk(void);

#endif /* HEAPYARD_CORPUS_YARD_BREAK_H */
