"""Judge many defects at once, each in a worker process, in the order in which they end."""

from __future__ import annotations

import contextlib
import os
import signal
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TYPE_CHECKING

from heapyard._native.build import current_build, use_build
from heapyard.corpus.judge import judge_defect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from heapyard.corpus.defects import Defect
    from heapyard.corpus.finding import Finding

__all__ = ["judge_defects"]


def judge_defects(
    library: Path,
    defects: Sequence[Defect],
    *,
    workers: int,
    all_rules: bool = False,
    started: Callable[[Defect], None] = lambda _: None,
) -> Iterator[Finding]:
    """Answer a finding for each defect as it is there; `started` is told of each as it begins."""
    if workers < 2:
        for defect in defects:
            started(defect)
            yield judge_defect(library, defect, all_rules=all_rules)
        return
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_prepare, initargs=(str(current_build().source),)
    )
    try:
        yield from _in_pool(pool, workers, library, defects, all_rules, started)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_pool(  # noqa: PLR0913, PLR0917  (what judge_defects was given)
    pool: ProcessPoolExecutor,
    workers: int,
    library: Path,
    defects: Sequence[Defect],
    all_rules: bool,
    started: Callable[[Defect], None],
) -> Iterator[Finding]:
    """As many as there are workers are under way: what is told to run does run."""
    waiting = list(reversed(defects))
    running: set[Future[Finding]] = set()
    while waiting or running:
        while waiting and len(running) < workers:
            defect = waiting.pop()
            started(defect)
            with _interrupts_held():  # a worker may be started here, and inherits that
                running.add(pool.submit(judge_defect, library, defect, all_rules=all_rules))
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for each in done:
            yield each.result()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """An interruption is the parent's to handle, after this; a worker never sees one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(build: str) -> None:
    """In a worker: what is printed there is nobody's."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    use_build(build)
