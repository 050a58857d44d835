"""All defects, and the sound build, go by the name of one library."""

import pytest

from heapyard.rules import Trial


@pytest.fixture(autouse=True)
def _each_with_all_its_time() -> None:
    """What hung with another defect says nothing of this one."""
    Trial.forget_hangs()
