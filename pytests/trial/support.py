"""What the tests of the trial share: libraries to run, and the traces that runs may leave."""

import os
from pathlib import Path

import psutil
import pytest

from heapyard._native.build import current_build
from heapyard.errors import HeapyardError
from heapyard.trial import Plan, Target, resolve_target
from heapyard.trial.reaper import TOKEN

INSTALLED = ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4")
"""Allocators of the distribution; tests on them are skipped where they are not installed."""


def built(name: str) -> Path:
    """A library that CMake builds for these tests, in the folder of the corpus."""
    corpus = current_build().corpus
    if corpus is None:
        pytest.skip("this build has no test libraries")
    return corpus.parent / f"libyard_{name}.so"


def own_targets() -> list[str]:
    """The names of heapyard's own allocators in this build; none where there is no build."""
    try:
        return sorted(current_build().targets)
    except HeapyardError:
        return []


def has_musl() -> bool:
    """Whether this build has a runner for musl."""
    try:
        return current_build().runner_musl is not None
    except HeapyardError:
        return False


def installed(name: str, mode: str = "auto") -> Target:
    """An allocator of the distribution, or a skip."""
    try:
        return resolve_target(name, mode=mode)
    except HeapyardError as error:
        pytest.skip(str(error))


def some_calls(repeat: int = 1) -> Plan:
    """A few calls that any allocator with malloc, realloc and free does well."""
    plan = Plan("some", weak_alignment=True, repeat=repeat)
    blocks = [plan.malloc(size) for size in (1, 24, 4000, 100_000)]
    plan.realloc(blocks[1], 5000)
    for block in blocks:
        plan.free(block)
    return plan


class Traces:
    """What this process can see of children: descriptors, files, processes.

    Earlier tests of this worker may have left processes that are theirs to keep, such as the
    resource tracker of multiprocessing: it lives as long as the worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptors = self._count_descriptors()
        self._processes = self._descendants()

    def assert_none(self) -> None:
        """Nothing more than before."""
        assert self._count_descriptors() == self._descriptors
        assert list(self._folder.iterdir()) == []
        self.assert_no_process()

    def assert_no_process(self) -> None:
        """No process more than before, and none that descends from a child of ours."""
        assert self._descendants() - self._processes == set()
        assert self._marked() == []

    @staticmethod
    def _descendants() -> set[psutil.Process]:
        return set(psutil.Process().children(recursive=True))

    @staticmethod
    def _count_descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    @staticmethod
    def _marked() -> list[psutil.Process]:
        """Processes that descend from a child of ours, whoever their parent is now."""
        mine = f"{os.getpid()}-"
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(TOKEN, "").startswith(mine):
                    found.append(process)
            except psutil.Error:
                continue
        return found
