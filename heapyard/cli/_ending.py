"""Requests to end: SIGTERM and SIGHUP, taken as Ctrl-C is, so that nothing is left behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ending_on_request"]


@contextlib.contextmanager
def ending_on_request() -> Iterator[None]:
    """Raise KeyboardInterrupt inside for both signals; one that is ignored (nohup) stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in taken:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
