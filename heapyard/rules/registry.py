"""The rules that are declared: `rule` enters one, the others find it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from heapyard.errors import BadArgumentError, HeapyardError
from heapyard.rules.definition import Level, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "CONTRACT",
    "UnknownRuleError",
    "all_rules",
    "find_rule",
    "load_rules",
    "rule",
    "rule_of",
]

CONTRACT = "heapyard.contract"
"""The package that holds the rules."""

_ID = re.compile(r"HY-([A-Z]+)-[0-9]{2}")
_ATTRIBUTE = "heapyard_rule"
_Test = TypeVar("_Test", bound="Callable[..., None]")


class UnknownRuleError(HeapyardError):
    """No rule has this id."""

    def __init__(self, text: str, near: Iterable[str]) -> None:
        nearest = ", ".join(near)
        remedy = f"did you mean {nearest}?" if nearest else "`heapyard rules` lists them all"
        super().__init__(f"no rule is called {text!r}: {remedy}")


_registry: dict[str, Rule] = {}


def rule(  # noqa: PLR0913  (the declaration's own fields)
    identity: str,
    *,
    level: Level,
    source: str,
    needs: Iterable[str] = (),
    bug: str = "",
    seconds: float = 30.0,
) -> Callable[[_Test], _Test]:
    """Declare the decorated test as the rule `identity` (`HY-GROUP-NN`).

    `needs` names entry points ("aligned_alloc") and `FLAGS`; where a target lacks one, the rule is
    not applicable to it. `seconds` bounds the rule's whole run on one target. Raises
    BadArgumentError where the declaration is incomplete or the id is taken.
    """

    def declare(function: _Test) -> _Test:
        title, text = _split_docstring(function)
        declared = Rule(
            id=identity,
            level=level,
            title=title,
            text=text,
            source=source.strip(),
            bug=bug.strip(),
            needs=frozenset([needs] if isinstance(needs, str) else needs),
            seconds=seconds,
            function=function.__name__,
            file=Path(inspect.getfile(inspect.unwrap(function))).resolve(),
        )
        _validate(declared)
        _register(declared)
        setattr(function, _ATTRIBUTE, declared)
        function.__test__ = True  # type: ignore[attr-defined]  # whatever python_functions says
        return function

    return declare


def rule_of(function: Any) -> Rule | None:
    """The rule that `function` was declared as, or None."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Rule) else None


def all_rules() -> tuple[Rule, ...]:
    """Every rule declared so far in this process, by id."""
    return tuple(_registry[identity] for identity in sorted(_registry))


def load_rules() -> tuple[Rule, ...]:
    """Every rule of the contract, by id; imports its modules first."""
    package = importlib.import_module(CONTRACT)
    for module in pkgutil.iter_modules(package.__path__, f"{CONTRACT}."):
        if module.name.rpartition(".")[2].startswith("test_"):
            importlib.import_module(module.name)
    return all_rules()


def find_rule(text: str) -> Rule:
    """The contract's rule with this id, in any case. Raises UnknownRuleError with near ones."""
    load_rules()
    wanted = text.strip().upper()
    if wanted not in _registry:
        raise UnknownRuleError(text, get_close_matches(wanted, sorted(_registry), n=3, cutoff=0.5))
    return _registry[wanted]


def _split_docstring(function: Callable[..., None]) -> tuple[str, str]:
    title, _, text = (inspect.getdoc(function) or "").partition("\n")
    return title.strip().rstrip("."), text.strip()


def _validate(declared: Rule) -> None:
    if not _ID.fullmatch(declared.id):
        raise BadArgumentError("rule id", declared.id, "must be HY-GROUP-NN, as in HY-ALIGN-03")
    if not isinstance(declared.level, Level):
        raise BadArgumentError("level", declared.level, "must be MUST, SHOULD or PROFILE")
    if not declared.title:
        raise BadArgumentError(
            "docstring", declared.title, f"{declared.id}: its first line states the property"
        )
    if not declared.source:
        raise BadArgumentError(
            "source", declared.source, f"{declared.id}: must name the clause or who relies on it"
        )
    if not declared.seconds > 0:
        raise BadArgumentError("seconds", declared.seconds, f"{declared.id}: must be above 0")


def _register(declared: Rule) -> None:
    """Enter the rule; importing one file twice (under two names) declares the same rule again."""
    taken = _registry.get(declared.id)
    if taken is not None and (taken.file, taken.function) != (declared.file, declared.function):
        raise BadArgumentError(
            "rule id", declared.id, f"taken by {taken.function} in {taken.file.name}"
        )
    _registry[declared.id] = declared
