"""Rules are validated where they are declared."""

import pytest

from heapyard.errors import BadArgumentError
from heapyard.rules import MUST, Level, Trial, rule, rule_of


def body(trial: Trial) -> None:
    """It holds.

    More of it.
    """


def undocumented(trial: Trial) -> None:
    pass


@pytest.mark.parametrize(
    "identity", ["", "ALIGN-01", "HY-ALIGN-1", "HY-ALIGN-001", "HY-align-01", "HY-ALIGN-01x"]
)
def test_an_id_of_another_form_is_refused(identity: str) -> None:
    with pytest.raises(BadArgumentError, match="must be HY-GROUP-NN"):
        rule(identity, level=MUST, source="C17")(body)


def test_a_rule_without_a_docstring_is_refused() -> None:
    with pytest.raises(BadArgumentError, match="docstring"):
        rule("HY-NONE-01", level=MUST, source="C17")(undocumented)


@pytest.mark.parametrize("source", ["", "  "])
def test_a_rule_without_a_source_is_refused(source: str) -> None:
    with pytest.raises(BadArgumentError, match="source"):
        rule("HY-NONE-01", level=MUST, source=source)(body)


def test_a_level_must_be_one() -> None:
    with pytest.raises(BadArgumentError, match="MUST, SHOULD or PROFILE"):
        rule("HY-NONE-01", level="must", source="C17")(body)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_bound_of_time_is_above_zero(seconds: float) -> None:
    with pytest.raises(BadArgumentError, match="above 0"):
        rule("HY-NONE-01", level=MUST, source="C17", seconds=seconds)(body)


def test_an_id_is_taken_once() -> None:
    rule("HY-NONE-01", level=MUST, source="C17")(body)

    def other(trial: Trial) -> None:
        """It is another rule."""

    with pytest.raises(BadArgumentError, match=r"taken by body in test_declarations\.py"):
        rule("HY-NONE-01", level=MUST, source="C17")(other)


def test_the_same_test_imported_twice_is_one_rule() -> None:
    for _ in range(2):
        rule("HY-NONE-01", level=MUST, source="C17")(body)


def test_a_declaration_keeps_what_was_said() -> None:
    declared = rule_of(
        rule("HY-NONE-01", level=Level.SHOULD, source="C17", needs="valloc", bug="b 1")(body)
    )
    assert declared is not None
    assert (declared.title, declared.text) == ("It holds", "More of it.")
    assert declared.needs == frozenset({"valloc"})
    assert (declared.group, declared.bug) == ("NONE", "b 1")
