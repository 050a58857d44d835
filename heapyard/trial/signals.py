"""How a child ended, in words."""

import os
import signal

from heapyard.trial.child import Ended

__all__ = ["ending", "is_slow", "last_words", "signal_name"]

_LONGEST_WORDS = 200
_STUCK = 0.25
"""The part of its time in which a child that hangs makes no new call."""


def signal_name(number: int) -> str:
    """A signal's name ("SIGSEGV"); its number where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ending(ended: Ended) -> str:
    """A clause without a subject: "killed by SIGSEGV", "exited with status 3"."""
    if ended.reason == "time":
        doing = "computing" if ended.computing else "waiting"
        going_on = ", and calls went on" if is_slow(ended) else ""
        return (
            f"still running after {ended.seconds:.1f} s ({doing}: {ended.cpu_seconds:.1f} s of"
            f" processor time{going_on})"
        )
    if ended.reason == "stopped":
        return "stopped by a signal and not continued"
    if ended.reason == "memory":
        return f"grew to {ended.resident >> 20} MiB of resident memory"
    if os.WIFSIGNALED(ended.status):
        return f"killed by {signal_name(os.WTERMSIG(ended.status))}"
    return f"exited with status {os.WEXITSTATUS(ended.status)}"


def is_slow(ended: Ended) -> bool:
    """Whether it was ended for its time, but was not stuck in a call."""
    return ended.reason == "time" and ended.still < _STUCK * ended.seconds


def last_words(stderr: str) -> str:
    """What an allocator that gives up says last, as a clause; empty where it said nothing."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return f"; it said: {lines[-1][:_LONGEST_WORDS]}" if lines else ""
