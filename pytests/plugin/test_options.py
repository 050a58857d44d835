"""The plugin's options, their twins in ini files, and what is refused."""

import json
import subprocess
from pathlib import Path

import pytest

from pytests.plugin.conftest import Run

USAGE = pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--allocator=./nothere.so"], "*nothere.so*no such file*"),
        (["--allocator=text.so"], "*text.so*not a shared library*"),
        (["--allocator=libm.so.6"], "*libm.so.6*no malloc*"),
        (["--allocator=libc", "--heapyard-seed=abc"], "*seed is 'abc'*whole number*"),
        (["--allocator=libc", "--heapyard-seed=-1"], "*seed is '-1'*whole number*"),
        (["--allocator=libc", "--heapyard-lib=nowhere"], "*nowhere*no such file*"),
        (["--allocator=libc", "--heapyard-json=none/x.json"], "*can't write*none/x.json*"),
    ],
)
def test_what_can_not_be_is_a_usage_error_in_one_line(
    run: Run, pytester: pytest.Pytester, arguments: list[str], text: str
) -> None:
    pytester.path.joinpath("text.so").write_text("no ELF")
    result = run(*arguments, target="")
    assert result.ret == USAGE
    result.stderr.fnmatch_lines([f"ERROR: {text}"])
    assert len([line for line in result.errlines if line.strip()]) == 1


def test_a_bad_target_is_refused_before_any_worker_starts(run: Run) -> None:
    result = run("-n", "2", target="./nothere.so")
    assert result.ret == USAGE
    result.stdout.no_fnmatch_line("*workers*")


def test_the_header_names_library_targets_and_seed(run: Run) -> None:
    run("--heapyard-seed=7", "-k", "HOLD").stdout.fnmatch_lines(
        ["heapyard 0.*libheapyard*", "on trial: libc (seed 7)"]
    )


def test_ini_twins_say_the_same(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        """
        [pytest]
        heapyard_allocators =
            libc
            python:raw
        heapyard_seed = 12
        heapyard_strict = true
        heapyard_json = out/v.json
        heapyard_plans = out/plans
        """
    )
    pytester.mkdir("out")
    run(target="").assert_outcomes(passed=4, failed=4, skipped=2)
    report = json.loads((pytester.path / "out/v.json").read_text())
    assert report["seed"] == 12
    assert [target["target"] for target in report["targets"]] == ["libc", "python:raw"]
    assert (pytester.path / "out/plans/HY-WANT-01-libc.json").exists()


def test_the_command_line_goes_before_the_ini_file(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nheapyard_allocators = python:raw\nheapyard_seed = 3\n")
    run("--heapyard-seed=4", "-k", "HOLD").stdout.fnmatch_lines(["on trial: libc (seed 4)"])


def test_a_bad_target_in_the_ini_file_is_one_line(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nheapyard_allocators = ./nothere.so\n")
    result = run(target="")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*nothere.so*no such file*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_prefix_finds_the_functions(run: Run, pytester: pytest.Pytester) -> None:
    library = prefixed(pytester.path)
    run("-k", "HY-HOLD", "--allocator-prefix=my_", target=library).assert_outcomes(passed=1)
    result = run("-k", "HY-HOLD", target=library)
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["ERROR: *my_*"])


def test_the_command_that_shows_it_again_has_the_prefix(
    run: Run, pytester: pytest.Pytester
) -> None:
    library = prefixed(pytester.path)
    result = run("-k", "WANT-01", "--allocator-prefix=my_", target=library)
    result.stdout.fnmatch_lines(["  again *replay *.json ./libmy.so --prefix my_"])


def prefixed(folder: Path) -> str:
    source = folder / "my.c"
    source.write_text(
        "#include <stdlib.h>\n"
        "void *my_malloc(size_t n) { return malloc(n); }\n"
        "void my_free(void *p) { free(p); }\n"
    )
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "libmy.so"), str(source)]
    subprocess.run(command, check=True)
    return "./libmy.so"


def test_preload_is_named_in_the_report(run: Run, pytester: pytest.Pytester) -> None:
    library = pytester.path / "libpre.so"
    source = pytester.path / "pre.c"
    source.write_text(
        "#include <stddef.h>\n"
        "static char space[1 << 22]; static size_t used;\n"
        "void *malloc(size_t n) { void *p = space + used; used += (n + 31) / 16 * 16; return p; }\n"
        "void free(void *p) { (void)p; }\n"
        "void *realloc(void *p, size_t n) { (void)p; return malloc(n); }\n"
        "void *calloc(size_t m, size_t n) { return malloc(m * n); }\n"
    )
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-fno-builtin", "-o", str(library), str(source)], check=True
    )
    run(
        "-k", "HY-HOLD", "--allocator-mode=preload", "--heapyard-json=v.json", target=str(library)
    ).assert_outcomes(passed=1)
    report = json.loads((pytester.path / "v.json").read_text())
    assert report["targets"][0]["mode"] == "preload"


@pytest.mark.parametrize("seed", ["0", "0x10", "18446744073709551615"])
def test_the_same_seed_draws_the_same(run: Run, pytester: pytest.Pytester, seed: str) -> None:
    code = """
        from heapyard.rules import PROFILE, rule

        @rule("HY-SHOW-02", level=PROFILE, source="nobody")
        def test_it(trial):
            '''It draws.'''
            trial.figure("drawn", trial.random.random())
        """

    def drawn(*arguments: str) -> list[float]:
        run("--heapyard-json=v.json", f"--heapyard-seed={seed}", *arguments, code=code)
        report = json.loads((pytester.path / "v.json").read_text())
        return [target["results"][0]["figure"]["value"] for target in report["targets"]]

    assert drawn() == drawn("-n", "1")
    assert len(set(drawn("--allocator=python:raw"))) == 1
