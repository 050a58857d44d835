/*
 * recorded.c: a program whose calls are known. The first argument says what it does.
 *
 * Where the order matters it writes down each call itself and prints the list at its end, between
 * two calls of malloc(MARK) that nothing else makes.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK    77777
#define THREADS 8
#define BLOCKS  64
#define SHARED  256
#define TURNS   20000

static char lines[1 << 16];
static size_t used;

#define NOTE(...) (used += (size_t)snprintf(lines + used, sizeof lines - used, __VA_ARGS__))

static void mark(void)
{
    free(malloc(MARK));
}

/* ---- every function, once or more ---- */

static void *volatile too_much = (void *)(SIZE_MAX / 2 + 1);

static void script(void)
{
    void *block = malloc(100);
    NOTE("malloc %p 100\n", block);
    void *zeroed = calloc(3, 70);
    NOTE("calloc %p 3 70\n", zeroed);
    void *const old = block;
    block = realloc(block, 200000);
    NOTE("realloc_start %p\nrealloc %p 200000 %s\n", old, block, block == old ? "same" : "moved");
    void *const array = reallocarray(NULL, 5, 11);
    NOTE("reallocarray %p 5 11\n", array);
    void *aligned = aligned_alloc(64, 128);
    NOTE("aligned_alloc %p 64 128\n", aligned);
    void *posix = NULL;
    if (posix_memalign(&posix, 256, 33) != 0) {
        abort();
    }
    NOTE("posix_memalign %p 256 33\n", posix);
    void *const old_style = memalign(32, 10);
    NOTE("memalign %p 32 10\n", old_style);
    void *const page = valloc(17);
    NOTE("valloc %p 17\n", page);
    void *const pages = pvalloc(18);
    NOTE("pvalloc %p 18\n", pages);
    void *const all[] = {pages, page, old_style, posix, aligned, array, block, zeroed, NULL};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
        NOTE("free %p\n", all[i]);
    }
}

static void failures(void)
{
    void *volatile kept = malloc(40);
    void *const block = kept; /* the compiler takes a block as gone after realloc */
    errno = 0;
    void *const none = malloc((size_t)(uintptr_t)too_much);
    NOTE("malloc %d errno %d\n", none != NULL, errno);
    errno = 0;
    void *const product = calloc((size_t)(uintptr_t)too_much, 4);
    NOTE("calloc %d errno %d\n", product != NULL, errno);
    errno = 0;
    void *const grown = realloc(block, (size_t)(uintptr_t)too_much);
    NOTE("realloc %d errno %d\n", grown != NULL, errno);
    errno = 0;
    void *const array = reallocarray(kept, (size_t)(uintptr_t)too_much, 4);
    NOTE("reallocarray %d errno %d\n", array != NULL, errno);
    void *untouched = &used;
    NOTE("posix_memalign %d\n", posix_memalign(&untouched, 3, 8));
    NOTE("pointer kept %d\n", untouched == &used);
    errno = 5;
    free(kept);
    NOTE("free errno %d\n", errno);
}

static void growing(void)
{
    errno = 7;
    for (int i = 0; i < 200000; i++) {
        free(malloc(10));
    }
    NOTE("errno %d\n", errno);
}

/* ---- threads: blocks change hands all the time ---- */

static void *_Atomic shared[SHARED];

static void *worker(void *seed)
{
    uint64_t draw = (uint64_t)(uintptr_t)seed * UINT64_C(0x9e3779b97f4a7c15);
    void *own[BLOCKS] = {0};
    for (int turn = 0; turn < TURNS; turn++) {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        void **const place = &own[draw % BLOCKS];
        const size_t size = 1 + (draw >> 20) % 300;
        if ((draw >> 40) % 4 == 0) {
            *place = realloc(*place, size * 7);
        } else {
            free(*place);
            *place = malloc(size);
        }
        *place =
            __atomic_exchange_n((void **)&shared[(draw >> 50) % SHARED], *place, __ATOMIC_ACQ_REL);
    }
    for (int i = 0; i < BLOCKS; i++) {
        free(own[i]);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t ids[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&ids[i], NULL, worker, (void *)(i + 1)) != 0) {
            abort();
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(ids[i], NULL);
    }
}

/* ---- processes ---- */

static void parent_and_child(void)
{
    void *const before = malloc(1001);
    const pid_t child = fork();
    if (child == 0) {
        free(before);
        free(malloc(3003));
        _exit(3);
    }
    waitpid(child, NULL, 0);
    free(malloc(2002));
    printf("%d\n", (int)child);
}

static void other_program(const char *self)
{
    pid_t child;
    char *const arguments[] = {(char *)self, "mark", NULL};
    extern char **environ;
    if (posix_spawn(&child, self, NULL, NULL, arguments, environ) == 0) {
        waitpid(child, NULL, 0);
        printf("%d\n", (int)child);
    }
    free(malloc(2002));
}

static void become(const char *self)
{
    free(malloc(1001));
    execl(self, self, "mark", (char *)NULL);
}

static void end_by(const char *how)
{
    for (int i = 0; i < 1000; i++) {
        free(malloc(555));
    }
    mark();
    if (strcmp(how, "_exit") == 0) {
        _exit(9);
    }
    kill(getpid(), strcmp(how, "segv") == 0 ? SIGSEGV : SIGKILL);
}

/* ---- what programs do to a library that they don't know of ---- */

static void close_all(void)
{
    for (int fd = 3; fd < 256; fd++) {
        close(fd);
    }
    FILE *const mine = tmpfile();
    for (int i = 0; i < 200000; i++) {
        free(malloc(10));
    }
    printf("%ld\n", fseek(mine, 0, SEEK_END) == 0 ? ftell(mine) : -1);
}

static void small_files(void)
{
    const struct rlimit limit = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 200000; i++) {
        free(malloc(10));
    }
    printf("went on\n");
}

static void in_handler(int number)
{
    (void)number;
    free(malloc(4004)); /* of this thread: it waits in pause */
}

static void signals(void)
{
    signal(SIGALRM, in_handler);
    for (int i = 0; i < 3; i++) {
        ualarm(1000, 0);
        pause();
    }
}

static void echo(void)
{
    int character;
    while ((character = getchar()) != EOF) {
        putchar(character);
    }
    fprintf(stderr, "to stderr\n");
    exit(42);
}

static void act(const char *self, const char *what)
{
    const struct {
        const char *name;
        void (*run)(void);
    } acts[] = {{"script", script},
                {"failures", failures},
                {"growing", growing},
                {"threads", threads},
                {"fork", parent_and_child},
                {"close", close_all},
                {"limited", small_files},
                {"signals", signals},
                {"echo", echo},
                {"mark", mark}};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(what, acts[i].name) == 0) {
            mark();
            acts[i].run();
            mark();
            return;
        }
    }
    if (strcmp(what, "spawn") == 0) {
        other_program(self);
    } else if (strcmp(what, "exec") == 0) {
        become(self);
    } else {
        end_by(what);
    }
}

int main(int count, char **arguments)
{
    act(arguments[0], count > 1 ? arguments[1] : "mark");
    fputs(lines, stdout);
    return 0;
}
