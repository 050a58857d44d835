"""Real programs, run as they are and with the target as malloc: what they leave must be the same.

Each works in an empty folder of its own, with an environment that holds nothing of the user's. What
counts is the exit code and every file in the folder, its output among them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard.trial import Outcome
from heapyard.trial.child import Limits, run_child
from heapyard.trial.signals import ending, last_words
from heapyard.trial.swap import replaced_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heapyard.trial import Target
    from heapyard.trial.child import Ended

__all__ = ["PYTHON", "TOOLS", "Program", "difference", "is_here"]

_PATH = "/usr/local/bin:/usr/bin:/bin"
_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    """A script of the shell, and the programs that it needs."""

    name: str
    needs: tuple[str, ...]
    script: str


_NUMBERS = """awk 'BEGIN { s = 1; for (i = 0; i < 20000; i++) { s = (s * 16807) % 2147483647;
 print s, s % 97, "line " i } }' > in"""

_C_FILE = """awk 'BEGIN { print "#include <stdio.h>"
 for (i = 0; i < 60; i++) {
  printf "static int f%d(int a, int b) {", i
  printf " int s = 0; for (int i = a; i < b; i++) s += (i * %d) %% %d; return s; }\\n", i + 3, i + 7
 }
 print "int main(void) { int s = 0;"; for (i = 0; i < 60; i++) printf "s += f%d(%d, 99);\\n", i, i
 print "printf(\\"%d\\", s); return 0; }" }' > in.c"""

TOOLS = (
    Program("awk", ("awk",), _NUMBERS),
    Program("sort", ("sort", "awk"), f"{_NUMBERS}\nsort -k2n -k1n --parallel=2 in > out"),
    Program(
        "perl",
        ("perl",),
        """perl -e 'my %h; for my $i (1..20000) { $h{($i * 7919) % 5003} .= chr(65 + $i % 26) }
my @l = map { "$_ " . length($h{$_}) . " " . substr($h{$_}, 0, 9) } sort { $a <=> $b } keys %h;
print join("\\n", @l), "\\n"' > out""",
    ),
    Program(
        "sqlite3",
        ("sqlite3",),
        """sqlite3 base "create table t(a integer primary key, b text, c integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000)
insert into t select i, hex(i * 7919), i % 97 from n; create index i on t(c, b);
select c, count(*), min(b), max(b) from t group by c; select sum(length(b)) from t;" > out
rm -f base""",
    ),
    Program(
        "git",
        ("git", "awk"),
        f"""{_NUMBERS}
git init -q . && git add in && git commit -q -m one && sort in > out && git add out
git commit -q -m two && git gc -q && git log --format='%H %T %s' > log && git fsck > fsck 2>&1
git show HEAD~1:in > again && rm -rf .git""",
    ),
    Program("gcc", ("gcc", "awk"), f"{_C_FILE}\ngcc -O2 -S -o out.s in.c"),
)

PYTHON = (
    Program(
        "compileall",
        (sys.executable,),
        f"""export PYTHONMALLOC=malloc PYTHONHASHSEED=0
"{sys.executable}" -s -P -c 'import argparse, json.decoder, textwrap, shutil
for m in (argparse, json.decoder, textwrap): shutil.copy(m.__file__, ".")'
"{sys.executable}" -s -P -m compileall -q --invalidation-mode unchecked-hash .""",
    ),
    Program(
        "its own tests",
        (sys.executable,),
        f"""export PYTHONMALLOC=malloc PYTHONHASHSEED=0
"{sys.executable}" -s -P -c 'import test' 2> /dev/null || exit 0
"{sys.executable}" -s -P -m unittest -q test.test_dict test.test_textwrap \\
    2> log > out; code=$?
sed -n 's/ in [0-9.]*s$//; $p' log > result; rm log; exit $code""",
    ),
)


def is_here(program: Program) -> bool:
    """Whether the machine has all that it needs."""
    return all(shutil.which(name, path=_PATH) for name in program.needs)


@dataclass(frozen=True)
class _Left:
    """What a run left: how it ended, and a hash of each file."""

    ending: str
    words: str
    files: Mapping[str, str]


def difference(program: Program, target: Target) -> Outcome | None:
    """What is not as without the target; None: nothing."""
    plain = _plain(program)
    if plain.ending != "exited with status 0":
        return None  # it does not work here anyway
    replaced = _run(program, replaced_environment(target))
    if replaced.ending != plain.ending:
        return _differs(program, f"it {plain.ending}", f"{replaced.ending}{replaced.words}")
    for name in sorted({*plain.files, *replaced.files}):
        if plain.files.get(name) != replaced.files.get(name):
            seen = "other contents" if name in replaced.files else "no such file"
            return _differs(program, f"the file {name!r} as without it", seen)
    return None


def _differs(program: Program, expected: str, seen: str) -> Outcome:
    return Outcome(
        status="violation", kind="output", operation=program.name, expected=expected, seen=seen
    )


@cache
def _plain(program: Program) -> _Left:
    """Run it once for all targets: with the libc's malloc."""
    return _run(program, {})


def _run(program: Program, environment: Mapping[str, str]) -> _Left:
    with tempfile.TemporaryDirectory(prefix="heapyard-program-") as folder:
        ended = run_child(
            lambda _: ["/bin/sh", "-c", f'cd "{folder}" || exit 99\n{program.script}'],
            _environment(folder, environment),
            limits=Limits(seconds=_SECONDS),
        )
        return _left(ended, Path(folder))


def _left(ended: Ended, folder: Path) -> _Left:
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    files["standard output"] = hashlib.sha256(ended.stdout).hexdigest()
    return _Left(_how(ended), last_words(ended.stderr.decode(errors="replace")), files)


def _how(ended: Ended) -> str:
    """Without a time in it, so that two runs compare."""
    return f"still running after {_SECONDS:g} s" if ended.reason == "time" else ending(ended)


def _environment(folder: str, replaced: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the user's but what makes malloc another one, and what the target itself reads."""
    kept = {
        name: value
        for name, value in replaced.items()
        if name == "LD_PRELOAD" or (name not in os.environ and name != "GLIBC_TUNABLES")
    }
    return {**_FIXED, "HOME": folder, "TMPDIR": folder, **kept}


_FIXED = {
    "PATH": _PATH,
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
}


def names(programs: Sequence[Program]) -> str:
    """Their names, for people."""
    return ", ".join(program.name for program in programs)
