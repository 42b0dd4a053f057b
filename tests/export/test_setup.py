"""Setting up a machine: what is pinned, what is refused, what is found or installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools import browser, console, lock, packages, web
from tools.console import ROOT, SetupError

LOCKED = (ROOT / "requirements" / "packages.lock").read_text()
FOR_DEMO = (ROOT / "requirements" / "demo.lock").read_text()


def script(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_lock_pins_every_package_and_no_cuda() -> None:
    lines = [line for line in LOCKED.splitlines() if not line.startswith("#")]
    assert all(re.match(r"[A-Za-z0-9._-]+==[0-9][^ ]*( ; .*)?$", line) for line in lines)
    assert not re.search(r"(?mi)^(nvidia|triton|cuda)", LOCKED)
    assert re.search(r'(?m)^torch==[0-9.]+\+cpu ; sys_platform == "linux"$', LOCKED)


@pytest.mark.parametrize(("text", "extras"), [(LOCKED, True), (FOR_DEMO, False)])
def test_a_lock_holds_what_the_projects_declare(text: str, extras: bool) -> None:
    pinned = {line.split(" ;")[0].lower() for line in text.splitlines()}
    for requirement in lock.declared(extras):
        name, _, version = requirement.partition("==")
        assert f"{name.split('[')[0].lower()}=={version}" in pinned, requirement


def test_the_demo_takes_few_packages_at_the_versions_that_are_tested() -> None:
    few = set(FOR_DEMO.splitlines()[1:])
    assert few < set(LOCKED.splitlines())
    names = {line.split("==")[0] for line in few}
    assert {"jinja2", "pyodide-lock", "setuptools"} <= names
    assert not names & {"numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers"}


@pytest.mark.parametrize(
    "pattern", ["Makefile", ".ci/run", "requirements/*", "tools/*.py", "web/*.json", "web/.npmrc"]
)
def test_set_up_names_no_host(pattern: str) -> None:
    found = list(ROOT.glob(pattern))
    assert found
    for path in found:
        text = path.read_text()
        assert not re.search(r'(?i)https?://(?!json\.schemastore)|"resolved"', text), path


def test_rendering_a_lock_keeps_torch_off_cuda_everywhere() -> None:
    text = lock.render({"torch": "2.13.0+cpu", "numpy": "2.4.6"})
    assert text.splitlines()[1:] == [
        "numpy==2.4.6",
        'torch==2.13.0+cpu ; sys_platform == "linux"',
        'torch==2.13.0 ; sys_platform != "linux"',
    ]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (
            "  Downloading torch-2.13.0%2Bcpu-cp311.whl (190.4 MB)",
            "downloading torch 2.13.0+cpu (190 MB)",
        ),
        (
            "  Downloading simple/onnx/onnx-1.23-cp311.whl (17.8 MB)",
            "downloading onnx 1.23 (18 MB)",
        ),
        ("  Downloading idna-3.20.whl (4.9 MB)", None),
        ("  Downloading idna-3.20.whl (70 kB)", None),
        ("Collecting torch==2.13.0+cpu (from -r requirements/packages.lock)", None),
        (
            "Installing collected packages: " + ", ".join("abcdef"),
            "installing 6 packages (a minute or two)",
        ),
        ("Installing collected packages: offhand", None),
    ],
)
def test_progress_tells_what_takes_time(line: str, note: str | None) -> None:
    assert packages.progress_line(line) == note


@pytest.mark.parametrize(
    ("installed", "stray"),
    [
        (["torch==2.13.0+cpu", "numpy==2.4.6"], None),
        (["torch==2.13.0", "nvidia-cublas==13.1"], "nvidia-cublas==13.1"),
        (["triton==3.5"], "triton==3.5"),
        (["NVIDIA-cudnn-cu13==9"], "NVIDIA-cudnn-cu13==9"),
    ],
)
def test_cuda_packages_are_refused(installed: list[str], stray: str | None) -> None:
    if stray is None:
        packages.check_cpu_only(installed)
    else:
        with pytest.raises(SetupError, match=re.escape(stray)):
            packages.check_cpu_only(installed)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "ERROR: No matching distribution found for torch==2.13.0+cpu",
            "PIP_EXTRA_INDEX_URL",
        ),
        ("ERROR: No matching distribution found for onnx==9", "No matching distribution"),
        ("Could not fetch URL: timed out", "timed out"),
    ],
)
def test_a_failed_install_tells_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    pip = script(tmp_path / "pip", f"echo '{said}'; exit 1")
    monkeypatch.setattr(packages, "PIP", [str(pip)])
    with pytest.raises(SetupError, match=told):
        packages.install(["-r", "x"], "the pinned packages")


def test_a_step_is_done_only_once_its_stamp_is_whole(tmp_path: Path) -> None:
    stamp, source = tmp_path / "ready", tmp_path / "lock"
    source.write_text("one")
    key = console.fingerprint([source])
    assert not console.is_done(stamp, key)
    console.mark_done(stamp, key)
    assert console.is_done(stamp, key)
    assert [path.name for path in tmp_path.iterdir() if path != source] == ["ready"]
    source.write_text("two")
    assert not console.is_done(stamp, console.fingerprint([source]))


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks installed, in order, into an environment that is never made."""
    made: list[str] = []
    monkeypatch.setattr(packages, "VENV_PYTHON", Path(sys.executable))
    monkeypatch.setattr(packages, "create_environment", lambda: None)
    monkeypatch.setattr(packages, "fill", lambda extent: made.append(extent.lock.stem))
    for name in ("EVERYTHING", "FOR_DEMO"):
        extent = getattr(packages, name)
        monkeypatch.setattr(packages, name, replace(extent, stamp=tmp_path / extent.stamp.name))
    return made


@pytest.mark.parametrize(
    ("asked", "installed"),
    [
        ([["demo"], ["demo"]], ["demo"]),
        ([["demo"], [], ["demo"], []], ["demo", "packages"]),
        ([[], ["demo"]], ["packages"]),
    ],
)
def test_a_set_up_is_filled_up_but_never_repeated(
    filled: list[str], asked: list[list[str]], installed: list[str]
) -> None:
    for words in asked:
        packages.main(words)
    assert filled == installed
    assert packages.FOR_DEMO.stamp.is_file()


@pytest.mark.parametrize(
    ("asked", "flags"),
    [
        ([["demo"], ["demo"]], [["--omit=dev"]]),
        ([["demo"], [], ["demo"]], [["--omit=dev"], []]),
        ([[], ["demo"]], [[]]),
    ],
)
def test_the_demo_takes_no_npm_package_of_the_checks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[list[str]],
    flags: list[list[str]],
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(web, "STAMP", tmp_path / ".ready")
    monkeypatch.setattr(web, "DEMO_STAMP", tmp_path / ".ready-demo")
    monkeypatch.setattr(web, "find_node", lambda: ("node", "npm"))
    monkeypatch.setattr(web, "fetch", lambda npm, more: ran.append(list(more)))
    for words in asked:
        web.main(words)
    assert ran == flags


def test_a_failed_program_ends_with_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(words: object) -> None:
        raise SetupError("Install it.")

    with pytest.raises(SystemExit) as caught:
        console.run_as_program(lacking)
    assert caught.value.code == 2
    assert capsys.readouterr().err == "[setup] error: Install it.\n"


def test_set_up_needs_nothing_installed() -> None:
    bare = [sys.executable, "-I", "-S", "-c"]
    code = "import sys; sys.path.insert(0, sys.argv[1]); import tools.packages, tools.web"
    subprocess.run([*bare, code, str(ROOT)], check=True)


@pytest.mark.parametrize(
    ("version", "major"), [("v20.20.2", 20), ("v24.0.0-rc", 24), ("node?", 0), ("", 0)]
)
def test_node_is_judged_by_its_version(tmp_path: Path, version: str, major: int) -> None:
    assert web.node_major(str(script(tmp_path / "node", f"echo {version}"))) == major
    assert web.node_major(str(tmp_path / "missing")) == 0


@pytest.mark.parametrize(("version", "found"), [("v19.9.9", False), ("v20.0.0", True)])
def test_an_old_node_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: bool
) -> None:
    script(tmp_path / "node", f"echo {version}")
    script(tmp_path / "npm", "")
    monkeypatch.setattr(web, "VENV_BIN", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (web.find_node() is not None) == found


@pytest.fixture
def no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser; programs put into the returned folder are on PATH."""
    path = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}/bin")
    monkeypatch.delenv("OFFHAND_BROWSER", raising=False)
    monkeypatch.setattr(browser, "NAMES", ("fake-chromium", "fake-chrome"))
    monkeypatch.setattr(browser, "PLACES", ())
    monkeypatch.setattr(browser, "playwright_path", lambda: str(tmp_path / "missing"))
    return path


def test_a_browser_on_path_that_starts_is_found(no_browser: Path) -> None:
    assert browser.find_browser() is None
    script(no_browser / "fake-chromium", "echo 'install the snap'; exit 1")
    chrome = script(no_browser / "fake-chrome", "echo 'Google Chrome 156.0'")
    assert browser.find_browser() == str(chrome)


def test_a_named_browser_is_the_only_candidate(
    no_browser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(no_browser / "fake-chrome", "echo 'Google Chrome 156.0'")
    named = tmp_path / "mine"
    monkeypatch.setenv("OFFHAND_BROWSER", str(named))
    assert browser.find_browser() is None
    script(named, "echo 'Chromium 150.0'")
    assert browser.find_browser() == str(named)


def test_a_browser_is_installed_only_where_there_is_none(
    no_browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def install() -> None:
        tried.append("apt")
        script(no_browser / "fake-chromium", "echo 'Chromium 156.0'")

    monkeypatch.setattr(browser, "download", lambda: tried.append("download"))
    monkeypatch.setattr(browser, "install_package", install)
    assert browser.require_browser() == str(no_browser / "fake-chromium")
    assert tried == ["download", "apt"]
    assert browser.require_browser() == str(no_browser / "fake-chromium")
    assert tried == ["download", "apt"]


def test_no_browser_at_all_says_what_to_install(
    no_browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "download", lambda: None)
    monkeypatch.setattr(browser, "install_package", lambda: None)
    with pytest.raises(SetupError, match="Install Chromium"):
        browser.require_browser()


def test_an_installer_that_fails_or_hangs_is_given_up(tmp_path: Path) -> None:
    assert browser.attempt([str(script(tmp_path / "good", "true"))], 30)
    assert not browser.attempt([str(script(tmp_path / "bad", "exit 3"))], 30)
    assert not browser.attempt([str(tmp_path / "missing")], 30)
    assert not browser.attempt([str(script(tmp_path / "slow", "exec tail -f /dev/null"))], 0)
