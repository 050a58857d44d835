/*
 * yard_lock.h: the one lock of the corpus allocator.
 *
 * The word says whose it is, so that taking it and owning it are one step. That matters to fork: a
 * signal handler that interrupts malloc may fork, and then the handler of fork must see that the lock
 * is its own thread's, or wait for itself.
 */
#ifndef HEAPYARD_CORPUS_YARD_LOCK_H
#define HEAPYARD_CORPUS_YARD_LOCK_H

void yard_acquire(void);
void yard_release(void);

/* Takes the lock across fork from now on. Done by a constructor, or late by a defect. */
void yard_lock_survives_fork(void);

#endif /* HEAPYARD_CORPUS_YARD_LOCK_H */
