"""`pytest --allocator X --pyargs heapyard.contract` in other people's repositories."""

import pytest

from pytests.plugin.conftest import Run

PICKY = """
[pytest]
addopts = --strict-markers --strict-config -W error -ra
python_files = check_*.py
python_functions = check_*
filterwarnings = error
"""

CONFTEST = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--prefix")
    parser.addoption("--seed")

@pytest.fixture
def trial():
    return "theirs"

@pytest.fixture(autouse=True)
def around():
    yield
"""

RULE = "HY-API-01"


def test_the_contract_runs_with_just_that(run_apart: Run) -> None:
    result = run_apart("--allocator=libc", "--pyargs", "heapyard.contract", "-k", RULE, code=None)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*rules by targets*", "rules that hold *libc"])


def test_the_contract_runs_under_a_picky_configuration(
    run_apart: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeini(PICKY)
    pytester.makeconftest(CONFTEST)
    result = run_apart("--allocator=libc", "--pyargs", "heapyard.contract", "-k", RULE, code=None)
    result.assert_outcomes(passed=1)


def test_the_contract_runs_beside_their_own_tests(
    run_apart: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeini(PICKY)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(check_theirs="def check_it(trial):\n    assert trial == 'theirs'\n")
    result = run_apart(
        *("--allocator=libc", "--pyargs", "heapyard.contract", "check_theirs.py"),
        *("-k", f"{RULE} or check_it", "-n", "2"),
        code=None,
    )
    result.assert_outcomes(passed=2)


def test_a_session_without_rules_loads_nothing_but_the_options(
    run_apart: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_theirs="""
        import sys

        def test_it(request):
            loaded = {name for name in sys.modules if name.startswith("heapyard")}
            assert loaded == {
                "heapyard", "heapyard._tells", "heapyard.pytest_plugin",
                "heapyard.pytest_plugin._options"
            }
            assert request.config.pluginmanager.has_plugin("heapyard.pytest_plugin")
        """
    )
    result = run_apart(code=None)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*heapyard 0*")


def test_the_options_explain_themselves(run_apart: Run) -> None:
    result = run_apart("--help", code=None)
    result.stdout.fnmatch_lines(["heapyard: put allocators on trial:", "  --allocator=TARGET *"])
    result.stdout.fnmatch_lines(["  heapyard_allocators (linelist):"])


def test_the_plugin_starts_no_process_where_there_are_no_rules(
    run_apart: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_theirs="def test_it():\n    pass\n")
    pytester.makeconftest(
        """
        import subprocess
        def refuse(*arguments, **options):
            raise AssertionError("a process was started")
        subprocess.Popen = refuse
        """
    )
    run_apart("--allocator-mode=dlopen", code=None).assert_outcomes(passed=1)
