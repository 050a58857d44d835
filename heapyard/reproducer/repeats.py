"""Equal statements one after the other, as loops."""

from collections.abc import Sequence

__all__ = ["with_loops"]

_LONGEST_BODY = 16
_FEWEST_TURNS = 3

_Statement = tuple[str, ...]
"""Its lines."""


def with_loops(lines: Sequence[str]) -> list[str]:
    """The same lines; statements that repeat stand in a loop.

    >>> with_loops(["    a();", "    b();", "    a();", "    b();", "    a();", "    b();"])
    ['    for (int n = 0; n < 3; n++) {', '        a();', '        b();', '    }']
    """
    statements = [_with_inner_loops(each) for each in _statements(lines)]
    looped: list[str] = []
    at = 0
    while at < len(statements):
        length, turns = _longest_run(statements, at)
        body = [line for statement in statements[at : at + length] for line in statement]
        if turns > 1:
            indent = body[0][: len(body[0]) - len(body[0].lstrip())]
            body = [f"    {line}" for line in body]
            body = [f"{indent}for (int n = 0; n < {turns}; n++) {{", *body, f"{indent}}}"]
        looped += body
        at += length * turns
    return looped


def _statements(lines: Sequence[str]) -> list[_Statement]:
    """Lines that belong together: a block, down to its last brace."""
    depth = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    found: list[list[str]] = []
    for line in lines:
        begins = len(line) - len(line.lstrip()) == depth and not line.lstrip().startswith("}")
        if begins or not found:
            found.append([])
        found[-1].append(line)
    return [tuple(statement) for statement in found]


def _with_inner_loops(statement: _Statement) -> _Statement:
    head, *inner = statement
    if not head.lstrip().startswith("for (size_t round "):
        return statement
    return (head, *with_loops(inner[:-1]), inner[-1])


def _longest_run(statements: Sequence[_Statement], at: int) -> tuple[int, int]:
    """The length of a body and how often it is done; (1, 1) where nothing repeats."""
    best = (1, 1)
    for length in range(1, _LONGEST_BODY + 1):
        turns = 1
        while _repeats(statements, at, length, turns):
            turns += 1
        if turns >= _FEWEST_TURNS and turns * length > best[0] * best[1]:
            best = (length, turns)
    return best


def _repeats(statements: Sequence[_Statement], at: int, length: int, turn: int) -> bool:
    """Whether the turn with this number, from 0, is the same as the first."""
    first = statements[at : at + length]
    return statements[at + turn * length : at + (turn + 1) * length] == first
