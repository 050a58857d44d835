/*
 * yard_stack.h: what a call needs of the stack.
 */
#ifndef HEAPYARD_CORPUS_YARD_STACK_H
#define HEAPYARD_CORPUS_YARD_STACK_H

/* Writes a table on the stack: a large one, where a defect has it so. */
void yard_fill_frame(void);

#endif /* HEAPYARD_CORPUS_YARD_STACK_H */
