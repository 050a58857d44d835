"""How much code each engine of region is: -Os, without counters, assertions and valgrind.

    region_size.py NATIVE_FOLDER COMPILER

Native code is what `size` calls text, summed over the objects; wasm32 the code section of these
objects linked with each other (an object by itself pads every number that a linker may change). The
core is alloc, free and realloc in place; what a program links beside it is told apart.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PARTS = {
    "list engine, core": ["list.c"],
    "fast engine, core": ["fast.c", "bins.c"],
    "both: by pointer, realloc, misuse": ["region.c", "misuse.c"],
    "both: spans, chains, extend": ["chain.c"],
    "both: walk and check": ["check.c", "list_view.c", "fast_view.c"],
}
FLAGS = [
    "-std=gnu11", "-Os", "-fno-asynchronous-unwind-tables", "-fvisibility=hidden",
    "-DHEAPYARD_COUNTERS=0", "-DHEAPYARD_ASSERT_LEVEL=0", "-DHEAPYARD_VALGRIND=0",
]  # fmt: skip
CODE_SECTION = 10


def native_size(command: list[str], sources: list[Path], folder: Path) -> int:
    """The text of some objects."""
    total = 0
    for path in compiled(command, sources, folder):
        done = subprocess.run(["size", str(path)], capture_output=True, text=True, check=True)
        total += int(done.stdout.splitlines()[1].split()[0])
    return total


def compiled(command: list[str], sources: list[Path], folder: Path) -> list[Path]:
    """The objects."""
    objects = [folder / source.with_suffix(".o").name for source in sources]
    for source, target in zip(sources, objects, strict=True):
        subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True)
    return objects


def wasm_size(command: list[str], sources: list[Path], folder: Path) -> int:
    """The code section of some objects, linked."""
    linked = folder / "linked.wasm"
    link = ["wasm-ld", "--no-entry", "--allow-undefined", "--export-all", "--strip-all"]
    link += ["-O2", "--compress-relocations", "-o", str(linked)]
    subprocess.run([*link, *map(str, compiled(command, sources, folder))], check=True)
    data = linked.read_bytes()
    at, total = 8, 0
    while at < len(data):
        section = data[at]
        size, at = leb128(data, at + 1)
        total += size if section == CODE_SECTION else 0
        at += size
    return total


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """The number there, and where it ends."""
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def commands(native: Path, compiler: str, folder: Path) -> dict[str, list[str]]:
    """What compiles for each target that this machine can compile for."""
    includes = [f"-I{native}", f"-I{native / 'include'}"]
    found = {"native": [compiler, *FLAGS, "-fPIC", *includes]}
    clang = shutil.which("clang")
    if clang is not None and shutil.which("wasm-ld") is not None:
        (folder / "assert.h").write_text("#define static_assert _Static_assert\n")
        wasm = [clang, "--target=wasm32", f"-isystem{folder}", *FLAGS, *includes]
        probe = subprocess.run(
            [*wasm, "-c", str(native / "region" / "list.c"), "-o", str(folder / "probe.o")],
            capture_output=True,
            check=False,
        )
        if probe.returncode == 0:
            found["wasm32"] = wasm
    return found


def main() -> None:
    """Print the table."""
    native, compiler = Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        targets = commands(native, compiler, folder)
        print(f"{'bytes of code, -Os':<32}" + "".join(f"{target:>10}" for target in targets))
        for part, sources in PARTS.items():
            cells = []
            for target, command in targets.items():
                measure = wasm_size if target == "wasm32" else native_size
                paths = [native / "region" / source for source in sources]
                cells.append(measure(command, paths, folder))
            print(f"{part:<32}" + "".join(f"{cell:>10}" for cell in cells))


if __name__ == "__main__":
    main()
