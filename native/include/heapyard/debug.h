/*
 * debug.h: hooks that watch any allocator of a domain, and name what goes wrong.
 *
 *        what the table below gave
 *     [ size 8 | id 1, serial 7 | guard FD.. |------ block ------| guard FD.. ]
 *                                            ^ what the caller gets
 *
 * The bytes of a new block are 0xCD, of a grown part too, those of a freed one 0xDD, guards 0xFD. A
 * freed block stays in quarantine until others have pushed it out; only then the table below gets it
 * back. What is a block and what is not is told by a table of addresses that the hooks keep in
 * memory of their own, never by reading what a pointer points to. Each block bears a serial number:
 * the count of all requests so far, which is the same in each run of the same single thread.
 *
 * The ancestor is CPython's PyMem_SetupDebugHooks (Tim Peters' debug malloc): the fills and the idea
 * are its. Address table, quarantine, leaks, a serial number that threads share and guards of any
 * width are additions.
 *
 * What is found goes to the handler of <heapyard/misuse.h>, with part "domain" and a hex dump, which
 * is read in a way that bad memory can't hurt:
 *
 *     heapyard: domain: overflow of 0x55e0c8a4b2e0 (obj block of 24 bytes, serial 17: byte 24)
 *
 *     overflow, underflow        a guard was written: told by free, realloc and hy_debug_check_all
 *     write after free           told when the block leaves quarantine, and by hy_debug_check_all
 *     double free                also of a block that left quarantine, while it is among the last
 *                                HY_DEBUG_HISTORY and its address was not handed out again
 *     wrong domain               the block of one domain, freed or resized through another
 *     interior pointer           into a block that is live or in quarantine
 *     foreign pointer            any other: not a block, or served before the hooks were set up
 *     use without the lock       see hy_debug_set_lock_check
 *     corrupted metadata         the table below served a block that is still in use
 *
 * Where the handler returns, the call has had no effect (free: the block stays as it was; malloc and
 * realloc return NULL); a block that was written after its free leaves quarantine all the same.
 *
 * realloc resizes in place while at least half of the block stays in use, filling all that is cut
 * off; else it takes a new block, and the old one is freed like any other, so that stale pointers
 * show. A shrink never fails. Only blocks above HY_DEBUG_MAX_MOVE go to the realloc of the table
 * below, so that they are not there twice.
 *
 * Threads: as the domain. The hooks themselves take one mutex for a short time, and hold it neither
 * while they fill nor while they call the table below or the handler. fork takes it into account.
 *
 * Cost of a block: 16 bytes and two guards in it, and a record of 80 bytes.
 */
#ifndef HEAPYARD_DEBUG_H
#define HEAPYARD_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/domain.h>
#include <heapyard/export.h>

HY_BEGIN_DECLS

/* The bytes that hooks write. */
#define HY_DEBUG_CLEAN_BYTE ((unsigned char)0xCD)
#define HY_DEBUG_DEAD_BYTE  ((unsigned char)0xDD)
#define HY_DEBUG_GUARD_BYTE ((unsigned char)0xFD)

/* Guards: a multiple of 16 up to the largest; the default. */
#define HY_DEBUG_MAX_GUARD     ((size_t)4096)
#define HY_DEBUG_DEFAULT_GUARD ((size_t)16)

/* The default quarantine of one set of hooks. */
#define HY_DEBUG_DEFAULT_QUARANTINE_BYTES  ((size_t)4 << 20)
#define HY_DEBUG_DEFAULT_QUARANTINE_BLOCKS ((size_t)8192)

/* Of a block that is larger than this, only the first and the last half of it are filled, and it is
 * not kept in quarantine: filling would touch pages that the program may never touch. What a shrink
 * cuts off is filled whole. */
#define HY_DEBUG_MAX_FILL ((size_t)64 << 20)

/* A block that is larger than this is not moved by copy. */
#define HY_DEBUG_MAX_MOVE ((size_t)1 << 20)

/* How many blocks that left quarantine are remembered, for the name of a double free. */
#define HY_DEBUG_HISTORY ((size_t)65536)

/* Flags of a configuration. */
typedef enum hy_debug_flags {
    HY_DEBUG_NO_QUARANTINE = 1, /* freed blocks go back at once; no write after free is told */
} hy_debug_flags;

/* How hooks are made. Zero in a field means its default; `size` is sizeof(hy_debug_config). */
typedef struct hy_debug_config {
    size_t size;
    size_t guard_bytes;       /* on each side */
    size_t quarantine_bytes;  /* at most so many, guards included; no block larger than that */
    size_t quarantine_blocks; /* and at most so many */
    uint32_t flags;           /* hy_debug_flags, or-ed */
    uint32_t reserved;        /* 0 */
} hy_debug_config;

/* ---- setting up ----------------------------------------------------------------------------- */

/* The bit of a domain, for sets of domains. */
#define HY_DOMAIN_BIT(domain) (UINT32_C(1) << (unsigned)(domain))
#define HY_DOMAIN_ALL         (HY_DOMAIN_BIT(HY_DOMAIN_COUNT) - 1)

/*
 * Set up hooks around the tables that serve `domains` (HY_DOMAIN_BITs, or-ed). A domain whose table
 * is hooks already is left as it is. No block of it may be live (it would be foreign). `config` may
 * be NULL: all defaults.
 *
 * Returns false if and only if there is no memory (the domains before are set up then), or `config`
 * has a value that is not allowed above (misuse: bad argument).
 */
HY_API bool hy_domain_setup_debug_hooks(uint32_t domains, const hy_debug_config *config);

/*
 * Hooks around any table: `result` gets a table for `domain` that passes on to a copy of `below`. It
 * may be stacked on hooks. What was once made stays for good; the same arguments give the same
 * hooks. Returns false as above, and where the domain is unknown or `below` has a NULL function
 * (misuse: bad argument); `result` is then as it was.
 */
HY_API bool hy_debug_wrap(hy_domain domain, const hy_allocator *below,
                          const hy_debug_config *config, hy_allocator *result);

/* ---- asking --------------------------------------------------------------------------------- */

/* The serial number of the last request. 0: none so far. Any thread. */
HY_API uint64_t hy_debug_serial(void);

/*
 * Verify every block of every set of hooks: the guards of live ones, all bytes of those in
 * quarantine. Each damaged one is reported as misuse. Returns how many they are. O(blocks and
 * their guards, bytes in quarantine).
 */
HY_API size_t hy_debug_check_all(void);

/* A block that is still live. */
typedef struct hy_debug_leak {
    const void *address;
    size_t size;     /* bytes, as asked for */
    uint64_t serial; /* when */
    uint32_t domain; /* a hy_domain */
    uint32_t reserved;
} hy_debug_leak;

/* What is live under hooks, each block once however hooks are stacked. Writes the oldest `count` to
 * `leaks`, oldest first, the sum of all their sizes to `bytes` (either may be NULL; `count` is then
 * 0). Returns how many there are. O(live blocks). */
HY_API size_t hy_debug_leaks(hy_debug_leak *leaks, size_t count, uint64_t *bytes);

/* Print that to standard error, at most the oldest `limit` in lines of their own. Returns how many
 * there are. HEAPYARD_MALLOC_LEAKS=1 does so at exit, with a limit of 20. */
HY_API size_t hy_debug_report_leaks(size_t limit);

/* ---- the lock ------------------------------------------------------------------------------- */

/* Whether the calling thread holds the lock that mem and obj need. */
typedef bool hy_debug_lock_fn(void *context);

/*
 * From now on the hooks of mem and obj ask `holds` first; where it says no, that is misuse (use
 * without the lock). NULL: don't ask. It must not call a domain. The pair is replaced as one, by any
 * thread at any time; copies are kept for good, one for each pair that differs from those before.
 * Returns false if and only if there is no memory.
 */
HY_API bool hy_debug_set_lock_check(hy_debug_lock_fn *holds, void *context);

/* Declare that the calling thread does not hold the lock (false) or may hold it (true, as at the
 * start of each thread). What it declares counts beside what `holds` says. */
HY_API void hy_debug_declare_lock(bool held);

HY_END_DECLS

#endif /* HEAPYARD_DEBUG_H */
