"""HY-SWAP: the allocator in malloc's place, in a process that knows nothing of it.

Only for libraries with the plain names: they are preloaded into a small C program. Allocators
behind a table, with a prefix, or linked into their own program are not asked.
"""

from __future__ import annotations

from heapyard.contract.replacement import holds_as_malloc, holds_when_opened
from heapyard.rules import MUST, SHOULD, Trial, rule

GLIBC = "glibc manual 3.2.5: a replacement provides the whole family"


@rule(
    "HY-SWAP-01",
    level=MUST,
    source="C17 7.22.3.3p2, 7.22.3.5p3; posix_memalign(3)",
    bug="gperftools issue 909: aligned_alloc was left to libc, and free did not know its blocks;"
    " jemalloc issue 2246: the same of pvalloc",
)
def test_any_member_of_the_family_frees_and_resizes(trial: Trial) -> None:
    """A block from any function of the family can be freed, resized and asked for its usable size.

    malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign, memalign, valloc, pvalloc:
    a program calls what its libc declares, whoever serves it. That free takes them all, the glibc
    extensions too, stands in posix_memalign(3).
    """
    holds_as_malloc(trial, "family")


@rule("HY-SWAP-02", level=SHOULD, source=GLIBC, bug="gperftools issue 909")
def test_no_member_is_left_to_libc(trial: Trial) -> None:
    """Where malloc is replaced, the rest of the family is too.

    Whatever the libc has of calloc, realloc, aligned_alloc, posix_memalign, memalign, valloc,
    pvalloc, malloc_usable_size, free_sized, free_aligned_sized. glibc's reallocarray calls realloc,
    whoever has it, and may stay.
    """
    if trial.target.path is not None:
        holds_as_malloc(trial, "closure")


@rule(
    "HY-SWAP-03",
    level=MUST,
    source="POSIX.1-2017 strdup, realpath; asprintf(3), scandir(3): the result goes to free",
    bug="rpmalloc pull 374: blocks of libc's internal malloc reached rpfree",
)
def test_free_takes_what_libc_allocated(trial: Trial) -> None:
    """Strings and lists that the libc allocates can be freed and resized, and are whole.

    strdup, strndup, wcsdup, getcwd, realpath, asprintf, vasprintf, scandir.
    """
    holds_as_malloc(trial, "strings")


@rule("HY-SWAP-04", level=MUST, source="POSIX.1-2017 getdelim, open_memstream")
def test_libc_resizes_what_the_program_allocated(trial: Trial) -> None:
    """The libc may resize a block of the program's, and grow one of its own that the program frees.

    getline and getdelim with a buffer that malloc gave, open_memstream, qsort, setenv.
    """
    holds_as_malloc(trial, "grown")


@rule(
    "HY-SWAP-05",
    level=SHOULD,
    source="C++17 [new.delete]: a delete takes what its new gave",
    bug="jemalloc pull 2991: a sized delete of an aligned block of no bytes went astray",
)
def test_operators_of_cpp_work(trial: Trial) -> None:
    """Each operator new of C++ gives a block that each fitting operator delete takes.

    Plain, array, aligned, sized and nothrow, of the allocator or of libstdc++ on its malloc; a
    nothrow new of PTRDIFF_MAX bytes answers NULL. They are called by their mangled names.
    """
    holds_as_malloc(trial, "operators")


@rule("HY-SWAP-06", level=SHOULD, source="C++17 [new.delete]: the storage is available again")
def test_operator_delete_gives_back(trial: Trial) -> None:
    """No form of operator delete leaks: 64 MiB, one block at a time, need at most 12 MiB."""
    holds_as_malloc(trial, "deletes")


@rule(
    "HY-SWAP-07",
    level=SHOULD,
    source="dlopen(3); users load allocators with plugins and ctypes",
    bug="jemalloc issue 937: cannot allocate memory in static TLS block",
)
def test_dlopen_in_a_running_program(trial: Trial) -> None:
    """dlopen opens the library in a program that runs, and two threads can use it."""
    holds_when_opened(trial, "open")


@rule("HY-SWAP-08", level=SHOULD, source="dlclose(3): a program may close what it opened")
def test_dlclose_leaves_the_program_alive(trial: Trial) -> None:
    """After dlclose the program goes on: threads end, exit handlers run, it may be opened again."""
    holds_when_opened(trial, "close")


@rule("HY-SWAP-09", level=SHOULD, source="dlopen(3): two files are two libraries")
def test_two_copies_in_one_process(trial: Trial) -> None:
    """Two copies of the library in one process keep their blocks apart from each other."""
    holds_when_opened(trial, "twice")


@rule(
    "HY-SWAP-16",
    level=SHOULD,
    source="C++17 [new.delete.single]: calls the current new-handler, and tries again",
)
def test_operator_new_calls_the_new_handler(trial: Trial) -> None:
    """A nothrow operator new that finds no memory calls the new handler as long as there is one.

    PTRDIFF_MAX bytes, a handler that takes itself away at its third call, then NULL. libstdc++ is
    there from the start of the program, as where it is written in C++.
    """
    holds_as_malloc(trial, "new_handler", "libstdc++.so.6")
