/*
 * yard_crowd.h: many live blocks at once, for defects that need them.
 */
#ifndef HEAPYARD_CORPUS_YARD_CROWD_H
#define HEAPYARD_CORPUS_YARD_CROWD_H

/* A block that malloc answers. */
void yard_crowd_enter(void *block);

/* The block that free is to give back in place of this one: the same, but for a defect. */
void *yard_crowd_leave(void *block);

#endif /* HEAPYARD_CORPUS_YARD_CROWD_H */
