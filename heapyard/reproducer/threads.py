"""The C text of threads that make their calls in turn, or at the same time."""

__all__ = ["END_THREAD", "LOCK", "ON_THREAD", "THREADS", "TOGETHER"]

LOCK = """\
/* Held while a block enters or leaves, never during a call of the allocator. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;"""

THREADS = """\
/* Threads, by number. Each waits for a part of the calls, makes them, and waits again. */
static struct thread {
    pthread_t id;
    int is_there;
    void (*part)(void); /* NULL: the thread is to end */
    sem_t go, done;
} threads[COUNT_OF_THREADS];

static void *live(void *argument)
{
    struct thread *const me = argument;
    for (;;) {
        while (sem_wait(&me->go) != 0) {
        }
        if (me->part == NULL) {
            return NULL;
        }
        me->part();
        (void)sem_post(&me->done);
    }
}

static void start(int number, void (*part)(void))
{
    struct thread *const t = &threads[number];
    const int kept = errno;
    t->part = part;
    if (!t->is_there) {
        (void)sem_init(&t->go, 0, 0);
        (void)sem_init(&t->done, 0, 0);
        t->is_there = pthread_create(&t->id, NULL, live, t) == 0;
    }
    errno = kept;
    (void)sem_post(&t->go);
}

static void finish(int number)
{
    while (sem_wait(&threads[number].done) != 0) {
    }
}"""

ON_THREAD = """\
/* The thread makes these calls while all others wait. It starts at its first. */
static void on_thread(int number, void (*part)(void))
{
    start(number, part);
    finish(number);
}"""

END_THREAD = """\
static void end_thread(int number)
{
    struct thread *const t = &threads[number];
    if (t->is_there) {
        t->part = NULL;
        (void)sem_post(&t->go);
        (void)pthread_join(t->id, NULL);
        t->is_there = 0;
    }
}"""

TOGETHER = """\
/* Where threads wait until all are there. */
static pthread_barrier_t barrier;

static void together(void)
{
    (void)pthread_barrier_wait(&barrier);
}"""
