"""Plans of a test run in one child that lives on, so that a crash is a failure and costs little.

The parent draws a whole plan (Hypothesis shrinks it there), the child runs it:

    with Executor("pytests.bump.model:run_plan") as run:
        run([["alloc", 20], ["reset"]])

A plan that raises in the child fails in the parent with the child's traceback. A plan that kills
the child fails with the signal, and the next plan gets a new child.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from signal import Signals
from typing import IO, TYPE_CHECKING, Any, Self

from pytests.support.children import CHECKOUT, child_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Executor:
    """Runs plans with the function `where` ("module:function") in a child."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._child: subprocess.Popen[str] | None = None
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._errors.close()

    def __call__(self, plan: object) -> Any:
        """What the function returned for `plan`, both as JSON has them."""
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(plan) + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise AssertionError(self._death())
        result = json.loads(answer)
        assert "failure" not in result, result["failure"]
        return result["value"]

    def _start(self) -> subprocess.Popen[str]:
        self._child = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import main; main()", self._where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=CHECKOUT,
            env=child_environment(),
        )
        return self._child

    def _stop(self) -> int:
        if self._child is None:
            return 0
        child, self._child = self._child, None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        return child.wait()

    def _death(self) -> str:
        code = self._stop()
        how = Signals(-code).name if code < 0 else f"exit code {code}"
        self._errors.seek(0)
        text = self._errors.read()
        self._errors.seek(0)
        self._errors.truncate()
        return f"the plan ended its process: {how}\n{text}"


def serve(function: Callable[[Any], object], lines: IO[str], answers: IO[str]) -> None:
    """The child: one line of JSON in, one out."""
    for line in lines:
        try:
            answer = {"value": function(json.loads(line))}
        except Exception:
            answer = {"failure": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve the function that the command line names ("module:function")."""
    module, name = sys.argv[1].split(":")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a plan prints must not be read as an answer
    serve(getattr(importlib.import_module(module), name), sys.stdin, answers)
