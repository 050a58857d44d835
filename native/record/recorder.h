/*
 * recorder.h: taking the next words of the recording, from any thread, at any time.
 *
 *     file      [ header | words ............................. | not there yet ]
 *                                ^ header->words    ^ ready                    ^ most
 *     mapping   [ the whole, shared; what lies beyond `ready` is never touched ]
 *
 * A word is in the page cache as soon as it is written, so nothing is lost when the process is
 * killed. The file grows, by writing zeros, before it is touched, so a full disk ends the recording and not
 * the program. Nothing here allocates, keeps a descriptor open or changes errno; the only lock is
 * held, with signals blocked, while the file grows.
 *
 * The state lies in a page that the kernel clears in the child of any fork (MADV_WIPEONFORK): the
 * child finds no words and begins anew, in a file of its own or not at all.
 */
#ifndef HEAPYARD_RECORD_RECORDER_H
#define HEAPYARD_RECORD_RECORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/recording.h>

#if defined(__x86_64__) && __has_include(<sys/single_threaded.h>)
#    include <sys/single_threaded.h>
#    define HY_HAVE_SINGLE_THREADED 1
#endif

typedef struct hy_recorder {
    _Atomic(uint64_t *) words; /* NULL: not begun, not wanted, or full */
    _Atomic uint64_t *taken;   /* words of the header */
    _Atomic uint64_t ready;    /* words that the file has room for */
    hy_recording_header *header;
    uint64_t most; /* words that the mapping has room for */
    _Atomic uint32_t threads;
    _Atomic int phase;
    atomic_flag growing;
} hy_recorder;

extern hy_recorder *hy__recorder __attribute__((visibility("hidden")));
extern __thread uint32_t hy__recorder_thread
    __attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Begins recording if that has not been tried: the words, or NULL. */
uint64_t *hy__recorder_begin(void);

/* Makes room for so many words in all; false, and the recording has ended, where there is none. */
bool hy__recorder_grow(uint64_t words);

/* The number of the calling thread, which has none yet. */
uint32_t hy__recorder_number_thread(void);

/* Adds and answers what was there. While there is one thread, which libc knows, this is one plain
 * instruction: a signal handler sees it done or not done, and it costs a third of a locked one. */
static inline uint64_t hy__recorder_add(_Atomic uint64_t *taken, uint64_t count)
{
#ifdef HY_HAVE_SINGLE_THREADED
    if (__libc_single_threaded) {
        __asm__ volatile("xaddq %0, %1" : "+r"(count), "+m"(*taken) : : "cc");
        return count;
    }
#endif
    return atomic_fetch_add_explicit(taken, count, memory_order_relaxed);
}

/* The next `count` words, or NULL where nothing is recorded. */
static inline _Atomic uint64_t *hy__recorder_take(unsigned count)
{
    uint64_t *words = atomic_load_explicit(&hy__recorder->words, memory_order_acquire);
    if (__builtin_expect(words == NULL, 0)) {
        words = hy__recorder_begin();
        if (words == NULL) {
            return NULL;
        }
    }
    hy_recorder *const recorder = hy__recorder;
    const uint64_t at = hy__recorder_add(recorder->taken, count);
    if (__builtin_expect(at + count > atomic_load_explicit(&recorder->ready, memory_order_acquire),
                         0) &&
        !hy__recorder_grow(at + count)) {
        return NULL;
    }
    return (_Atomic uint64_t *)(words + at);
}

static inline uint64_t hy__argument_word(uint64_t value)
{
    const uint64_t kept = value < HY_WORD_MOST ? value : HY_WORD_MOST;
    return kept << HY_WORD_KIND_BITS | HY_WORD_ARGUMENT;
}

static inline uint64_t hy__first_word(hy_recording_kind kind, const void *block)
{
    uint32_t thread = hy__recorder_thread;
    if (__builtin_expect(thread == 0, 0)) {
        thread = hy__recorder_number_thread();
    }
    return (uint64_t)(uintptr_t)block << (HY_WORD_KIND_BITS + HY_WORD_THREAD_BITS) |
           (uint64_t)thread << HY_WORD_KIND_BITS | (uint64_t)kind;
}

#endif /* HEAPYARD_RECORD_RECORDER_H */
