"""A program finds the installed library by CMake and by pkg-config, and sees only its interface."""

from pathlib import Path

import pytest

from heapyard._native.build import read_build

from .conftest import Installation, run, tool

elffile = pytest.importorskip("elftools.elf.elffile", reason="needs pyelftools")

PROJECT = Path(__file__).parent / "project"
EXPECTED = "consumer: malloc, 1\nconsumer: heap sound, counted as told: 1\n"


def exported(library: Path) -> set[str]:
    with library.open("rb") as file:
        symbols = elffile.ELFFile(file).get_section_by_name(".dynsym").iter_symbols()
        return {
            symbol.name
            for symbol in symbols
            if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
        }


def soname(library: Path) -> str:
    with library.open("rb") as file:
        tags = elffile.ELFFile(file).get_section_by_name(".dynamic").iter_tags()
        return next(str(tag.soname) for tag in tags if tag.entry.d_tag == "DT_SONAME")


def public_libraries(installation: Installation) -> list[Path]:
    return sorted(installation.library.parent.glob("libheapyard*.so"))


def test_find_package_builds_a_program_that_runs(
    installation: Installation, tmp_path: Path
) -> None:
    run(tool("cmake"), "-S", PROJECT, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={installation.prefix}")
    run(tool("cmake"), "--build", tmp_path)
    assert run(tmp_path / "consumer") == EXPECTED


def test_find_package_refuses_a_version_that_is_not_there(
    installation: Installation, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    text = (PROJECT / "CMakeLists.txt").read_text()
    (project / "CMakeLists.txt").write_text(text.replace("heapyard 0.1", "heapyard 99.0"))
    with pytest.raises(AssertionError, match=r"99\.0"):
        run(
            tool("cmake"), "-S", project, "-B", tmp_path / "build",
            f"-DCMAKE_PREFIX_PATH={installation.prefix}",
        )  # fmt: skip


def test_pkg_config_builds_a_program_that_runs(installation: Installation, tmp_path: Path) -> None:
    flags = run(
        tool("pkg-config"), "--cflags", "--libs", "heapyard", "heapyard-trial",
        PKG_CONFIG_PATH=str(installation.pkgconfig),
    ).split()  # fmt: skip
    program = tmp_path / "consumer"
    run(tool("cc"), PROJECT / "main.c", "-o", program, *flags)
    assert run(program, LD_LIBRARY_PATH=str(installation.library.parent)) == EXPECTED


def test_an_installation_can_be_moved(installation: Installation, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    run("cp", "-a", installation.prefix, moved)
    folder = next(moved.glob("lib*/**/pkgconfig"))
    include = run(
        tool("pkg-config"), "--cflags-only-I", "heapyard", PKG_CONFIG_PATH=str(folder)
    ).strip()
    assert Path(include.removeprefix("-I")).resolve() == moved / "include"


def test_only_the_public_names_are_exported(installation: Installation) -> None:
    for library in public_libraries(installation):
        names = exported(library)
        assert names
        assert {name for name in names if not name.startswith(("hy_", "heapyard_"))} == set()
        assert {name for name in names if name.startswith("hy__")} == set()


def test_the_soname_carries_the_major_version(installation: Installation) -> None:
    sonames = [soname(library) for library in public_libraries(installation)]
    assert sonames == [f"{library.name}.0" for library in public_libraries(installation)]


def test_the_installation_describes_itself_to_python(installation: Installation) -> None:
    build = read_build(next(installation.prefix.glob("lib*/**/heapyard.json")))
    programs = [build.runner, build.trace, build.recorder]
    parts = [build.libheapyard, build.libheapyard_trial, *programs, *build.targets.values()]
    assert [part for part in parts if not part.is_file()] == []
    assert list(build.targets) == list(installation.build.targets)
    assert '"libc"' in run(build.runner, "--capabilities")


def test_nothing_installed_names_the_build_folder(installation: Installation) -> None:
    build = str(installation.build.source.parent)
    texts = [path for path in installation.prefix.rglob("*") if path.suffix in (".cmake", ".pc")]
    assert [path for path in texts if build in path.read_text()] == []


@pytest.mark.parametrize(
    ("compiler", "language"),
    [("cc", ["-x", "c", "-std=c11"]), ("c++", ["-x", "c++", "-std=c++17"])],
    ids=["c11", "c++17"],
)
def test_each_header_compiles_alone(
    installation: Installation, compiler: str, language: list[str]
) -> None:
    for header in installation.headers:
        run(
            tool(compiler), *language, "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
            f"-I{installation.prefix / 'include'}", header,
        )  # fmt: skip
