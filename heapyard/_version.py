"""The version of this package."""

from __future__ import annotations

from importlib import metadata

__all__ = ["version"]


def version() -> str:
    """As installed; in a checkout that is not installed, that of the native build."""
    try:
        return metadata.version("heapyard")
    except metadata.PackageNotFoundError:
        from heapyard._native.build import current_build  # noqa: PLC0415

        return current_build().version
