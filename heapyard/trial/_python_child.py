"""The child of a python:* target: runs one plan on an allocator of this very interpreter.

It is run as a file by `python -I -S`, imports little, and speaks the runner's command line and
answers. PyDLL keeps the interpreter's lock for the whole run: pymalloc needs it.
"""

import argparse
import ctypes
import json
import mmap
import os
import resource
import signal
import sys
from pathlib import Path

JSON_BYTES = 1 << 20
TABLE_VERSION = 1
THREAD_SAFE = 4
PR_SET_PDEATHSIG = 1

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


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("domain", choices=DOMAINS)
    parser.add_argument("--capabilities", action="store_true")
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--result", type=int, default=1)
    parser.add_argument("--state", type=int)
    parser.add_argument("--address-space", type=int)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.capabilities:
        os.write(options.result, capabilities(options.domain).encode())
        return
    if options.address_space is not None:
        resource.setrlimit(resource.RLIMIT_AS, (options.address_space, options.address_space))
    with mmap.mmap(options.state, 64) as state:
        plan = options.plan.read_bytes()
        os.write(options.result, run(options.library, options.domain, plan, state))
        os._exit(0)


if __name__ == "__main__":
    main()
