"""Writes `requirements/packages.lock` and `demo.lock`: every package of `.venv` at one version.

Asks pip to resolve what the two projects declare, without installing; run it on Linux after
changing a dependency (`make lock`). The demo's packages are some of all packages, at the same
versions. Other systems install the same pins, plus what pip adds there.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.console import ROOT, VENV_PYTHON, SetupError, run_as_program, say
from tools.packages import DEMO_LOCK, LOCK, check_cpu_only

HEADER = "# {0}, pinned for Linux by `make lock`. Do not edit by hand.\n"
ALL = "Every package of .venv"
FEW = "The packages that make and serve the page of a finished model"
TORCH = 'torch=={0}+cpu ; sys_platform == "linux"\ntorch=={0} ; sys_platform != "linux"\n'


def declared(extras: bool = True) -> list[str]:
    """The requirements of both projects, less the projects themselves; with all extras or none."""
    lines: set[str] = set()
    for folder in (ROOT, ROOT / "pyapp"):
        project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        lines.update(project["dependencies"])
        for extra in project.get("optional-dependencies", {}).values() if extras else ():
            lines.update(extra)
    return sorted(
        f"{line}+cpu" if line.startswith("torch==") else line
        for line in lines
        if not line.startswith("offhand")
    )


def resolve(requirements: Sequence[str], constraints: str = "") -> dict[str, str]:
    """Versions by package name, as pip would install them into an empty environment.

    Args:
        requirements: what is asked for.
        constraints: text of a lock whose versions are to be kept.

    Raises:
        SetupError: they cannot be had together.
    """
    with tempfile.TemporaryDirectory() as folder:
        report, kept = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        kept.write_text(constraints)
        command = [str(VENV_PYTHON), "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        result = subprocess.run(
            [*command, "--quiet", "--report", str(report), "-c", str(kept), *requirements],
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise SetupError(f"pip could not resolve the requirements:\n{result.stderr}")
        entries = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    return {re.sub("[-_.]+", "-", entry["name"]).lower(): entry["version"] for entry in entries}


def render(versions: dict[str, str], what: str = ALL) -> str:
    """The lock file's text; `what` is in it, in words."""
    check_cpu_only([f"{name}=={version}" for name, version in versions.items()])
    lines = []
    for name, version in sorted(versions.items()):
        plain = version.removesuffix("+cpu")
        lines.append(TORCH.format(plain) if name == "torch" else f"{name}=={version}\n")
    return HEADER.format(what) + "".join(lines)


def main(words: Sequence[str]) -> None:
    """Resolve and write both locks."""
    del words
    text = render(resolve(declared()))
    few = render(resolve(declared(extras=False), text), FEW)
    for path, lock in ((LOCK, text), (DEMO_LOCK, few)):
        path.write_text(lock)
        say(f"{path.relative_to(ROOT)}: {lock.count('==')} pins")


if __name__ == "__main__":
    run_as_program(main)
