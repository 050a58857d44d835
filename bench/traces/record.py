"""Record what real programs ask of malloc: the traces that benchmarks replay.

    python bench/traces/record.py [--into FOLDER] [--list] [NAME...]

Each trace is one program at ordinary work on files that are on any development machine, or made
here. Programs that are not installed are left out, and said so. The folder (build/traces) then has
NAME.hyrec for each, their inputs in `work`, and a README that says what each is. A second run
records only what is missing; delete a file to have it again.

`heapyard replay build/traces/NAME.hyrec TARGET` runs one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from heapyard.report.recording import size_text  # noqa: E402
from heapyard.trial.recording import Recording, RecordingError, read_recording  # noqa: E402

SECONDS = 60
PYTHON = "/usr/bin/python3"
BUILT_FROM_MALLOC = {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}


class MissingError(Exception):
    """What a trace needs is not on this machine."""


@dataclass(frozen=True)
class Work:
    """What is run: arguments, and where they are run."""

    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stdin: Path | None = None


@dataclass(frozen=True)
class Trace:
    """One program at work."""

    name: str
    about: str
    prepare: Callable[[Path], Work]
    """Makes the inputs in a folder of its own."""


def program(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not installed")
    return found


def python(script: Path | str, *arguments: str) -> Work:
    """The system's Python, each of whose objects is then a call of malloc."""
    interpreter = PYTHON if Path(PYTHON).exists() else sys.executable
    return Work([interpreter, str(script), *arguments], BUILT_FROM_MALLOC)


def written(path: Path, text: str) -> Path:
    """A file with that text."""
    path.write_text(text)
    return path


# ---- inputs -------------------------------------------------------------------------------------


def standard_library() -> Path:
    """The folder of the standard library that `python` runs with."""
    interpreter = PYTHON if Path(PYTHON).exists() else sys.executable
    code = "import json; print(json.__file__)"
    shown = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True)
    return Path(shown.stdout.strip()).parents[1]


def json_text(records: int) -> str:
    """An array of objects, the same on each run."""
    draw = random.Random(1)
    rows = [
        {
            "id": number,
            "name": f"user{draw.randrange(10**6)}",
            "tags": [f"t{draw.randrange(100)}" for _ in range(draw.randrange(6))],
            "score": draw.random(),
            "address": {"street": "x" * draw.randrange(40), "zip": draw.randrange(10**5)},
        }
        for number in range(records)
    ]
    return json.dumps(rows)


def words(count: int) -> str:
    """Lines of words whose frequencies differ widely."""
    draw = random.Random(2)
    known = ["".join(draw.choices("abcdefghij", k=draw.randrange(2, 12))) for _ in range(20_000)]
    chosen = (known[int(len(known) * draw.random() ** 3)] for _ in range(count))
    return "\n".join(" ".join(next(chosen) for _ in range(8)) for _ in range(count // 8)) + "\n"


def c_source(folder: Path) -> Path:
    """A C file of this project, preprocessed."""
    include = ["-I", str(CHECKOUT / "native"), "-I", str(CHECKOUT / "native" / "include")]
    source = CHECKOUT / "native" / "trial" / "calls.c"
    shown = subprocess.run(
        [program("gcc"), "-E", "-P", "-D_GNU_SOURCE", *include, str(source)],
        capture_output=True,
        text=True,
        check=True,
    )
    return written(folder / "calls.i", shown.stdout)


# ---- the traces: the docstring of each says what it is -----------------------------------------


def python_compile(folder: Path) -> Work:
    """Compiling four packages of the standard library, with PYTHONMALLOC=malloc."""
    library = standard_library()
    for name in ("email", "json", "logging", "asyncio"):
        shutil.copytree(library / name, folder / name, dirs_exist_ok=True)
    return python("-m", "compileall", "-q", "-f", str(folder))


def python_import(folder: Path) -> Work:
    """Importing some forty modules, with PYTHONMALLOC=malloc."""
    modules = (
        "argparse asyncio concurrent.futures csv ctypes dataclasses decimal difflib doctest"
        " email.mime fractions html.parser http.server importlib.metadata inspect ipaddress json"
        " logging.config pathlib pdb multiprocessing pickle pydoc sqlite3 ssl statistics tarfile"
        " tempfile tokenize typing unittest.mock urllib.request uuid xml.dom.minidom zipfile"
    )
    lines = [
        f"try:\n    import {name}\nexcept ImportError:\n    pass\n" for name in modules.split()
    ]
    return python(written(folder / "imports.py", "".join(lines)))


def python_json(folder: Path) -> Work:
    """Loading, sorting and dumping JSON of 12,000 records, with PYTHONMALLOC=malloc."""
    data = written(folder / "records.json", json_text(12_000))
    script = (
        "import json, sys\n"
        "rows = json.load(open(sys.argv[1]))\n"
        "rows.sort(key=lambda row: row['name'])\n"
        "print(len(json.dumps([dict(row, name=row['name'].upper()) for row in rows], indent=1)))\n"
    )
    return python(written(folder / "work.py", script), str(data))


def gcc_cc1(folder: Path) -> Work:
    """The compiler proper of gcc, -O2, on a preprocessed C file."""
    shown = subprocess.run(
        [program("gcc"), "-print-prog-name=cc1"], capture_output=True, text=True, check=True
    )
    compiler = shown.stdout.strip()
    if not Path(compiler).is_absolute():
        raise MissingError("cc1 is not installed")
    options = ["-fpreprocessed", "-O2", "-quiet", "-o", os.devnull]
    return Work([compiler, *options, str(c_source(folder))])


def clang_cc1(folder: Path) -> Work:
    """The compiler proper of clang, -O2, on the same file."""
    arguments = ["-cc1", "-O2", "-emit-obj", "-o", os.devnull, "-x", "cpp-output"]
    return Work([program("clang"), *arguments, str(c_source(folder))])


def clang_format(_: Path) -> Work:
    """Formatting the C files of this project."""
    sources = sorted((CHECKOUT / "native").rglob("*.c"))
    return Work([program("clang-format"), "--style=LLVM", *map(str, sources)])


def repository(folder: Path) -> Path:
    """A copy of this checkout's history."""
    copy = folder / "history.git"
    if not copy.exists():
        clone = ["git", "clone", "-q", "--mirror", str(CHECKOUT), str(copy)]
        subprocess.run(clone, check=True)
    return copy


def git_log(folder: Path) -> Work:
    """The last 150 commits, as patches with statistics."""
    return Work(
        [program("git"), "-C", str(repository(folder)), "log", "-p", "--stat", "-n", "150", "HEAD"]
    )


def git_pack(folder: Path) -> Work:
    """Packing the history of this project (git pack-objects), two threads."""
    pack = ["pack-objects", "-q", "--all", "--revs", "--no-reuse-delta", "--threads=2", "--stdout"]
    return Work([program("git"), "-C", str(repository(folder)), *pack])


def sqlite(folder: Path) -> Work:
    """In memory: 25,000 inserts, an index, a hundred queries."""
    statements = (
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, tag INTEGER);\n"
        "BEGIN;\n"
        + "".join(
            "INSERT INTO item(name, price, tag)"
            f" VALUES('item {n * 7919 % 100_003}', {n}.5, {n % 97});\n"
            for n in range(25_000)
        )
        + "COMMIT;\nCREATE INDEX by_name ON item(name);\n"
        + "".join(
            f"SELECT count(*), sum(price) FROM item WHERE tag = {n} AND name LIKE '%{n}%';\n"
            for n in range(97)
        )
        + "SELECT a.name, b.price FROM item a JOIN item b ON a.name = b.name"
        " ORDER BY b.price LIMIT 50;\n"
    )
    script = written(folder / "work.sql", statements)
    return Work([program("sqlite3"), ":memory:"], stdin=script)


def perl(folder: Path) -> Work:
    """Counting words and their successors."""
    text = written(folder / "words.txt", words(160_000))
    script = (
        "my (%count, %next);\n"
        "while (<>) {\n"
        "    my @w = split;\n"
        "    $count{$_}++ for @w;\n"
        "    push @{$next{$w[$_]}}, $w[$_ + 1] for 0 .. $#w - 1;\n"
        "}\n"
        "for (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {\n"
        "    my %seen; my @u = grep { !$seen{$_}++ } @{$next{$_} || []};\n"
        "    print join(' ', $_, $count{$_}, map { uc } @u), qq(\\n);\n"
        "}\n"
    )
    return Work(
        [program("perl"), str(written(folder / "work.pl", script)), str(text)],
        {"PERL_HASH_SEED": "0"},
    )


def jq(folder: Path) -> Work:
    """Grouping JSON of 6,000 records."""
    data = written(folder / "records.json", json_text(6_000))
    query = "group_by(.name[0:6]) | map({key: .[0].name, n: length, tags: map(.tags[]) | unique})"
    return Work([program("jq"), query, str(data)])


def bash(folder: Path) -> Work:
    """A script with a large associative array."""
    script = (
        "declare -A seen\n"
        "for ((i = 0; i < 6000; i++)); do\n"
        '    key="k$((i * 7919 % 5003))"\n'
        '    seen[$key]="${seen[$key]:-} $i"\n'
        '    [[ ${#seen[$key]} -gt 20 ]] && seen[$key]="${seen[$key]:5}"\n'
        "done\n"
        'for key in "${!seen[@]}"; do echo "$key ${seen[$key]}"; done\n'
    )
    return Work([program("bash"), str(written(folder / "work.sh", script))])


def node(folder: Path) -> Work:
    """Hashing and compressing JSON of 20,000 records."""
    data = written(folder / "records.json", json_text(20_000))
    script = (
        "const rows = JSON.parse(require('fs').readFileSync(process.argv[2]));\n"
        "const zlib = require('zlib'), crypto = require('crypto');\n"
        "for (const row of rows) {\n"
        "  const text = Buffer.from(JSON.stringify(row));\n"
        "  row.hash = crypto.createHash('sha1').update(text).digest('hex');\n"
        "  if (row.id % 20 === 0) row.size = zlib.deflateSync(text).length;\n"
        "}\n"
        "console.log(rows.length, rows[7].hash);\n"
    )
    return Work([program("node"), str(written(folder / "work.js", script)), str(data)])


def cmake(folder: Path) -> Work:
    """Configuring a project of 250 targets."""
    source = folder / "project"
    source.mkdir(exist_ok=True)
    text = (
        "cmake_minimum_required(VERSION 3.20)\n"
        "project(many NONE)\n"
        "foreach(i RANGE 1 250)\n"
        '    set(list_${i} "")\n'
        "    foreach(j RANGE 20)\n"
        '        list(APPEND list_${i} "entry ${i} ${j}")\n'
        "    endforeach()\n"
        '    string(REGEX REPLACE "[0-9]+" "n" out_${i} "${list_${i}}")\n'
        "    add_custom_target(target_${i} COMMAND echo ${out_${i}})\n"
        "endforeach()\n"
    )
    written(source / "CMakeLists.txt", text)
    return Work([program("cmake"), "-S", str(source), "-B", str(folder / "made"), "--fresh"])


def vim(folder: Path) -> Work:
    """Editing a file by a script."""
    text = written(folder / "words.txt", words(40_000))
    commands = r"+set nomore|%s/\v<(\w)(\w+)>/\2\1/g|sort|g/aa/t.|%s/b/BB/g|undo|redo|qa!"
    return Work([program("vim"), "-es", "-u", "NONE", "-n", commands, str(text)])


WORKS: tuple[Callable[[Path], Work], ...] = (
    python_compile,
    python_import,
    python_json,
    gcc_cc1,
    clang_cc1,
    clang_format,
    git_log,
    git_pack,
    sqlite,
    perl,
    jq,
    bash,
    node,
    cmake,
    vim,
)
TRACES = [
    Trace(work.__name__.replace("_", "-"), (work.__doc__ or "").rstrip("."), work) for work in WORKS
]


# ---- recording ----------------------------------------------------------------------------------


def record(trace: Trace, into: Path) -> Recording:
    """Record one trace, if it is not there."""
    path = into / f"{trace.name}.hyrec"
    if not path.exists():
        folder = into / "work" / trace.name
        folder.mkdir(parents=True, exist_ok=True)
        run(trace.prepare(folder), path, folder)
    return read_recording(path)


def run(work: Work, path: Path, folder: Path) -> None:
    """Run the program under the recorder; a run that fails leaves no file."""
    command = [sys.executable, "-m", "heapyard", "record", "-q", "-o", str(path), "--"]
    paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        **work.environment,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    with (work.stdin or Path(os.devnull)).open("rb") as stdin:
        done = subprocess.run(
            [*command, *work.arguments],
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    if done.returncode != 0:
        path.unlink(missing_ok=True)
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise MissingError(f"exit code {done.returncode}: {last[0]}")


def line(trace: Trace, recording: Recording) -> str:
    """What a trace is, in one line."""
    kinds = recording.calls
    frees, reallocs = kinds.get("free", 0), kinds.get("realloc", 0) + kinds.get("reallocarray", 0)
    allocations = recording.total - frees - reallocs
    return (
        f"{trace.name:<15} {recording.total:>9,} {allocations:>9,} {reallocs:>8,} {frees:>9,}"
        f" {recording.threads:>3} {size_text(recording.peak_bytes):>10}  {trace.about}"
    )


HEADING = (
    f"{'trace':<15} {'calls':>9} {'allocate':>9} {'realloc':>8} {'free':>9} {'thr':>3}"
    f" {'peak':>10}  what it is"
)


def main() -> int:
    """Record what was asked for; answers the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=CHECKOUT / "build" / "traces")
    parser.add_argument("--list", action="store_true", help="only say which traces there are")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    options = parser.parse_args()
    unknown = set(options.names) - {trace.name for trace in TRACES}
    if unknown:
        known = " ".join(trace.name for trace in TRACES)
        parser.error(f"no trace {' '.join(sorted(unknown))}; there are: {known}")
    chosen = [trace for trace in TRACES if not options.names or trace.name in options.names]
    if options.list:
        print("\n".join(f"{trace.name:<15} {trace.about}" for trace in chosen))
        return 0
    return record_all(chosen, options.into.absolute())


def record_all(chosen: list[Trace], into: Path) -> int:
    """Record each, print a line of each, and describe all in the folder's README."""
    into.mkdir(parents=True, exist_ok=True)
    print(HEADING)
    failed = 0
    for trace in chosen:
        try:
            text = line(trace, record(trace, into))
        except (MissingError, RecordingError, subprocess.SubprocessError) as error:
            text = f"{trace.name:<15} not recorded: {error}"
            failed += 1
        print(text, flush=True)
    describe(into)
    return 1 if failed else 0


def describe(into: Path) -> None:
    """The README: one line for each trace in the folder."""
    there = [trace for trace in TRACES if (into / f"{trace.name}.hyrec").exists()]
    lines = [line(trace, read_recording(into / f"{trace.name}.hyrec")) for trace in there]
    intro = (
        "Allocator calls of real programs, made by bench/traces/record.py.\n"
        "`heapyard replay NAME.hyrec TARGET` runs one.\n\n"
    )
    written(into / "README", intro + "\n".join([HEADING, *lines]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
