"""The C text of children, signals, handlers, and of what is called before main and after it."""

from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import EARLY_SIZES

__all__ = [
    "ATFORK",
    "AT_THREAD_EXIT",
    "CHILD",
    "EARLY",
    "OBJECT_DESTRUCTOR",
    "SIGNAL_EVERY",
    "write_atfork",
    "write_early",
    "write_signals",
]

CHILD = """\
/* Forks: 1 in the child. The parent waits for its end, which must be a good one; then 0. */
static int in_child(void)
{
    int status = 0;
<lock>    const pid_t child = fork();
<unlock>    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        return 1;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        failed("expected: the forked child ends well; seen: signal %d\\n", WTERMSIG(status));
    }
    if (status != 0) {
        _exit(1); /* the child has said why */
    }
    return 0;
}"""

AT_THREAD_EXIT = """\
/* Has this thread make calls while it ends: in the destructor of a key, which sets the value again,
 * so that it is called up to four times. */
static __thread void (*late[5])(void);
static __thread unsigned turn;
static pthread_key_t key;

static void on_key(void *value)
{
    turn++;
    for (unsigned later = turn + 1; later <= 4; later++) {
        if (late[later] != NULL) {
            (void)pthread_setspecific(key, value);
        }
    }
    if (late[turn] != NULL) {
        late[turn]();
    }
}

static void at_thread_exit(unsigned in_turn, void (*calls)(void))
{
    static int has_key;
    if (!has_key) {
        has_key = 1;
        (void)pthread_key_create(&key, on_key);
    }
    late[in_turn] = calls;
    (void)pthread_setspecific(key, late);
}"""

OBJECT_DESTRUCTOR = """\
/* The same in the destructor of a thread_local object of C++, which comes before those of keys. */
extern int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *program);

static __thread void (*of_object)(void);

static void on_object(void *object)
{
    (void)object;
    of_object();
}

static void in_object_destructor(void (*calls)(void))
{
    static char here;
    of_object = calls;
    (void)__cxa_thread_atexit_impl(on_object, NULL, &here);
}"""

SIGNAL_EVERY = """\
/* A signal for this thread, so many microseconds after each return of its handler; 0: no more. The
 * handler lets other threads run, or forks a child that ends at once. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
static __thread timer_t timer;
static __thread long interval;
static __thread int forks;

static void set_timer(void)
{
    const struct itimerspec time = {.it_value = {interval / 1000000, interval % 1000000 * 1000}};
    (void)timer_settime(timer, 0, &time, NULL);
}

static void on_signal(int number)
{
    const int kept = errno;
    (void)number;
    const pid_t child = forks ? fork() : -1;
    if (child == 0) {
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    (void)sched_yield();
    set_timer();
    errno = kept;
}

static void signal_every(long microseconds, int by_forking)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    const int kept = errno;
    event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    if (interval == 0) {
        (void)sigaction(SIGUSR1, &action, NULL);
        (void)timer_create(CLOCK_MONOTONIC, &event, &timer);
    }
    interval = microseconds;
    forks = by_forking;
    set_timer();
    if (microseconds == 0) {
        (void)timer_delete(timer);
    }
    errno = kept;
}"""

ATFORK = """\
/* A handler of fork that needs memory. */
static void use_memory(void)
{
    void *const block = call_malloc(100);
    if (block != NULL) {
        *(volatile char *)block = 1;
        call_free(block);
    }
}"""

EARLY = """\
/* Blocks from before main, made before the constructors of all libraries; and one that is used when
 * their destructors have run. */
static unsigned char *early[5];
static const size_t early_sizes[] = {100, 300, 500, (size_t)1 << 20, 1000};

static void after_libraries(int status, void *nothing)
{
    (void)status;
    (void)nothing;
    same(early[4], 1000, 4);
    unsigned char *const grown = call_realloc(early[4], 100000);
    unsigned char *const fresh = call_malloc(1000);
    if (grown == NULL || fresh == NULL) {
        failed("expected: memory for the destructor of a library; seen: NULL\\n");
    }
    same(grown, 1000, 4);
    fill(fresh, 1000, 5);
    call_free(fresh);
    call_free(grown);
}

static void before_libraries(int count, char **arguments, char **variables)
{
    (void)count;
    (void)arguments;
    environ = variables; /* the libc has not been set up either */
    early[0] = call_malloc(100);
    early[1] = call_calloc(3, 100);
    early[2] = call_realloc(call_realloc(NULL, 50), 500);
    early[3] = call_malloc((size_t)1 << 20);
    early[4] = call_malloc(1000);
    for (unsigned i = 0; i < 5; i++) {
        if (early[i] == NULL) {
            failed("expected: memory for the constructor of a library; seen: NULL\\n");
        }
        fill(early[i], early_sizes[i], i);
    }
    (void)on_exit(after_libraries, NULL);
}

/* Other libraries' constructors, which come after the allocator's, make blocks too. */
__attribute__((constructor)) static void after_constructors(void)
{
    for (size_t size = 16; size <= 4096; size *= 2) {
        fill(call_malloc(size), size, 6);
    }
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **,
                                                                            char **) =
    before_libraries;"""


def write_signals(writer: Writer, site: Site) -> None:
    """For the thread that makes the call."""
    writer.say(f"{writer.helper('signal_every')}({site.size}, {site.arg});")


def write_atfork(writer: Writer, _site: Site) -> None:
    """Once a process."""
    writer.used.functions |= {"malloc", "free"}
    handler = writer.helper("use_memory")
    writer.say(f"(void)pthread_atfork({handler}, {handler}, {handler});")


def write_early(writer: Writer, site: Site) -> None:
    """The block is verified, as it was written before main; then it is one like any other."""
    slot, number = site.slot, site.size
    assert slot is not None
    writer.used.functions |= {"malloc", "calloc", "realloc", "free"}
    known = site.known_size
    size = f"early_sizes[{number}]" if known is None else str(EARLY_SIZES[known])
    early, same = f"{writer.helper('early')}[{number}]", writer.helper("same")
    writer.say(f"{writer.blocks.assign(slot)} = {early};")
    writer.say(f"{same}({writer.blocks.fresh(slot)}, {size}, {number});")
    writer.blocks.entered(site, size, writer.blocks.fresh(slot))
