"""Hypothesis strategies for plans: drawn whole in the parent, run in a child, shrunk like any data.

@settings(database=None)
@given(plans())
def test_any_plan_holds(plan: Plan) -> None:
    assert run_plan(target, plan).held
"""

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from hypothesis import configuration
from hypothesis import strategies as st

from heapyard.trial.checks import Check
from heapyard.trial.drawing import DRAWN_FUNCTIONS, Row, play, row_names
from heapyard.trial.plan import Plan

__all__ = ["leaving_no_folder", "plans", "sizes"]

_GROUP = 12


@contextmanager
def leaving_no_folder() -> Iterator[None]:
    """Let Hypothesis run here without a `.hypothesis` folder in the user's directory.

    `database=None` is not enough: it also caches the constants that it finds in local modules.
    """
    before = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory(prefix="heapyard-hypothesis-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


def sizes(most: int = 1 << 18) -> st.SearchStrategy[int]:
    """Request sizes in bytes up to `most`: mostly small, often at the edges of size classes."""
    bits = max(most.bit_length() - 1, 0)
    edges = st.builds(lambda bit, off: (1 << bit) + off, st.integers(0, bits), st.integers(-1, 1))
    return st.one_of(
        st.integers(0, min(most, 64)),
        st.integers(0, min(most, 4096)),
        edges.map(lambda size: min(size, most)),
        st.integers(0, most),
    )


def plans(
    functions: Collection[str] = DRAWN_FUNCTIONS,
    *,
    calls: int = 60,
    largest: int = 1 << 18,
    checks: Check = Check.DEFAULT,
) -> st.SearchStrategy[Plan]:
    """Plans of at most `calls` calls on a target that has these entry points.

    Every block is at most `largest` bytes, so that no allocation has a reason to fail, and every
    call must succeed; only what is asked with zero bytes may answer NULL (C17 7.22.3).
    """
    names = st.sampled_from(row_names(functions))
    row = st.builds(Row, names, st.integers(0, 255), sizes(largest))
    # Several short lists in a row are longer on average than one long list.
    groups = st.tuples(*[st.lists(row, max_size=_GROUP)] * max(1, calls // _GROUP))
    return groups.map(lambda rows: play((row for group in rows for row in group), checks=checks))
