/*
 * races.c: threads that use raw while others replace its table, and that ask for blocks under hooks.
 *
 *     races tables    readers call through tables whose context must fit their functions
 *     races serials   many threads under hooks: the serial numbers are counted once each
 *     races fork      a child forked while threads hold the locks can still allocate
 *
 * Ends with 0, or prints what was wrong and ends with 1.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <heapyard/debug.h>
#include <heapyard/domain.h>

#define THREADS  4
#define REQUESTS 20000
#define TABLES   3

static atomic_bool stop;
static atomic_uint mixed;

/* ---- tables: function k must get context k -------------------------------------------------- */

static char contexts[TABLES];

#define TABLE_FUNCTIONS(k)                                                                         \
    static void *malloc_##k(void *context, size_t size)                                            \
    {                                                                                              \
        if (context != &contexts[k]) {                                                             \
            atomic_fetch_add(&mixed, 1);                                                           \
        }                                                                                          \
        return malloc(size);                                                                       \
    }                                                                                              \
    static void free_##k(void *context, void *block)                                               \
    {                                                                                              \
        if (context != &contexts[k]) {                                                             \
            atomic_fetch_add(&mixed, 1);                                                           \
        }                                                                                          \
        free(block);                                                                               \
    }

TABLE_FUNCTIONS(0)
TABLE_FUNCTIONS(1)
TABLE_FUNCTIONS(2)

static void *any_calloc(void *context, size_t count, size_t size)
{
    (void)context;
    return calloc(count, size);
}

static void *any_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size);
}

#define TABLE(k)                                                                                   \
    {                                                                                              \
        &contexts[k], malloc_##k, any_calloc, any_realloc, free_##k                                \
    }

static const hy_allocator tables[TABLES] = {TABLE(0), TABLE(1), TABLE(2)};

static void *read_tables(void *unused)
{
    for (int i = 0; i < REQUESTS; i++) {
        hy_raw_free(hy_raw_malloc(16));
    }
    return unused;
}

static void *replace_tables(void *unused)
{
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        if (!hy_domain_set_allocator(HY_DOMAIN_RAW, &tables[i % TABLES])) {
            atomic_fetch_add(&mixed, 1);
        }
        hy_allocator seen;
        hy_domain_get_allocator(HY_DOMAIN_RAW, &seen);
    }
    return unused;
}

/* ---- serials -------------------------------------------------------------------------------- */

static void *ask(void *unused)
{
    void *blocks[16] = {NULL};
    for (int i = 0; i < REQUESTS; i++) {
        void **const slot = &blocks[i % 16];
        const size_t size = 20 + (size_t)(i % 300);
        hy_raw_free(*slot);
        *slot = hy_raw_realloc(hy_raw_malloc(size), size - 1);
        memset(*slot, i, size - 1);
    }
    for (int i = 0; i < 16; i++) {
        hy_raw_free(blocks[i]);
    }
    return unused;
}

/* ---- running -------------------------------------------------------------------------------- */

static void run(void *(*work)(void *), void *(*beside)(void *))
{
    pthread_t workers[THREADS];
    pthread_t other;
    if (beside != NULL) {
        pthread_create(&other, NULL, beside, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&workers[i], NULL, work, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i], NULL);
    }
    atomic_store(&stop, true);
    if (beside != NULL) {
        pthread_join(other, NULL);
    }
}

static int check_tables(void)
{
    if (!hy_domain_set_allocator(HY_DOMAIN_RAW, &tables[0])) {
        return 1;
    }
    run(read_tables, replace_tables);
    printf("%u calls with a context of another table\n", atomic_load(&mixed));
    return atomic_load(&mixed) != 0;
}

static void *look_at_all(void *unused)
{
    while (!atomic_load(&stop)) {
        hy_domain_counters counters;
        (void)hy_domain_get_counters(HY_DOMAIN_RAW, &counters);
        atomic_fetch_add(&mixed, (unsigned)hy_debug_check_all());
    }
    return unused;
}

static int check_serials(void)
{
    (void)hy_domain_setup_debug_hooks(HY_DOMAIN_ALL, NULL);
    run(ask, look_at_all);
    const unsigned long long serial = hy_debug_serial();
    const unsigned long long expected = 2ull * THREADS * REQUESTS;
    const size_t leaks = hy_debug_leaks(NULL, 0, NULL);
    printf("serial %llu, expected %llu; %zu leaks; %u damaged\n", serial, expected, leaks,
           atomic_load(&mixed));
    return serial != expected || leaks != 0 || atomic_load(&mixed) != 0;
}

static void *keep_asking(void *unused)
{
    while (!atomic_load(&stop)) {
        hy_raw_free(hy_raw_malloc(24));
    }
    return unused;
}

static void *fork_often(void *unused)
{
    for (int i = 0; i < 30; i++) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);
            hy_raw_free(hy_raw_malloc(24));
            _exit(0);
        }
        int status = 1;
        (void)waitpid(child, &status, 0);
        if (status != 0) {
            atomic_fetch_add(&mixed, 1);
        }
    }
    atomic_store(&stop, true);
    return unused;
}

static int check_fork(void)
{
    (void)hy_domain_setup_debug_hooks(HY_DOMAIN_ALL, NULL);
    run(keep_asking, fork_often);
    printf("%u children that could not allocate\n", atomic_load(&mixed));
    return atomic_load(&mixed) != 0;
}

int main(int count, char **arguments)
{
    const char *const mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "tables") == 0) {
        return check_tables();
    }
    if (strcmp(mode, "serials") == 0) {
        return check_serials();
    }
    return strcmp(mode, "fork") == 0 ? check_fork() : 2;
}
