"""Errors that a user can act on: each text carries the value, the bound and the remedy."""

__all__ = ["HeapyardError"]


class HeapyardError(Exception):
    """The base of every error of this package that is not a defect of the package itself.

    The text is one line: what was asked for, why it can't be done, what to do instead. The command
    line prints it and exits with code 2.
    """
