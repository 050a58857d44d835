"""`./yard`: what it refuses, and that it trusts no download but one with the right hash.

Its whole way, from a checkout to a result, is what continuous integration runs.
"""

import hashlib
import http.server
import importlib.machinery
import importlib.util
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

YARD = Path(__file__).resolve().parents[2] / "yard"
pytestmark = pytest.mark.skipif(not YARD.is_file(), reason="needs a checkout")


@pytest.fixture
def yard() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("yard_script", str(YARD))
    spec = importlib.util.spec_from_loader("yard_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def run_yard(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(YARD), *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class Index(http.server.BaseHTTPRequestHandler):
    """A package index with one file, whose bytes are `content`."""

    content = b"not the wheel"
    file = ""

    def do_GET(self) -> None:
        page = f'<a href="../../files/{self.file}#sha256=00">{self.file}</a>'.encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content if self.path.startswith("/files/") else page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(yard: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Index]]:
    handler = type("OneIndex", (Index,), {"file": yard.PIP_WHEEL})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield handler
        server.shutdown()


@pytest.mark.parametrize("arguments", [[], ["chekc"]], ids=["none", "misspelt"])
def test_without_a_known_command_it_prints_its_usage_and_exits_2(arguments: list[str]) -> None:
    result = run_yard(*arguments)
    assert result.returncode == 2
    assert "./yard check [ARGS]" in result.stdout


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    result = run_yard("check", CC=str(tmp_path / "cc"))
    assert result.returncode == 2
    assert f"No C compiler (looked for {tmp_path}/cc)" in result.stderr
    assert "apt-get install gcc libc6-dev" in result.stderr


def test_a_compiler_that_makes_no_program_is_refused_with_its_own_words(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'stdio.h: no such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    result = run_yard("test", CC=str(compiler))
    assert result.returncode == 2
    assert "stdio.h: no such file" in result.stderr


def test_a_wheel_with_another_hash_is_refused(yard: ModuleType, index: type[Index]) -> None:
    found = hashlib.sha256(index.content).hexdigest()
    with pytest.raises(yard.SetUpError, match=found):
        yard.fetch_pip()


def test_a_wheel_with_the_right_hash_comes_from_the_index_of_pip(
    yard: ModuleType, index: type[Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yard, "PIP_SHA256", hashlib.sha256(index.content).hexdigest())
    assert yard.fetch_pip() == index.content


def test_an_index_without_the_wheel_is_named(yard: ModuleType, index: type[Index]) -> None:
    index.file = "pip-0.2.tar.gz"
    with pytest.raises(yard.SetUpError, match=rf"/simple/pip/ has no {yard.PIP_WHEEL}"):
        yard.fetch_pip()


@pytest.mark.usefixtures("index")
def test_an_index_that_does_not_answer_is_named_with_the_remedy(
    yard: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(yard.SetUpError, match=r"can't fetch http://127\.0\.0\.1:9.*PIP_INDEX_URL"):
        yard.fetch_pip()


def test_the_settings_of_pip_come_from_its_environment_then_its_files(
    yard: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://mirror.example/simple\n")
    monkeypatch.setattr(yard, "PIP_CONFIGS", [str(config)])
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert yard.pip_setting("index-url", "default") == "https://mirror.example/simple"
    assert yard.pip_setting("proxy", "default") == "default"
    monkeypatch.setenv("PIP_INDEX_URL", "https://first.example")
    assert yard.pip_setting("index-url", "default") == "https://first.example"


def test_every_verb_of_heapyard_is_one_of_yard(yard: ModuleType) -> None:
    verbs = re.findall(r"^    (\w+) ", _help(), re.MULTILINE)
    assert {"check", "fuzz", "corpus"} <= set(verbs)
    assert set(verbs) <= set(yard.COMMANDS) - {"test"}


def _help() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "heapyard", "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("examples")[0]
