/*
 * start.h: the choice that HEAPYARD_MALLOC makes, once.
 */
#ifndef HEAPYARD_DOMAIN_START_H
#define HEAPYARD_DOMAIN_START_H

/* Reads the environment and puts the first tables in force, if that was not done yet. A value that
 * is not allowed ends the process. Without the lock. */
void hy__domain_start(void);

#endif /* HEAPYARD_DOMAIN_START_H */
