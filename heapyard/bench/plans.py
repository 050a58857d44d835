"""What is run: a plan that the runner generates, or a file: a recording or a JSON plan."""

import struct
from dataclasses import dataclass
from pathlib import Path

from heapyard.bench.settings import Settings
from heapyard.errors import HeapyardError
from heapyard.trial.plan import Plan

__all__ = ["GENERATED", "BenchPlan", "find_plan"]

GENERATED = ("pairs", "lifo", "fifo", "random-free", "churn")
"""The plans that the runner generates (<heapyard/trial.h> says what each is)."""


_OP_COUNT = struct.Struct("<24xQ")
"""In the header of a packed plan (<heapyard/plan.h>)."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """A plan, ready to run."""

    name: str
    """As it was typed; a file's name without its folder."""
    path: Path | None = None
    """None: generated."""
    calls: int = 0
    """Of a file."""

    def describe(self, settings: Settings) -> str:
        """A heading: "churn, 10,000 live, 8-512 B"."""
        if self.path is not None:
            return f"{self.name}, {self.calls:,} calls"
        low, high = settings.sizes
        sizes = f"{low:,} B" if low == high else f"{low:,}-{high:,} B"
        live = "" if self.name == "pairs" else f"{settings.live:,} live, "
        return f"{self.name}, {live}{sizes}"

    def arguments(self, settings: Settings, plan: int) -> list[str]:
        """The runner's arguments; `plan` is the descriptor of the packed plan."""
        if self.path is not None:
            chosen = ["--bench", "plan", "--plan", f"/proc/self/fd/{plan}"]
        else:
            low, high = settings.sizes
            chosen = ["--bench", self.name.replace("-", "_"), "--warm-up", "1"]
            chosen += ["--live", str(settings.live), "--low", str(low), "--high", str(high)]
            chosen += ["--seed", str(settings.seed)]
        chosen += ["--pairs", str(settings.pairs)]
        return [*chosen, *(["--sized"] if settings.sized else [])]

    def load(self) -> bytes:
        """The packed plan; empty for one that is generated. Raises HeapyardError."""
        return b"" if self.path is None else _load(self.path)


def find_plan(text: str) -> BenchPlan:
    """The plan of this name, or in this file, which is read once to be sure that it is one.

    Raises HeapyardError.
    """
    if text in GENERATED:
        return BenchPlan(name=text)
    path = Path(text)
    if not path.exists():
        raise HeapyardError(
            f"no such plan: {text}; give {', '.join(GENERATED)}, a recording or a plan's JSON file"
        )
    if not path.is_file():
        raise HeapyardError(f"can't read {text}: not a file; give a recording or a JSON plan")
    (calls,) = _OP_COUNT.unpack_from(_load(path))
    return BenchPlan(name=path.name, path=path, calls=calls)


def _load(path: Path) -> bytes:
    from heapyard.trial.recording import is_recording, load_recording  # noqa: PLC0415

    try:
        if is_recording(path):
            return load_recording(path)
        return Plan.from_json(path.read_text(encoding="utf-8")).to_bytes()
    except OSError as error:
        raise HeapyardError(f"can't read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise HeapyardError(
            f"can't read {path}: neither a recording nor text; give a recording or a JSON plan"
        ) from None
    except HeapyardError as error:
        raise HeapyardError(f"can't read {path}: {error}") from None
