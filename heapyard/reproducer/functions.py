"""The functions of a program beside main: their names, their bodies, each body printed once.

A name is given out before its body is written, since a program's text names a function that is
called later; so it is a token at first, and what it is called is known when all is written.
"""

import re
from collections.abc import Iterable

__all__ = ["Functions", "body_of"]


class Functions:
    """What is given out, and what is written."""

    def __init__(self) -> None:
        self._tokens = 0
        self._bodies: dict[str, list[str]] = {}

    def name(self, kind: str) -> str:
        """A token for a function that does calls of this kind."""
        self._tokens += 1
        return f"{kind}@{self._tokens}"

    def add(self, token: str, body: list[str]) -> None:
        """The lines between its braces."""
        self._bodies[token] = body

    def settle(self, lines: list[str]) -> tuple[list[str], list[str]]:
        """These lines with names for tokens, and the functions' text; callees come first."""
        names: dict[str, str] = {}
        texts: dict[str, str] = {}
        numbers: dict[str, int] = {}
        while len(names) < len(self._bodies):
            for token, body in self._bodies.items():
                text = _named("\n".join(body), names)
                if token in names or "@" in text:
                    continue
                kind = token.split("@")[0]
                key = f"{kind}\n{text}"
                if key not in texts:
                    numbers[kind] = numbers.get(kind, 0) + 1
                    texts[key] = f"{kind}_{numbers[kind]}"
                names[token] = texts[key]
        functions = [
            "\n".join([f"static void {name}(void)", "{", *key.splitlines()[1:], "}"])
            for key, name in texts.items()
        ]
        return _named("\n".join(lines), names).splitlines(), functions


def _named(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\w+@\d+", lambda found: names.get(found[0], found[0]), text)


def body_of(lines: list[str], variables: dict[str, str]) -> list[str]:
    """The lines of a function behind its variables, without those that nothing looks at."""
    lines = _without_idle(lines, variables)
    text = re.sub(r'"(\\.|[^"\\])*"', "", "\n".join(lines))
    declared = [
        _declared(kind, name)
        for name, kind in variables.items()
        if re.search(rf"\b{name.split()[0]}\b", text)
    ]
    return [*declared, *lines]


def _without_idle(lines: list[str], names: Iterable[str]) -> list[str]:
    """The same lines, results that nothing looks at no longer kept."""
    for name in names:
        uses = sum(len(re.findall(rf"\b{name}\b", line)) for line in lines)
        sets = [re.match(rf" *{name} = ", line) is not None for line in lines]
        if uses == sum(sets):
            pairs = zip(lines, sets, strict=True)
            lines = [line.replace(f"{name} = ", "(void)") if idle else line for line, idle in pairs]
    return lines


def _declared(kind: str, name: str) -> str:
    if kind.startswith("static"):
        return f"    {kind} {name};"
    zero = "{0}" if kind.startswith("struct") else "NULL" if kind.endswith("*") else "0"
    value = "" if "=" in name else f" = {zero}"
    return f"    {kind}{'' if kind.endswith('*') else ' '}{name}{value};"
