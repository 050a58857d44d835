"""What the white-box tests share."""

from pytests.support.children import Ended, dies, runs

__all__ = ["Ended", "dies", "runs"]
