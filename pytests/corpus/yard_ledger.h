/*
 * yard_ledger.h: a table of all live blocks, which the sound build does not have: it is there for
 * defects, which search it from its start.
 */
#ifndef HEAPYARD_CORPUS_YARD_LEDGER_H
#define HEAPYARD_CORPUS_YARD_LEDGER_H

/* A block is live; or no more; or its size was asked for. Under the lock, or by one thread. */
void yard_ledger_enter(void *block);
void yard_ledger_leave(const void *block);
void yard_ledger_ask(const void *block);

#endif /* HEAPYARD_CORPUS_YARD_LEDGER_H */
