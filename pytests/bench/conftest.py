"""The command, in a folder of its own."""

from pytests.cli.conftest import environment, folder, heapyard, here

__all__ = ["environment", "folder", "heapyard", "here"]
