"""Collect the contract's files whatever names the user's own tests have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import heapyard

if TYPE_CHECKING:
    import pytest

__all__ = ["contract_module"]

_CONTRACT = Path(heapyard.__file__).parent / "contract"


def contract_module(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """The module of one of the contract's files; None where pytest collects it by itself."""
    if not _belongs(file_path) or parent.session.isinitpath(file_path):
        return None
    if any(file_path.match(pattern) for pattern in parent.config.getini("python_files")):
        return None
    module: pytest.Module = parent.session.gethookproxy(file_path).pytest_pycollect_makemodule(
        module_path=file_path, parent=parent
    )
    return module


def _belongs(file_path: Path) -> bool:
    return _CONTRACT.is_dir() and file_path.parent.samefile(_CONTRACT)
