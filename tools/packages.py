"""Sets up `.venv`: Python packages at the versions pinned in `requirements/`.

    python -m tools.packages         all of packages.lock: making a model, testing
    python -m tools.packages demo    demo.lock alone: the page of a finished model

An environment that holds everything also serves; one set up for the demo is filled up when more is
asked of it. PyTorch has to be its CPU build: the default build for Linux brings gigabytes of CUDA
libraries that nothing here uses, so the lock names the CPU build and the result is checked for the
others. Runs on the machine's own Python, before anything is installed. Does not set up Node or a
browser: see `web` and `browser`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import (
    ROOT,
    VENV,
    VENV_PYTHON,
    SetupError,
    fingerprint,
    is_done,
    mark_done,
    run_as_program,
    say,
    stream,
)

LOCK = ROOT / "requirements" / "packages.lock"
DEMO_LOCK = ROOT / "requirements" / "demo.lock"
DEMO = "demo"
OLDEST = (3, 11)
LARGE = 5.0  # megabytes: a smaller download is not worth a line
FEW = 4  # packages: installing fewer takes no time

PIP: list[str] = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
DOWNLOAD = re.compile(r"\s*Downloading (?P<name>[^\s(]+-[^\s(]+) \((?P<size>[\d.]+) MB\)")
NO_CPU_TORCH = re.compile(r"No matching distribution found for (torch==\S+\+cpu)")
FIX_CPU_TORCH = (
    "The index in use does not offer the CPU build of PyTorch ({requirement}). Set "
    "PIP_EXTRA_INDEX_URL to PyTorch's CPU wheel index (its address is on PyTorch's install page, "
    "under Pip and CPU) and run the same command again."
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much to install.

    Attributes:
        lock: its pins.
        stamp: remembers that they are installed.
        size: what a first download takes, for a reader.
    """

    lock: Path
    stamp: Path
    size: str

    def key(self) -> str:
        """What the installation depends on."""
        inputs = [self.lock, ROOT / "pyproject.toml", ROOT / "pyapp" / "pyproject.toml"]
        return fingerprint(inputs, sys.version)

    def is_done(self) -> bool:
        """Whether all of it is installed."""
        return VENV_PYTHON.exists() and is_done(self.stamp, self.key())


EVERYTHING = Extent(LOCK, VENV / "ready", "600 MB")
FOR_DEMO = Extent(DEMO_LOCK, VENV / "ready-demo", "5 MB")


def progress_line(line: str) -> str | None:
    """What to tell the reader about one line of pip's output, if anything."""
    if match := DOWNLOAD.match(line):
        size = float(match["size"])
        if size >= LARGE:
            name, version = match["name"].rsplit("/", 1)[-1].split("-")[:2]
            return f"downloading {name} {version.replace('%2B', '+')} ({size:.0f} MB)"
        return None
    if line.startswith("Installing collected packages:") and (count := line.count(",") + 1) > FEW:
        return f"installing {count} packages (a minute or two)"
    return None


def install(arguments: Sequence[str], what: str) -> None:
    """Run `pip install`; raises SetupError with pip's last lines and the fix where it is known."""
    try:
        stream(
            [*PIP, "install", "--progress-bar", "off", *arguments],
            progress_line,
            ROOT,
        )
    except subprocess.CalledProcessError as error:
        if match := NO_CPU_TORCH.search(error.output):
            raise SetupError(FIX_CPU_TORCH.format(requirement=match[1])) from None
        raise SetupError(f"pip could not install {what}. Its last lines:\n{error.output}") from None


def create_environment() -> None:
    """Make `.venv`, or make it again when an interrupted run left one without pip."""
    probe = [str(VENV_PYTHON), "-c", f"import pip, sys; sys.exit(sys.version_info < {OLDEST})"]
    if VENV_PYTHON.exists() and subprocess.run(probe, capture_output=True).returncode == 0:
        return
    say(f"creating .venv with Python {sys.version.split()[0]}")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(
            "Python could not make a virtual environment; on Debian and Ubuntu install "
            f"python3-venv. It said:\n{result.stdout}{result.stderr}"
        )


def check_cpu_only(installed: Sequence[str]) -> None:
    """Refuse an environment with CUDA libraries; `installed` holds `name==version` lines."""
    strays = [line for line in installed if line.lower().startswith(("nvidia-", "triton=="))]
    if strays:
        raise SetupError(
            f"CUDA packages are in .venv ({', '.join(strays)}). Remove .venv, set "
            "PIP_EXTRA_INDEX_URL to PyTorch's CPU wheel index and run the same command again."
        )


def main(words: Sequence[str]) -> None:
    """Bring `.venv` up to date with a lock (`demo` or nothing); does nothing when it is."""
    if sys.version_info < OLDEST:
        raise SetupError(
            f"Python {'.'.join(map(str, OLDEST))} or newer is needed, this is "
            f"{sys.version.split()[0]}. Install one, or name it: make PYTHON=python3.12"
        )
    asked = FOR_DEMO if DEMO in words else EVERYTHING
    if not EVERYTHING.is_done() and not asked.is_done():
        create_environment()
        fill(asked)
        mark_done(asked.stamp, asked.key())
        say("Python packages are ready")
    # Everything includes what the demo takes.
    mark_done(FOR_DEMO.stamp, FOR_DEMO.key())


def fill(extent: Extent) -> None:
    """Install the pins, and this repository's own packages without their dependencies."""
    pins = {line.split("==")[0] for line in extent.lock.read_text().splitlines() if "==" in line}
    say(f"installing {len(pins)} pinned packages (about {extent.size} the first time)")
    install(["-r", str(extent.lock)], "the pinned packages")
    say("installing offhand and offhand-export, editable")
    local = ["--no-deps", "--no-build-isolation", "--editable", "pyapp", "--editable", "."]
    install(local, "this repository's own packages")
    listing = [*PIP, "list", "--format=freeze"]
    check_cpu_only(subprocess.check_output(listing, text=True).splitlines())


if __name__ == "__main__":
    run_as_program(main)
