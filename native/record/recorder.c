#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RESERVE_MOST  ((size_t)1 << 36)
#define RESERVE_LEAST ((size_t)1 << 24)
#define GROW_LEAST    ((size_t)64 << 10)
#define GROW_MOST     ((size_t)4 << 20)
#define PATH_SIZE     4096u
#define MOST_THREADS  ((1u << HY_WORD_THREAD_BITS) - 1)
#define MOST_FILES    1000u /* of one process: it runs another program by exec each time */

enum { UNTRIED, BEGINNING, RECORDING, OFF };

static hy_recorder untried; /* until there is a page for it */
hy_recorder *hy__recorder = &untried;
__thread uint32_t hy__recorder_thread;

/* What the environment asked for when the program began; forked children keep it. */
static struct {
    bool known;
    bool children;
    char path[PATH_SIZE]; /* of the command's file; empty: no recording */
} wish;

typedef struct hy_path {
    char text[PATH_SIZE + 32];
} hy_path;

static hy_path own_path; /* of this process's file */
static struct stat own_file;

/* ---- names ---- */

static size_t put_number(char *text, uint64_t value)
{
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++) {
        text[i] = digits[count - 1 - i];
    }
    text[count] = '\0';
    return count;
}

/* FILE.PID, and FILE.PID-2 and so on for the programs that the process runs later. */
static void name_file(hy_path *path, unsigned attempt)
{
    size_t at = strlen(wish.path);
    memcpy(path->text, wish.path, at);
    path->text[at++] = '.';
    at += put_number(path->text + at, (uint64_t)getpid());
    if (attempt > 1) {
        path->text[at++] = '-';
        (void)put_number(path->text + at, attempt);
    }
}

static void read_wish(void)
{
    const char *const path = getenv("HEAPYARD_RECORD");
    const char *const children = getenv("HEAPYARD_RECORD_CHILDREN");
    wish.known = true;
    wish.children = children != NULL && children[0] == '1';
    if (path != NULL && strlen(path) < sizeof wish.path) {
        memcpy(wish.path, path, strlen(path) + 1);
    }
}

/* ---- the file ---- */

/* The header and room for the words, as much as the address space allows. */
static void *map_file(int fd, size_t *reserved)
{
    for (size_t size = RESERVE_MOST; size >= RESERVE_LEAST; size /= 2) {
        void *const base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (base != MAP_FAILED) {
            (void)madvise(base, size, MADV_DONTFORK);
            (void)madvise(base, size, MADV_DONTDUMP);
            *reserved = size;
            return base;
        }
    }
    return NULL;
}

static bool is_header(const hy_recording_header *header)
{
    return memcmp(header->magic, HY_RECORDING_MAGIC, sizeof header->magic) == 0 &&
           header->version == HY_RECORDING_VERSION;
}

static int open_named(const char *path, int flags)
{
    return open(path, O_RDWR | O_CLOEXEC | flags, 0666);
}

/* A new file with the header of the command's one but for the counts; -1 where it can't be made. */
static int create_file(const char *path, const hy_recording_header *command)
{
    static hy_recording_header header;
    const int fd = open_named(path, O_CREAT | O_EXCL);
    memcpy(header.magic, command->magic, sizeof header.magic);
    header.version = command->version;
    header.run = command->run;
    if (fd >= 0 && pwrite(fd, &header, sizeof header, 0) != (ssize_t)sizeof header) {
        (void)unlink(path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* For a child of the command. */
static int create_child_file(const hy_recording_header *command)
{
    int fd = -1;
    for (unsigned attempt = 1; fd < 0 && attempt <= MOST_FILES; attempt++) {
        name_file(&own_path, attempt);
        fd = create_file(own_path.text, command);
        if (fd < 0 && errno != EEXIST) {
            return -1;
        }
    }
    return fd;
}

/* The process runs another program now: what was recorded so far makes room for it. */
static int replace_file(const hy_recording_header *command)
{
    static hy_path aside;
    for (unsigned attempt = 1; attempt <= MOST_FILES; attempt++) {
        name_file(&aside, attempt);
        if (link(wish.path, aside.text) == 0) {
            (void)unlink(wish.path);
            memcpy(own_path.text, wish.path, sizeof wish.path);
            return create_file(own_path.text, command);
        }
        if (errno != EEXIST) {
            return -1;
        }
    }
    return -1;
}

/* The header of the command's file, or NULL. */
static hy_recording_header *map_header(int fd)
{
    hy_recording_header *const header =
        mmap(NULL, sizeof *header, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (header == MAP_FAILED || is_header(header)) {
        return header != MAP_FAILED ? header : NULL;
    }
    (void)munmap(header, sizeof *header);
    return NULL;
}

/* The command's file is for the first process that comes, the program itself, and for whatever that
 * process runs later by exec. With `children` any other process has a file of its own. */
static int choose_file(int fd, hy_recording_header *header)
{
    const uint32_t process = (uint32_t)getpid();
    uint32_t owner = 0;
    if (__atomic_compare_exchange_n(&header->process, &owner, process, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED)) {
        memcpy(own_path.text, wish.path, sizeof wish.path);
        return fd;
    }
    if (owner == process) {
        return replace_file(header);
    }
    return wish.children ? create_child_file(header) : -1;
}

static int open_file(void)
{
    const int fd = open_named(wish.path, 0);
    hy_recording_header *const header = fd >= 0 ? map_header(fd) : NULL;
    int chosen = -1;
    if (header != NULL) {
        chosen = choose_file(fd, header);
        (void)munmap(header, sizeof *header);
    }
    if (fd >= 0 && chosen != fd) {
        (void)close(fd);
    }
    return chosen;
}

static void read_command(hy_recording_header *header)
{
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        const ssize_t size = read(fd, header->command, sizeof header->command);
        header->command_size = size > 0 ? (uint32_t)size : 0;
        (void)close(fd);
    }
}

static void fill_header(hy_recording_header *header)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    header->process = (uint32_t)getpid();
    header->parent = (uint32_t)getppid();
    header->nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    read_command(header);
}

/* ---- beginning ---- */

static bool make_page(void)
{
    if (hy__recorder != &untried) {
        return true; /* a forked child: cleared, and its again */
    }
    hy_recorder *const page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || madvise(page, sizeof *page, MADV_WIPEONFORK) != 0) {
        return false; /* a kernel before 4.14 */
    }
    hy__recorder = page;
    return true;
}

static uint64_t *begin_in(int fd)
{
    size_t reserved;
    hy_recorder *const recorder = hy__recorder;
    hy_recording_header *const header = map_file(fd, &reserved);
    if (header == NULL || fstat(fd, &own_file) != 0) {
        return NULL;
    }
    fill_header(header);
    uint64_t *const words = (uint64_t *)(void *)((char *)header + sizeof *header);
    recorder->header = header;
    recorder->taken = (_Atomic uint64_t *)&header->words;
    recorder->most = (reserved - sizeof *header) / sizeof *words;
    atomic_store_explicit(&recorder->words, words, memory_order_release);
    return words;
}

static uint64_t *begin(void)
{
    if (!wish.known) {
        read_wish();
    }
    const int fd = wish.path[0] != '\0' && make_page() ? open_file() : -1;
    if (fd < 0) {
        return NULL;
    }
    hy__recorder_thread = 0;
    uint64_t *const words = begin_in(fd);
    (void)close(fd);
    return words;
}

uint64_t *hy__recorder_begin(void)
{
    int phase = UNTRIED;
    hy_recorder *const before = hy__recorder;
    if (environ == NULL) {
        return NULL; /* libc itself has not begun */
    }
    if (!atomic_compare_exchange_strong(&before->phase, &phase, BEGINNING)) {
        return atomic_load_explicit(&before->words, memory_order_acquire);
    }
    const int saved = errno;
    uint64_t *const words = begin();
    atomic_store(&before->phase, OFF);
    atomic_store(&hy__recorder->phase, words != NULL ? RECORDING : OFF);
    errno = saved;
    return words;
}

/* So that a program which never allocates has a recording too, of no calls. */
__attribute__((constructor)) static void begin_at_start(void)
{
    (void)hy__recorder_begin();
}

uint32_t hy__recorder_number_thread(void)
{
    const uint32_t number = atomic_fetch_add(&hy__recorder->threads, 1) + 1;
    hy__recorder_thread = number < MOST_THREADS ? number : MOST_THREADS;
    return hy__recorder_thread;
}

/* ---- growing ---- */

static bool is_own_file(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && file.st_dev == own_file.st_dev &&
           file.st_ino == own_file.st_ino;
}

/* More than RLIMIT_FSIZE would be a signal to the program. */
static bool is_allowed(size_t size)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size;
}

/* Zeros from one place in the file to another. Written in large pieces, the page cache takes a third
 * of the time that it takes for pages which are touched one by one. */
static bool write_zeros(int fd, size_t from, size_t to)
{
    static char zeros[(size_t)1 << 20];
    while (from < to) {
        const size_t size = to - from < sizeof zeros ? to - from : sizeof zeros;
        const ssize_t written = pwrite(fd, zeros, size, (off_t)from);
        if (written <= 0 && errno != EINTR) {
            return false;
        }
        from += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* Gives the file that size. Opened each time: a descriptor that stays open may be closed by the
 * program, and its number be another file's. */
static bool extend_file(size_t from, size_t to)
{
    const int fd = is_allowed(to) ? open_named(own_path.text, 0) : -1;
    if (fd < 0) {
        return false;
    }
    const bool done = is_own_file(fd) && write_zeros(fd, from, to);
    (void)close(fd);
    return done;
}

/* All pages at once cost half of what they cost one by one. */
static void touch(const hy_recorder *recorder, size_t from, size_t to)
{
#ifdef MADV_POPULATE_WRITE
    (void)madvise((char *)recorder->header + from, to - from, MADV_POPULATE_WRITE);
#endif
}

static bool grow_file(hy_recorder *recorder, uint64_t words)
{
    const size_t header = sizeof(hy_recording_header);
    const uint64_t ready = atomic_load(&recorder->ready);
    const size_t from = header + (size_t)ready * sizeof words;
    const size_t step = from < GROW_LEAST ? GROW_LEAST : from < GROW_MOST ? from : GROW_MOST;
    size_t to = header + (size_t)words * sizeof words;
    to = (to / step + 1) * step;
    if (words <= ready) {
        return true;
    }
    if ((to - header) / sizeof words > recorder->most || !extend_file(from, to)) {
        recorder->header->flags |= HY_RECORDING_FULL;
        atomic_store(&recorder->words, NULL);
        return false;
    }
    touch(recorder, from, to);
    atomic_store_explicit(&recorder->ready, (to - header) / sizeof words, memory_order_release);
    return true;
}

bool hy__recorder_grow(uint64_t words)
{
    sigset_t all;
    sigset_t before;
    hy_recorder *const recorder = hy__recorder;
    const int saved = errno;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (atomic_flag_test_and_set_explicit(&recorder->growing, memory_order_acquire)) {
        (void)sched_yield();
    }
    const bool grown = atomic_load(&recorder->words) != NULL && grow_file(recorder, words);
    atomic_flag_clear_explicit(&recorder->growing, memory_order_release);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return grown;
}
