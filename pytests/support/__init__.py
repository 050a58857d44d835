"""What the white-box tests share."""

from pytests.support.children import Ended, dies, runs
from pytests.support.executor import Executor

__all__ = ["Ended", "Executor", "dies", "runs"]
