"""The C text of threads that make their calls in turn, or at the same time."""

from heapyard.reproducer.writer import Site, Writer

__all__ = [
    "END_THREAD",
    "LOCK",
    "ON_THREAD",
    "STACK_SIZE",
    "THREADS",
    "TOGETHER",
    "of_threads",
    "write_stack",
]

LOCK = """\
/* Held while a block enters or leaves, never during a call of the allocator. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;"""

STACK_SIZE = """\
/* Of threads that start from here on; 0: as large as they come. */
static size_t stack_size;

static const pthread_attr_t *attributes(void)
{
    static pthread_attr_t chosen;
    (void)pthread_attr_init(&chosen);
    (void)pthread_attr_setstacksize(&chosen, stack_size);
    return stack_size != 0 ? &chosen : NULL;
}"""

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
<watched>    for (;;) {
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
        t->is_there = pthread_create(&t->id, <attributes>, live, t) == 0;
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


def write_stack(writer: Writer, site: Site) -> None:
    """Threads start with such a stack from here on."""
    writer.say(f"{writer.helper('stack_size')} = {site.size};")


def of_threads(text: str, *, sized: bool, watched: bool) -> str:
    """THREADS with stacks of a chosen size, and signals that have one of their own; or without."""
    watch = "    use_other_stack();\n" if watched else ""
    attributes = "attributes()" if sized else "NULL"
    return text.replace("<watched>", watch).replace("<attributes>", attributes)
