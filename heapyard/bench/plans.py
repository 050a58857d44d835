"""What is run: a plan that the runner generates, or a file: a recording or a JSON plan."""

from dataclasses import dataclass, field
from pathlib import Path

from heapyard.bench.settings import Settings
from heapyard.errors import HeapyardError
from heapyard.trial.plan import Plan

__all__ = ["GENERATED", "BenchPlan", "find_plan"]

GENERATED = ("pairs", "lifo", "fifo", "random-free", "churn")
"""The plans that the runner generates (<heapyard/trial.h> says what each is)."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """A plan, ready to run."""

    name: str
    """As it was typed; a file's name without its folder."""
    packed: bytes | None = field(default=None, repr=False)
    """None: generated."""

    def describe(self, settings: Settings) -> str:
        """A heading: "churn, 10,000 live, 8-512 B"."""
        if self.packed is not None:
            return f"{self.name}, a file"
        low, high = settings.sizes
        sizes = f"{low:,} B" if low == high else f"{low:,}-{high:,} B"
        live = "" if self.name == "pairs" else f"{settings.live:,} live, "
        return f"{self.name}, {live}{sizes}"

    def arguments(self, settings: Settings, plan: int) -> list[str]:
        """The runner's arguments; `plan` is the descriptor of the packed plan."""
        chosen = ["--bench", self.name.replace("-", "_")]
        if self.packed is not None:
            chosen = ["--bench", "plan", "--plan", f"/proc/self/fd/{plan}"]
        else:
            low, high = settings.sizes
            chosen += ["--live", str(settings.live), "--low", str(low), "--high", str(high)]
            chosen += ["--seed", str(settings.seed), "--warm-up", "1"]
        chosen += ["--pairs", str(settings.pairs)]
        return [*chosen, *(["--sized"] if settings.sized else [])]


def find_plan(text: str) -> BenchPlan:
    """The plan of this name, or in this file. Raises HeapyardError."""
    if text in GENERATED:
        return BenchPlan(name=text)
    path = Path(text)
    if not path.exists():
        raise HeapyardError(
            f"no such plan: {text}; give {', '.join(GENERATED)}, a recording or a plan's JSON file"
        )
    if not path.is_file():
        raise HeapyardError(f"can't read {text}: not a file; give a recording or a JSON plan")
    return BenchPlan(name=path.name, packed=_read(text, path))


def _read(text: str, path: Path) -> bytes:
    from heapyard.trial.recording import is_recording, load_recording  # noqa: PLC0415

    try:
        if is_recording(path):
            return load_recording(path)
        return Plan.from_json(path.read_bytes()).to_bytes()
    except OSError as error:
        raise HeapyardError(f"can't read {text}: {error.strerror}") from None
    except HeapyardError as error:
        raise HeapyardError(f"can't read {text}: {error}") from None
