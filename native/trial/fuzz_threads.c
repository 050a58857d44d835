/*
 * fuzz_threads.c: random plans of several threads.
 *
 *     main's calls | part | part | ... | end       before each part blocks are dealt anew
 *
 *     parallel 1   [ on_thread 1 | calls | on_thread 2 | calls ]     on blocks that stay
 *     parallel 100 [ on_thread 1 | few calls, all freed | ... ]      churn
 *     parallel 100 [ on_thread 1 | malloc 48 .. | free .. | ... ]    a herd: all of one size at once
 *     on_thread 3  | calls                                           alone, the others wait
 *     on_thread 2  | in_destructor 1 [ calls ] | join 2              it ends, its blocks live on
 *
 * So a block is handed over between two parts: who holds it then frees or resizes it while the
 * thread that made it makes others. A slot is of one thread in a part, as plan.h wants it.
 */
#include "trial/drawing.h"

#define HOLDERS     32u /* threads, main, and one for churn; each with room for so many blocks: */
#define ROOM        (HY_FUZZ_MOST_SLOTS / HOLDERS)
#define MOST_CALLS  2048u
#define MOST_LIVE   128u
#define MOST_PARTS  64u
#define CHURN_BYTES ((uint64_t)8 << 20)
#define CHURN_CALLS 4096u

_Static_assert(HY_FUZZ_MOST_THREADS + 2 <= HOLDERS, "each thread has its room");
_Static_assert(MOST_CALLS + MOST_PARTS * 16 <= ROOM, "no thread can hold more than there are");

typedef struct crowd {
    hy_drawing *from;
    hy_held held[HY_FUZZ_MOST_THREADS + 1]; /* by thread; 0: main */
    uint32_t threads;                       /* beside main */
    uint32_t calls;                         /* of one thread in one part */
    uint32_t herd_size;                     /* of all blocks in a herd */
    bool is_brief;                          /* all threads end after each part */
} crowd;

static hy_held room(const hy_fuzzer *fuzzer, uint32_t holder)
{
    return (hy_held){.blocks = fuzzer->live + (size_t)holder * ROOM,
                     .empty = fuzzer->vacant + (size_t)holder * ROOM};
}

static uint64_t draw(const crowd *all)
{
    return hy__draw(&all->from->state);
}

static void add_structure(const crowd *all, uint8_t op, uint64_t size)
{
    hy__add(all->from, op, HY_PLAN_NO_SLOT, size);
}

/* ---- blocks from hand to hand ------------------------------------------------------------------- */

/* Each thread's to the next one. */
static void pass_on(crowd *all)
{
    const hy_held last = all->held[all->threads];
    for (uint32_t i = all->threads; i > 0; i--) {
        all->held[i] = all->held[i - 1];
    }
    all->held[0] = last;
}

static void give(hy_held *giver, uint32_t at, hy_held *taker)
{
    if (taker->live < ROOM && giver != taker) {
        taker->blocks[taker->live++] = giver->blocks[at];
        giver->blocks[at] = giver->blocks[--giver->live];
    }
}

/* Half of them, each to any thread. */
static void scatter(crowd *all)
{
    for (uint32_t i = 0; i <= all->threads; i++) {
        for (uint32_t at = all->held[i].live; at > 0; at--) {
            const uint64_t drawn = draw(all);
            if ((drawn & 1) != 0) {
                give(&all->held[i], at - 1,
                     &all->held[hy__draw_below(drawn, (uint64_t)all->threads + 1)]);
            }
        }
    }
}

static void deal(crowd *all)
{
    switch (draw(all) >> 60 & 3) {
    case 0:
        break; /* all keep theirs */
    case 1:
        scatter(all);
        break;
    default:
        pass_on(all);
        break;
    }
}

/* ---- the calls of one thread in one part ---------------------------------------------------------- */

/* Any entry point may be the first that a thread meets. */
static hy_act first_act(const hy_drawing *from, uint64_t drawn)
{
    const hy_act act = (hy_act)hy__draw_below(drawn, HY_ACT_FREE + 1);
    const bool is_there = (act != HY_ACT_CALLOC || hy__can(from, HY_FUNCTION_calloc)) &&
                          (act != HY_ACT_ALIGNED || hy__can_align(from)) &&
                          (act != HY_ACT_REALLOC || hy__can(from, HY_FUNCTION_realloc));
    return is_there ? act : HY_ACT_MALLOC;
}

static bool has_more(const hy_drawing *from, uint32_t end)
{
    return from->count < end && from->bytes <= from->swarm.bytes;
}

/* Mostly what the swarm draws; some threads only free, some only make blocks. */
static void draw_calls(hy_drawing *from, uint32_t calls)
{
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t end = from->count + calls;
    const unsigned role = drawn & 7;
    from->limit = role == 1 ? calls : 1 + hy__draw_below(drawn, from->swarm.live);
    if (role >= 5) {
        hy__draw_act(from, first_act(from, hy__draw(&from->state)));
    }
    while (role == 0 && from->held.live > 0 && from->count < end) {
        hy__draw_free(from);
    }
    while (role != 0 && has_more(from, end)) {
        if (role == 1) {
            hy__draw_act(from, HY_ACT_MALLOC);
        } else {
            hy__draw_any(from);
        }
    }
}

static void draw_part_of(crowd *all, uint32_t thread)
{
    hy_drawing *const from = all->from;
    add_structure(all, HY_OP_ON_THREAD, thread);
    from->held = all->held[thread];
    draw_calls(from, all->calls);
    all->held[thread] = from->held;
}

/* A few calls that leave nothing behind, so that they can be made again and again. */
static void draw_churn_of(crowd *all, uint32_t thread)
{
    hy_drawing *const from = all->from;
    const uint64_t drawn = draw(all);
    const uint32_t end = from->count + 4 + (uint32_t)(drawn & 15);
    add_structure(all, HY_OP_ON_THREAD, thread);
    from->held = room(from->fuzzer, HOLDERS - 1);
    from->limit = 1 + (uint32_t)(drawn >> 4 & 7);
    while (has_more(from, end)) {
        hy__draw_any(from);
    }
    while (from->held.live > 0) {
        hy__draw_free(from);
    }
}

/* A few blocks of the size that all threads ask for, then all of them freed. */
static void draw_herd_of(crowd *all, uint32_t thread)
{
    hy_drawing *const from = all->from;
    const uint32_t blocks = 1 + (uint32_t)(draw(all) & 15);
    add_structure(all, HY_OP_ON_THREAD, thread);
    from->held = room(from->fuzzer, HOLDERS - 1);
    for (uint32_t i = 0; i < blocks; i++) {
        const uint32_t slot = hy__claim(from, all->herd_size, 1);
        hy__add(from, HY_OP_MALLOC, slot, all->herd_size);
    }
    while (from->held.live > 0) {
        hy__draw_free(from);
    }
}

/* ---- parts -------------------------------------------------------------------------------------- */

/* Two threads or more, now and then main among them; a bit each. */
static uint32_t draw_party(const crowd *all)
{
    const uint64_t drawn = draw(all);
    const uint32_t every = ((uint32_t)2 << all->threads) - 2;
    const uint32_t some = (uint32_t)(drawn >> 8) & every;
    const uint32_t party = (some & (some - 1)) != 0 ? some : every;
    return party | ((drawn & 3) == 0 ? 1u : 0u);
}

static void draw_parallel(crowd *all, void (*draw_of)(crowd *all, uint32_t thread))
{
    const uint32_t party = draw_party(all);
    add_structure(all, HY_OP_PARALLEL, 1);
    for (uint32_t thread = 0; thread <= all->threads; thread++) {
        if ((party >> thread & 1) != 0) {
            draw_of(all, thread);
        }
    }
    add_structure(all, HY_OP_END_SECTION, 0);
}

/* Small as a rule: what many threads ask for at once. */
static uint32_t draw_herd_size(const crowd *all)
{
    const uint64_t drawn = draw(all);
    return (drawn & 7) == 0 ? 1 + (uint32_t)(drawn >> 8 & 8191) : 16 + (uint32_t)(drawn >> 8 & 127);
}

static void draw_churn(crowd *all, void (*draw_of)(crowd *all, uint32_t thread))
{
    hy_drawing *const from = all->from;
    const uint32_t at = from->count;
    const uint64_t bytes = from->bytes;
    uint64_t times = (uint64_t)4 << (draw(all) >> 40) % 8;
    draw_parallel(all, draw_of);
    while (times > 1 && (times * (from->bytes - bytes) > CHURN_BYTES ||
                         times * (from->count - at) > CHURN_CALLS)) {
        times /= 2;
    }
    from->fuzzer->ops[at].size = times;
}

/* It ends, with calls in a destructor or without; what it holds stays. */
static void draw_end_of(crowd *all, uint32_t thread)
{
    const uint64_t drawn = draw(all);
    const bool is_left_out = (all->from->fuzzer->request->omits & HY_FUZZ_OMIT_ENDINGS) != 0;
    if ((drawn & 3) == 0 && !is_left_out) {
        add_structure(all, HY_OP_ON_THREAD, thread);
        add_structure(all, HY_OP_IN_DESTRUCTOR, (drawn >> 8) % (HY_PLAN_LAST_ROUND + 1));
        all->from->held = all->held[thread];
        draw_calls(all->from, 1 + (uint32_t)(drawn >> 2 & 7));
        all->held[thread] = all->from->held;
        add_structure(all, HY_OP_END_SECTION, 0);
    }
    add_structure(all, HY_OP_JOIN, thread);
}

static void draw_ends(crowd *all)
{
    const uint64_t drawn = draw(all);
    const bool some_end = all->is_brief || (drawn & 3) == 0;
    for (uint32_t thread = 1; some_end && thread <= all->threads; thread++) {
        if (all->is_brief || (drawn >> (8 + thread) & 1) != 0) {
            draw_end_of(all, thread);
        }
    }
}

static void draw_part(crowd *all)
{
    const uint64_t drawn = draw(all);
    deal(all);
    if ((drawn & 7) == 0) {
        draw_part_of(all, hy__draw_below(drawn, (uint64_t)all->threads + 1));
    } else if ((drawn & 7) == 1) {
        draw_churn(all, draw_churn_of);
    } else if ((drawn & 7) == 2) {
        all->herd_size = draw_herd_size(all);
        draw_churn(all, draw_herd_of);
    } else {
        draw_parallel(all, draw_part_of);
    }
    if ((drawn >> 3 & 1) != 0) {
        add_structure(all, HY_OP_CHECK_ALL, 0);
    }
    draw_ends(all);
}

void hy__draw_threads(hy_drawing *from, uint32_t most)
{
    crowd all = {.from = from};
    const uint64_t drawn = hy__draw(&from->state);
    const uint32_t one = hy__draw_below(drawn, most - 1);
    const uint32_t other = hy__draw_below(hy__draw(&from->state), most - 1);
    all.threads = 2 + (one < other ? one : other);
    all.is_brief = (drawn & 15) == 0;
    const uint32_t parts = all.is_brief ? MOST_PARTS : 1 + (uint32_t)(drawn >> 4 & 7);
    const uint32_t calls = all.is_brief ? MOST_CALLS : MOST_CALLS >> (drawn >> 8 & 3);
    all.calls = 1 + calls / (parts * all.threads + 2);
    from->swarm.rounds = 1;
    from->swarm.live = from->swarm.live < MOST_LIVE ? from->swarm.live : MOST_LIVE;
    from->is_shared = true;
    for (uint32_t i = 0; i <= all.threads; i++) {
        all.held[i] = room(from->fuzzer, i);
    }
    draw_part_of(&all, 0);
    from->bytes = 0;
    for (uint32_t part = 0; part < parts && from->bytes <= from->swarm.bytes; part++) {
        draw_part(&all);
    }
}
