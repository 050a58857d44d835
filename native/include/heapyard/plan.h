/*
 * plan.h: the binary form of a plan, what its operations mean, and what the engine checks.
 *
 * A plan is a list of allocator calls on numbered slots. All numbers are little-endian; there is
 * no padding:
 *
 *     [ header, 64 bytes ][ operands, 8 bytes each ][ operations, 16 bytes each ]
 *
 * The ops run `repeat` times. At the end of each round the blocks still live are verified and
 * freed (a target that only frees in bulk gets a fresh instance instead).
 *
 * What the engine does around each call:
 *  - before:  sets errno to the value of the last set_errno (0 at the start), so that an old ENOMEM
 *             is never taken for a new one; verifies the contents of a block that is freed.
 *  - success: checks the result (see the checks), verifies what a realloc must have kept, and fills
 *             the bytes asked for with a pattern of its own, made from seed, slot and serial
 * number.
 *  - failure: the slot stays as it was: empty, or for realloc the old block, live and verified.
 *
 * A slot holds one block or none. An op that makes a block needs an empty slot, or the plan is
 * refused there. free, free_sized, free_aligned_sized, usable_size and the realloc family pass NULL
 * for an empty slot; other ops on an empty slot do nothing. So a plan whose malloc may fail needs
 * no branches.
 *
 * realloc(p, 0) of a live block: NULL is 'freed' unless it set errno to ENOMEM, which is 'failed,
 * still live'; a pointer is a live block of no bytes. 'Must succeed' accepts 'freed' but not
 * 'failed'. A request for 0 bytes elsewhere gets no special treatment: where NULL is a fair answer,
 * the plan says 'either'.
 *
 * Blocks above 1 MiB are filled and verified in their first and last 64 KiB and in one word of each
 * page between, so that a block of 1 GiB costs one page fault per page and little more. Only the
 * calloc check reads all of such a block. Blocks above 1 GiB are not filled at all where contents
 * are not checked.
 */
#ifndef HEAPYARD_PLAN_H
#define HEAPYARD_PLAN_H

#include <stdint.h>

#include <heapyard/export.h>

HY_BEGIN_DECLS

#define HY_PLAN_MAGIC         "HYPLAN1" /* with its final zero: 8 bytes */
#define HY_PLAN_VERSION       1u
#define HY_PLAN_NO_SLOT       UINT32_C(0xffffffff)
#define HY_PLAN_NO_ARG        UINT16_C(0xffff)
#define HY_PLAN_MAX_SLOTS     (UINT32_C(1) << 24)
#define HY_PLAN_MAX_ALIGNMENT (UINT32_C(1) << 20)
#define HY_PLAN_MAX_STRAY     UINT64_C(4096)
#define HY_PLAN_ALIGNMENT     16u /* where neither the plan nor the target says */
#define HY_PLAN_MAX_THREADS   UINT32_C(256)
#define HY_PLAN_LAST_ROUND    4u /* of in_destructor: PTHREAD_DESTRUCTOR_ITERATIONS on Linux */
#define HY_PLAN_EARLY_BLOCKS  4u
#define HY_PLAN_LEAST_STACK   (UINT32_C(16) << 10) /* PTHREAD_STACK_MIN on x86-64 */
#define HY_PLAN_LARGEST_STACK (UINT32_C(1) << 30)

typedef struct hy_plan_header {
    char magic[8];
    uint32_t version;
    uint32_t checks; /* HY_CHECK_... */
    uint32_t slots;  /* at most HY_PLAN_MAX_SLOTS */
    uint32_t operand_count;
    uint64_t op_count;
    uint64_t repeat; /* rounds, at least 1 */
    uint64_t seed;
    uint32_t alignment; /* of every block: a power of two, or 0: the target's own */
    uint32_t flags;     /* HY_PLAN_WEAK_ALIGN */
    uint64_t reserved;  /* 0 */
} hy_plan_header;

/* Flag: a block smaller than `alignment` need only be aligned to the largest power of two that is
 * not above its size (C23 7.24.3, DR 445). */
#define HY_PLAN_WEAK_ALIGN 1u

/* Fields that an op does not use must be: arg HY_PLAN_NO_ARG, slot HY_PLAN_NO_SLOT, size 0,
 * expect 0. */
typedef struct hy_plan_op {
    uint8_t op;     /* HY_OP_... */
    uint8_t expect; /* HY_EXPECT_... */
    uint16_t arg;   /* index of an operand */
    uint32_t slot;
    uint64_t size;
} hy_plan_op;

#ifndef __cplusplus
_Static_assert(sizeof(hy_plan_header) == 64, "the header has no padding");
_Static_assert(sizeof(hy_plan_op) == 16, "an op has no padding");
#endif

/* What must hold of a call. The lowest two bits are one number. */
#define HY_EXPECT_SUCCESS     0x00u
#define HY_EXPECT_FAILURE     0x01u /* NULL, or an error code */
#define HY_EXPECT_EITHER      0x02u
#define HY_EXPECT_OUTCOME     0x03u /* the mask of these three */
#define HY_EXPECT_ERRNO_KEPT  0x04u /* the call leaves errno alone, whether or not it succeeds */
#define HY_EXPECT_ENOMEM      0x08u /* a failure says ENOMEM; with EINVAL too: either of both */
#define HY_EXPECT_EINVAL      0x10u
#define HY_EXPECT_IN_PLACE    0x20u /* realloc answers the old pointer, if it succeeds */
#define HY_EXPECT_MEMPTR_KEPT 0x40u /* posix_memalign; in fact always checked */

/* Which fields an op uses. */
#define HY_FIELD_SLOT     0x01u /* a slot, required */
#define HY_FIELD_SLOT_OPT 0x02u /* a slot, or none for a NULL pointer */
#define HY_FIELD_SIZE     0x04u
#define HY_FIELD_ARG      0x08u

/* Which expectations an op may carry. */
#define HY__EXPECT_NONE  0x00u
#define HY__EXPECT_ERRNO HY_EXPECT_ERRNO_KEPT
#define HY__EXPECT_ALLOC                                                                           \
    (HY_EXPECT_OUTCOME | HY_EXPECT_ERRNO_KEPT | HY_EXPECT_ENOMEM | HY_EXPECT_EINVAL)
#define HY__EXPECT_REALLOC  (HY__EXPECT_ALLOC | HY_EXPECT_IN_PLACE)
#define HY__EXPECT_MEMALIGN (HY__EXPECT_ALLOC | HY_EXPECT_MEMPTR_KEPT)

/*
 * Every op: X(value, enumerator, name in JSON, fields, expectations, entry point that it needs, or
 * `none`). Values are part of the format and never change; those between that no op has are not
 * valid.
 *
 *  calloc         arg = count, size = of one          free_aligned_sized  arg = alignment, size
 *  reallocarray   arg = count, size = of one          usable_size   >= what was asked, and >= size
 *  aligned_alloc, posix_memalign, memalign            fill_usable   writes all usable bytes, which
 *                 arg = alignment, size                             are verified from then on
 *  write          a new pattern in the bytes asked for
 *  check          verifies one slot                   check_all     verifies every live slot
 *  set_errno      size = what errno is set to before each call from now on
 *  free_all       frees every live slot, in slot order (or in bulk, where that is all there is)
 *  trim           size = pad                          measure       size = HY_MEASURE_...
 *  forget         the slot leaves the model without a free: a leak
 *  distinct       no effect: any two live blocks are held to be distinct at all times
 *  self_check     the target's own `check` finds nothing
 *  idle           sleeps: size = milliseconds
 *  await          sleeps until `rss` is at most arg = bytes above its first figure (0, where there
 *                 is none yet), looking every 20 ms, at most size = milliseconds, and notes `rss` as
 *                 a measure does. Nothing is judged: the figure is what there is to see
 *  stir           the same, but before each look the target serves what a program that goes on asks
 *                 of it: 500 times malloc and free of 64, 128, ... 65,536 bytes, never written
 *  watch          the whole pages inside the slot's block count in `residue` until the end of the
 *                 round, whoever owns them. Nothing for a slot without a block
 *  trend          a measure, but only in the 1st, 2nd, 4th, 8th ... round and in the last one: a
 *                 plan of a million rounds has 21 figures, and shows whether they grow
 *
 * Threads, processes, and what comes before and after main. A plan starts on thread 0, which is
 * main's, and is one sequence of calls, whichever thread makes them: the others wait. Only
 * `parallel` lets threads run at the same time. What stands between an op that opens a section and
 * the next end_section is that section; sections don't nest, but for a fork in a parallel one.
 *
 *  on_thread      size = thread: it makes the calls from here on, until the next on_thread (or, in a
 *                 section, its end). A thread starts at its first use, with an errno of its own.
 *                 With errno_kept: its errno is what it was after the last call that it made
 *  stack          size = bytes: threads that start from here on have so large a stack, their
 *                 thread-local variables and what a libc keeps of them included; 0: 256 KiB. Not
 *                 inside of a section
 *  join           size = thread: it ends, its destructors run, and it is waited for. A later use
 *                 starts a new one. Thread 0 can't be joined; if it was the current thread, 0 is
 *                 from then on. At the end of each round all threads are joined, lowest first
 *  parallel       size = times: each thread that on_thread names in the section makes its own calls
 *                 there in their order, `times` times over, all starting together, none waiting for
 *                 another. A slot belongs to one thread in a section (any block may be freed there,
 *                 whoever made it), and is as empty after each time as before. Ends when all are
 *                 done; the current thread is then what it was. Inside: on_thread first; calls on
 *                 single slots, set_errno (for the thread alone), trim, signals and fork
 *  in_destructor  size = round: the section's calls are made by the current thread (not 0) when it
 *                 ends. Round 0: in a destructor of a thread_local object (C++; where the libc lacks
 *                 __cxa_thread_atexit_impl, in round 1). Round 1 to 4: in the destructor of a
 *                 pthread key, which sets its value anew until it is called for that time. The key
 *                 is made at the first such section of the process
 *  fork           the current thread forks; the child makes the section's calls, on its copy of the
 *                 model, and ends by _exit. The parent waits; what is wrong with the child is wrong
 *                 with the plan: a violation, a signal, an exit. Figures of a child are not noted
 *  signals        size = microseconds (0: off), arg = 0 or 1: the current thread gets SIGALRM so long
 *                 after each return of the handler, until turned off, at the latest at the end of
 *                 the round or thread. No SA_RESTART. The handler keeps errno; with 0 it calls
 *                 sched_yield, so that other threads run into what was interrupted; with 1 it forks
 *                 a child that ends by _exit at once, and waits for it
 *  at_exit        the section's calls are made in a handler that atexit() registers here. The plan
 *                 then ends by exit(), and what is live is freed after the last such section.
 *                 Only in a program (the runner), and with a `repeat` of 1
 *  early          size = 0 to 3: the slot gets a block that a constructor of libheapyard_trial.so
 *                 made, when that was preloaded behind the target with HEAPYARD_EARLY=1 in the
 *                 environment (the constructor then runs before the target's own): malloc(100),
 *                 calloc(3, 100), realloc(realloc(NULL, 50), 500), malloc(1 << 20). Its contents
 *                 are verified. Each can be taken once. A fifth block is verified, resized and freed
 *                 in that library's destructor, after the target's own: what is wrong there is a
 *                 message and SIGABRT
 *  atfork         registers three handlers by pthread_atfork that call malloc(100) and free each
 *                 (once a process; later ones do nothing)
 *
 * Misuse: what no correct program does. The target may do as it likes (C17 7.22.3.3p2); what is
 * asked is whether it tells, and whether blocks that are live all the same stay apart and whole.
 * A *stale pointer* is a copy of a block's address in a slot of its own; the slot holds no block.
 *
 *  alias          slot = a stale pointer: the address of the block in slot number `size`; nothing
 *                 where that is empty. It stays what it is, whatever becomes of the block
 *  foreign        slot holds `size` bytes of memory that is not the target's, live and verified as
 *                 any block; arg = HY_FOREIGN_... . At the end it is forgotten, not freed
 *  free_stale     free(stale pointer)
 *  free_at        free(block + size), size being signed; the block stays live in the model
 *  free_address   free((void *)size)
 *  write_at       arg = count: so many bytes 0xA5 from block + size on, size being signed; where
 *                 that stands already, 0x5A, so that each byte changes
 *  write_past     the same, `size` bytes from the end of the block on: of its usable bytes, where
 *                 the target can tell (usable_size), else of those asked for
 *  write_stale    arg = count: the same, so many bytes from the stale pointer + size on
 *  link_stale     the address of the block in slot number `size` into the stale pointer's first 8
 *                 bytes
 *  realloc_stale  realloc(stale pointer, size); a block that it answers is live in the slot
 *  usable_stale   usable_size(stale pointer), its answer unread
 *  read_stale     reads `size` bytes through the stale pointer
 *  untold         violates `misuse` where an op of this list (alias, foreign and read_stale apart),
 *                 or a sized free with another size than was asked for, has been done before it:
 *                 the target was to end the process there
 *
 * A stray write leaves out bytes of live blocks and of the engine: what the engine does itself is
 * never the target's fault. It has at most HY_PLAN_MAX_STRAY bytes, and lies within so many bytes
 * of the block's start or end (a plan that asks for more is refused; free_at too). An op
 * on a slot without the block or stale pointer that it is about does nothing.
 *
 * Out of memory. What these set ends with the round, before its last blocks are freed:
 *
 *  fail_os        of the system calls whose kinds are in arg (HY_OS_..., by any thread, but not the
 *                 engine's own), the one with the number `size`, from 1, is not made: it answers
 *                 ENOMEM, and brk the break as it was. With HY_OS_ONWARD those after it too. Counts
 *                 from 0 again, as count_os does
 *  end_fail       no call fails, or counts, any more
 *  count_os       counts calls of the kinds in arg, from 0
 *  limit_space    RLIMIT_AS: at most size = bytes more than are mapped now; UINT64_MAX: no limit
 *
 * Cost. Each call of an entry point from count_cost to end_cost is a sample (the first 4,096 are,
 * while fewer than 75,000 instructions were counted in all; one call counts up to 25,000):
 *
 *  count_cost     size = HY_COST_...: what is counted
 *  end_cost
 *
 * Many blocks, each by one call as the op without `_many` makes it, and judged as that:
 *
 *  malloc_many    malloc(size) for each of arg = count slots from `slot` on, all of them empty
 *  free_many      free for arg = count slots: `slot`, and each size-th after it
 */
#define HY_PLAN_OPS(X)                                                                             \
    X(0, NOP, nop, 0, HY__EXPECT_NONE, none)                                                       \
    X(1, MALLOC, malloc, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_ALLOC, malloc)                  \
    X(2, CALLOC, calloc, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_ALLOC, calloc)   \
    X(3, REALLOC, realloc, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_REALLOC, realloc)             \
    X(4, REALLOCARRAY, reallocarray, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG,                 \
      HY__EXPECT_REALLOC, reallocarray)                                                            \
    X(5, FREE, free, HY_FIELD_SLOT_OPT, HY__EXPECT_ERRNO, free)                                    \
    X(6, FREE_SIZED, free_sized, HY_FIELD_SLOT_OPT | HY_FIELD_SIZE, HY__EXPECT_ERRNO, free_sized)  \
    X(7, FREE_ALIGNED_SIZED, free_aligned_sized, HY_FIELD_SLOT_OPT | HY_FIELD_SIZE | HY_FIELD_ARG, \
      HY__EXPECT_ERRNO, free_aligned_sized)                                                        \
    X(8, ALIGNED_ALLOC, aligned_alloc, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG,               \
      HY__EXPECT_ALLOC, aligned_alloc)                                                             \
    X(9, POSIX_MEMALIGN, posix_memalign, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG,             \
      HY__EXPECT_MEMALIGN, posix_memalign)                                                         \
    X(10, MEMALIGN, memalign, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_ALLOC,      \
      memalign)                                                                                    \
    X(11, VALLOC, valloc, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_ALLOC, valloc)                 \
    X(12, PVALLOC, pvalloc, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_ALLOC, pvalloc)              \
    X(13, USABLE_SIZE, usable_size, HY_FIELD_SLOT_OPT | HY_FIELD_SIZE, HY__EXPECT_ERRNO,           \
      usable_size)                                                                                 \
    X(14, FILL_USABLE, fill_usable, HY_FIELD_SLOT, HY__EXPECT_NONE, usable_size)                   \
    X(15, WRITE, write, HY_FIELD_SLOT, HY__EXPECT_NONE, none)                                      \
    X(16, CHECK, check, HY_FIELD_SLOT, HY__EXPECT_NONE, none)                                      \
    X(17, CHECK_ALL, check_all, 0, HY__EXPECT_NONE, none)                                          \
    X(18, SET_ERRNO, set_errno, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                              \
    X(19, FREE_ALL, free_all, 0, HY__EXPECT_ERRNO, none)                                           \
    X(20, TRIM, trim, HY_FIELD_SIZE, HY__EXPECT_ERRNO, trim)                                       \
    X(21, MEASURE, measure, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                                  \
    X(22, FORGET, forget, HY_FIELD_SLOT, HY__EXPECT_NONE, none)                                    \
    X(23, DISTINCT, distinct, 0, HY__EXPECT_NONE, none)                                            \
    X(24, SELF_CHECK, self_check, 0, HY__EXPECT_NONE, check)                                       \
    X(25, ON_THREAD, on_thread, HY_FIELD_SIZE, HY__EXPECT_ERRNO, none)                             \
    X(26, JOIN, join, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                                        \
    X(27, PARALLEL, parallel, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                                \
    X(28, END_SECTION, end_section, 0, HY__EXPECT_NONE, none)                                      \
    X(29, IN_DESTRUCTOR, in_destructor, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                      \
    X(30, FORK, fork, 0, HY__EXPECT_NONE, none)                                                    \
    X(31, SIGNALS, signals, HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, none)                   \
    X(32, AT_EXIT, at_exit, 0, HY__EXPECT_NONE, none)                                              \
    X(33, EARLY, early, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, none)                      \
    X(34, ATFORK, atfork, 0, HY__EXPECT_NONE, free)                                                \
    X(35, FAIL_OS, fail_os, HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, none)                   \
    X(36, END_FAIL, end_fail, 0, HY__EXPECT_NONE, none)                                            \
    X(37, LIMIT_SPACE, limit_space, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                          \
    X(38, COUNT_OS, count_os, HY_FIELD_ARG, HY__EXPECT_NONE, none)                                 \
    X(39, COUNT_COST, count_cost, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                            \
    X(40, END_COST, end_cost, 0, HY__EXPECT_NONE, none)                                            \
    X(41, MALLOC_MANY, malloc_many, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG,                  \
      HY__EXPECT_ALLOC, malloc)                                                                    \
    X(42, FREE_MANY, free_many, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_ERRNO,    \
      free)                                                                                        \
    X(43, IDLE, idle, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                                        \
    X(44, AWAIT, await, HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, none)                       \
    X(45, STIR, stir, HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, free)                         \
    X(46, WATCH, watch, HY_FIELD_SLOT, HY__EXPECT_NONE, none)                                      \
    X(47, TREND, trend, HY_FIELD_SIZE, HY__EXPECT_NONE, none)                                      \
    X(50, ALIAS, alias, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, none)                      \
    X(51, FOREIGN, foreign, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, none)   \
    X(52, FREE_STALE, free_stale, HY_FIELD_SLOT, HY__EXPECT_NONE, free)                            \
    X(53, FREE_AT, free_at, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, free)                  \
    X(54, FREE_ADDRESS, free_address, HY_FIELD_SIZE, HY__EXPECT_NONE, free)                        \
    X(55, WRITE_AT, write_at, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, none) \
    X(56, WRITE_PAST, write_past, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, none)            \
    X(57, WRITE_STALE, write_stale, HY_FIELD_SLOT | HY_FIELD_SIZE | HY_FIELD_ARG, HY__EXPECT_NONE, \
      none)                                                                                        \
    X(58, LINK_STALE, link_stale, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, none)            \
    X(59, REALLOC_STALE, realloc_stale, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, realloc)   \
    X(60, USABLE_STALE, usable_stale, HY_FIELD_SLOT, HY__EXPECT_NONE, usable_size)                 \
    X(61, READ_STALE, read_stale, HY_FIELD_SLOT | HY_FIELD_SIZE, HY__EXPECT_NONE, none)            \
    X(62, UNTOLD, untold, 0, HY__EXPECT_NONE, none)                                                \
    X(70, STACK, stack, HY_FIELD_SIZE, HY__EXPECT_NONE, none)

typedef enum hy_plan_opcode {
#define HY__OP_ENUM(value, name, text, fields, expects, entry) HY_OP_##name = (value),
    HY_PLAN_OPS(HY__OP_ENUM)
#undef HY__OP_ENUM
        HY_OP_COUNT
} hy_plan_opcode;

/* Where the memory of `foreign` is: X(value, enumerator, name in JSON). */
#define HY_PLAN_FOREIGN(X)                                                                         \
    X(0, STATIC, static)   /* a variable with static storage */                                    \
    X(1, STACK, stack)     /* a local variable of a function that runs */                          \
    X(2, MAPPING, mapping) /* the start of a page that mmap gave */                                \
    X(3, OTHER, other) /* a block of another allocator, behind a header of 16 bytes: 0, size */    \
    X(4, BREAK, break) /* what sbrk(size) gave: the program moves the break itself */

typedef enum hy_plan_foreign {
#define HY__FOREIGN_ENUM(value, name, text) HY_FOREIGN_##name = (value),
    HY_PLAN_FOREIGN(HY__FOREIGN_ENUM)
#undef HY__FOREIGN_ENUM
        HY_FOREIGN_COUNT
} hy_plan_foreign;

/* Kinds of system calls: the arg of fail_os and count_os, of which at least one is named. brk(0),
 * which only asks where the break is, is none. X(bit, enumerator, name in JSON). */
#define HY_PLAN_OS_CALLS(X)                                                                        \
    X(0x01, MMAP, mmap)                                                                            \
    X(0x02, MUNMAP, munmap)                                                                        \
    X(0x04, MREMAP, mremap)                                                                        \
    X(0x08, BRK, brk)                                                                              \
    X(0x10, MADVISE, madvise)                                                                      \
    X(0x20, MPROTECT, mprotect)                                                                    \
    X(0x40, ONWARD, onward) /* of fail_os only */

typedef enum hy_plan_os_calls {
#define HY__OS_ENUM(bit, name, text) HY_OS_##name = (bit),
    HY_PLAN_OS_CALLS(HY__OS_ENUM)
#undef HY__OS_ENUM
        HY_OS_EVERY = 0x3f
} hy_plan_os_calls;

/* What count_cost counts. */
#define HY_COST_INSTRUCTIONS 0u /* of the call in user mode, exactly: one step each (x86-64) */
#define HY_COST_NANOSECONDS  1u /* on the clock */

/*
 * Every check: X(bit, enumerator, name in JSON). A check that is off is neither reported nor
 * computed, but for `engine`, which can't be off.
 *
 *  null         a call that must succeed answered NULL, or an error code
 *  refuse       a call that must fail succeeded
 *  align        the block is aligned as the plan, the target or the call says
 *  overlap      it shares no byte with a live block (one of no bytes owns one byte of address), and
 *               does not wrap around the address space
 *  content      a live block still holds what was written into it
 *  zero         every byte that calloc was asked for is zero
 *  errno        errno is what the plan expects after the call
 *  usable       usable_size covers what was asked for, and is 0 for NULL
 *  return_code  posix_memalign answers 0, ENOMEM or EINVAL, as the plan expects; with 0 it has stored
 *               an address
 *  mapped       the block lies in mapped memory; one of no bytes may lie anywhere
 *  in_place     realloc answered the old pointer, where the plan wants that
 *  memptr       a failing posix_memalign leaves the pointer alone
 *  self_check   the target's own `check` found nothing
 *  misuse       a misuse ended the process, see `untold`
 *  engine       the block, or what usable_size says of it, shares no byte with the engine's own
 *               memory: what is written there would be the end of the model. A block that is
 *               shorter than its size, or not the target's at all, may reach that far; whether it
 *               does hangs on where the system has put both
 */
#define HY_PLAN_CHECKS(X)                                                                          \
    X(0x0001, NULL, null)                                                                          \
    X(0x0002, REFUSE, refuse)                                                                      \
    X(0x0004, ALIGN, align)                                                                        \
    X(0x0008, OVERLAP, overlap)                                                                    \
    X(0x0010, CONTENT, content)                                                                    \
    X(0x0020, ZERO, zero)                                                                          \
    X(0x0040, ERRNO, errno)                                                                        \
    X(0x0080, USABLE, usable)                                                                      \
    X(0x0100, RETURN_CODE, return_code)                                                            \
    X(0x0200, MAPPED, mapped)                                                                      \
    X(0x0400, IN_PLACE, in_place)                                                                  \
    X(0x0800, MEMPTR, memptr)                                                                      \
    X(0x1000, SELF_CHECK, self_check)                                                              \
    X(0x2000, ENGINE, engine)                                                                      \
    X(0x10000, MISUSE, misuse)

typedef enum hy_plan_check {
#define HY__CHECK_ENUM(bit, name, text) HY_CHECK_##name = (bit),
    HY_PLAN_CHECKS(HY__CHECK_ENUM)
#undef HY__CHECK_ENUM
        HY_CHECK_ALL = 0x13fff,
    HY_CHECK_DEFAULT = 0x2fff /* all but self_check and misuse */
} hy_plan_check;

/*
 * What `measure` can answer: X(value, enumerator, name of the figure, unit).
 *
 *  rss           anonymous and shared memory, in RAM or swapped out, less what is marked as free
 *                (LazyFree), less the engine's. Huge pages are off, so that a touch is 4 KiB
 *  live_bytes    asked for, over all live blocks
 *  usable_bytes  usable_size over all live blocks
 *  extent        end of the highest live block - start of the lowest
 *  mapped        size of the process's address space, less the engine's
 *  shared_lines  cache lines of 64 bytes that hold bytes of live blocks of two threads or more. A
 *                block is of the thread of the last op in the plan that gives its slot a block
 *  os_calls      system calls counted since the last count_os or fail_os
 *  os_failures   of them, those that fail_os made fail
 *  page_faults   of this process so far, those that needed no disk
 *  cost_median, cost_p90, cost_p99, cost_max   over the samples of the last count_cost: half of them, 90
 *                and 99 of 100, and all are at most that. 0 where there are none
 *  lazily_free   marked as free (MADV_FREE), and still in RAM
 *  mappings      lines of /proc/self/maps, the engine's among them
 *  residue       what is in RAM of the pages under `watch`, after MADV_FREE too
 *  shown         the resident set, as ps, top and psutil show it: the engine's and the program's
 *                files in it, and what is lazily free
 *  trimmed       what the last `trim` answered, as a 32-bit number; 0 before the first
 *  open_files    descriptors below 1024 that are open, the engine's among them. The first time
 *                opens /dev/null eight times, so that there is something to close
 *  blocked_signals   how many the thread that measures has blocked
 *  handled_signals   how many have a handler, or are ignored
 */
#define HY_PLAN_MEASURES(X)                                                                        \
    X(0, RSS, rss, bytes)                                                                          \
    X(1, LIVE_BYTES, live_bytes, bytes)                                                            \
    X(2, USABLE_BYTES, usable_bytes, bytes)                                                        \
    X(3, EXTENT, extent, bytes)                                                                    \
    X(4, MAPPED, mapped, bytes)                                                                    \
    X(5, SHARED_LINES, shared_lines, lines)                                                        \
    X(6, OS_CALLS, os_calls, calls)                                                                \
    X(7, OS_FAILURES, os_failures, calls)                                                          \
    X(8, PAGE_FAULTS, page_faults, faults)                                                         \
    X(9, COST_MEDIAN, cost_median, cost)                                                           \
    X(10, COST_P90, cost_p90, cost)                                                                \
    X(11, COST_P99, cost_p99, cost)                                                                \
    X(12, COST_MAX, cost_max, cost)                                                                \
    X(13, LAZILY_FREE, lazily_free, bytes)                                                         \
    X(14, MAPPINGS, mappings, mappings)                                                            \
    X(15, RESIDUE, residue, bytes)                                                                 \
    X(16, SHOWN, shown, bytes)                                                                     \
    X(17, TRIMMED, trimmed, answer)                                                                \
    X(18, OPEN_FILES, open_files, files)                                                           \
    X(19, BLOCKED_SIGNALS, blocked_signals, signals)                                               \
    X(20, HANDLED_SIGNALS, handled_signals, signals)

#define HY_PLAN_MAX_MILLISECONDS 60000u /* of idle, await and stir */

typedef enum hy_plan_measure {
#define HY__MEASURE_ENUM(value, name, text, unit) HY_MEASURE_##name = (value),
    HY_PLAN_MEASURES(HY__MEASURE_ENUM)
#undef HY__MEASURE_ENUM
        HY_MEASURE_COUNT
} hy_plan_measure;

HY_END_DECLS

#endif /* HEAPYARD_PLAN_H */
