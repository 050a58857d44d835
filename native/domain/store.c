#include "domain/store.h"

#include <pthread.h>

#include <heapyard/bump.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static hy_bump *store;

void hy__domain_lock(void)
{
    (void)pthread_mutex_lock(&mutex);
}

void hy__domain_unlock(void)
{
    (void)pthread_mutex_unlock(&mutex);
}

void *hy__domain_keep(size_t size)
{
    if (store == NULL) {
        store = hy_bump_new(NULL);
    }
    return store != NULL ? hy_bump_alloc(store, size) : NULL;
}

void hy__domain_watch_fork(void)
{
    (void)pthread_atfork(hy__domain_lock, hy__domain_unlock, hy__domain_unlock);
}
