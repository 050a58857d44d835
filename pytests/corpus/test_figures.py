"""A figure catches a defect by being worse than the sound build's, not by being another one."""

import pytest

from heapyard.corpus.verdict import is_worse


def figure(value: float, better: str) -> dict[str, float | str]:
    return {"name": "kept", "value": value, "better": better}


@pytest.mark.parametrize(
    ("better", "value", "sound", "worse"),
    [
        ("less", 16, 10, True),
        ("less", 15, 10, False),
        ("less", 1, 10, False),
        ("more", 6, 10, True),
        ("more", 7, 10, False),
        ("more", 100, 10, False),
        ("", 100, 10, False),
        ("", 1, 10, False),
    ],
)
def test_worse_is_by_half_and_on_the_wrong_side(
    better: str, value: float, sound: float, worse: bool
) -> None:
    assert is_worse(figure(value, better), figure(sound, better)) is worse


def test_a_little_is_not_worse_than_nothing() -> None:
    assert not is_worse(figure(0.1, "less"), figure(0, "less"))
    assert is_worse(figure(97, "less"), figure(0, "less"))
