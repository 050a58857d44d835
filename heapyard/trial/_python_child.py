"""The child of a python:* target: runs one plan on an allocator of this very interpreter.

It is run as a file by `python -I -S`, imports little, and speaks the runner's command line and
answers. PyDLL keeps the interpreter's lock for the whole run: pymalloc needs it.
"""

import ctypes
import mmap
import os
import resource
import sys

JSON_BYTES = 1 << 20
TABLE_VERSION = 1
THREAD_SAFE = 4
PR_SET_PDEATHSIG = 1
PR_SET_THP_DISABLE = 41
SIGKILL = 9

FUNCTIONS = (
    *("malloc", "calloc", "realloc", "reallocarray", "free", "free_sized", "free_aligned_sized"),
    *("aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc", "usable_size", "trim"),
    "check",
)
"""The entry points of struct hy_trial_functions (<heapyard/trial.h>), in its order."""

DOMAINS = {"raw": "PyMem_Raw", "mem": "PyMem_", "obj": "PyObject_"}
OFFERED = ("malloc", "calloc", "realloc", "free")


class Functions(ctypes.Structure):
    """struct hy_trial_functions."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint64),
        ("min_alignment", ctypes.c_size_t),
        ("max_size", ctypes.c_size_t),
        *((name, ctypes.c_void_p) for name in FUNCTIONS),
    )


def functions_of(domain: str) -> Functions:
    """CPython's allocator of one domain, as entry points."""
    table = Functions(
        size=ctypes.sizeof(Functions),
        version=TABLE_VERSION,
        name=f"python:{domain}".encode(),
        flags=THREAD_SAFE if domain == "raw" else 0,
        min_alignment=16,
        max_size=sys.maxsize,
    )
    for name in OFFERED:
        function = getattr(ctypes.pythonapi, DOMAINS[domain] + name.capitalize())
        setattr(table, name, ctypes.cast(function, ctypes.c_void_p).value)
    return table


def capabilities(domain: str) -> str:
    """What the runner would print for this target."""
    import json  # noqa: PLC0415  (a run has no use for it, and starts faster without)

    table = functions_of(domain)
    return json.dumps(
        {
            "schema": "heapyard.capabilities/1",
            "name": f"python:{domain}",
            "functions": OFFERED,
            "flags": ["threads"] if table.flags & THREAD_SAFE else [],
            "min_alignment": table.min_alignment,
            "max_size": table.max_size,
            "table": False,
        }
    )


def run(library: str, domain: str, plan: bytes, state: mmap.mmap) -> bytes:
    """Run the plan; the engine's answer."""
    engine = ctypes.PyDLL(library).hy_trial_run_functions
    engine.restype = ctypes.c_size_t
    answer = ctypes.create_string_buffer(JSON_BYTES)
    table = functions_of(domain)
    engine(
        plan,
        ctypes.c_size_t(len(plan)),
        ctypes.byref(table),
        answer,
        ctypes.c_size_t(JSON_BYTES),
        ctypes.byref(ctypes.c_char.from_buffer(state)),
    )
    return answer.value


class Bench(ctypes.Structure):
    """struct hy_trial_bench."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("size", "plan", "is_sized", "warm_up")),
        *((name, ctypes.c_uint64) for name in ("live", "low", "high", "seed", "pairs")),
    )


BENCH_PLANS = ("plan", "pairs", "lifo", "fifo", "random_free", "churn")


def bench(library: str, domain: str, options: dict[str, str]) -> bytes:
    """Run a benchmark; the engine's answer."""
    function = ctypes.PyDLL(library).hy_trial_bench_functions
    function.restype = ctypes.c_size_t
    answer = ctypes.create_string_buffer(JSON_BYTES)
    table = functions_of(domain)
    request = Bench(
        size=ctypes.sizeof(Bench),
        plan=BENCH_PLANS.index(options["--bench"]),
        warm_up=int(options.get("--warm-up", "0")),
        live=int(options.get("--live", "1")),
        low=int(options.get("--low", "8")),
        high=int(options.get("--high", "8")),
        seed=int(options.get("--seed", "0")),
        pairs=int(options["--pairs"]),
    )
    plan = b""
    if "--plan" in options:
        with open(options["--plan"], "rb") as file:  # noqa: PTH123
            plan = file.read()
    function(
        ctypes.byref(request),
        plan,
        ctypes.c_size_t(len(plan)),
        ctypes.byref(table),
        answer,
        ctypes.c_size_t(JSON_BYTES),
    )
    return answer.value


def options_of(arguments: list[str]) -> dict[str, str]:
    """The options of the runner's command line that take a value.

    --sized takes none, and means nothing to an allocator that has no free_sized.
    """
    arguments = [argument for argument in arguments if argument != "--sized"]
    names, values = arguments[::2], arguments[1::2]
    return dict(zip(names, values, strict=False))


def main() -> None:
    """Do what the command line says."""
    library, domain, *arguments = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if arguments[0] == "--capabilities":
        options = options_of(arguments[1:])
        os.write(int(options["--result"]), capabilities(domain).encode())
        return
    options = options_of(arguments)
    if "--bench" in options:
        os.write(int(options["--result"]), bench(library, domain, options))
        os._exit(0)
    if "--address-space" in options:
        bound = int(options["--address-space"])
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    with open(options["--plan"], "rb") as file, mmap.mmap(int(options["--state"]), 64) as state:  # noqa: PTH123
        os.write(int(options["--result"]), run(library, domain, file.read(), state))
        os._exit(0)


if __name__ == "__main__":
    main()
