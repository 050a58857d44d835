"""Medians, quartiles and ratios."""

import pytest

from heapyard.bench import Settings, Spread
from heapyard.errors import BadArgumentError
from pytests.bench.made import crashed, row, sample


def test_the_ratio_of_a_target_to_itself_is_one() -> None:
    one = row("libc", 3.0, 50.0, 7.0)
    assert one.ratio_to(one) == Spread(1.0, 1.0, 1.0)


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    # The second round was slow for both: the ratio of medians would be 2.
    assert Spread.of_ratios([20, 300, 10], [10, 100, 10]).median == 2.0
    assert Spread.of_ratios([10, 20, 90], [10, 10, 30]).median == 2.0
    assert Spread.of_ratios([30, 20, 10], [10, 20, 30]).median == 1.0


def test_the_spread_is_between_the_quartiles() -> None:
    assert Spread.of([1, 2, 3, 4, 100]) == Spread(3, 2, 4)


def test_one_round_has_no_spread() -> None:
    assert Spread.of([4.5]) == Spread(4.5, 4.5, 4.5)


@pytest.mark.parametrize(
    ("low", "high", "same"), [(0.9, 1.1, True), (1.1, 1.3, False), (0.7, 0.9, False)]
)
def test_no_difference_is_seen_where_one_lies_between_the_quartiles(
    low: float, high: float, same: bool
) -> None:
    assert Spread((low + high) / 2, low, high).holds_one is same


def test_there_is_no_ratio_to_what_crashed() -> None:
    one = row("libc", 3.0)
    assert one.ratio_to(crashed("bad")) is None
    assert crashed("bad").ratio_to(one) is None


def test_a_pair_is_two_operations_of_processor_time() -> None:
    assert sample(12.0).pair == 12.0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rounds": 0}, "rounds=0"),
        ({"live": 0}, "live=0"),
        ({"live": (1 << 24) + 1}, "live=16777217"),
        ({"sizes": (7, 8)}, "sizes='7-8'"),
        ({"sizes": (64, 32)}, "sizes='64-32'"),
        ({"sizes": (8, (1 << 30) + 1)}, "8 to 1073741824"),
        ({"pairs": 0}, "pairs=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, int], said: str) -> None:
    with pytest.raises(BadArgumentError, match=said):
        Settings(**settings)  # type: ignore[arg-type]
