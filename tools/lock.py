"""Writes `requirements/packages.lock`: every package of `.venv` at one version.

Asks pip to resolve what the two projects declare, without installing; run it on Linux after
changing a dependency (`make lock`). Other systems install the same pins, plus what pip adds there.
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
from tools.packages import LOCK, check_cpu_only

HEADER = "# Every package of .venv, pinned for Linux by `make lock`. Do not edit by hand.\n"
TORCH = 'torch=={0}+cpu ; sys_platform == "linux"\ntorch=={0} ; sys_platform != "linux"\n'


def declared() -> list[str]:
    """The requirements of both projects and all their extras, less the projects themselves."""
    lines: set[str] = set()
    for folder in (ROOT, ROOT / "pyapp"):
        project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        lines.update(project["dependencies"])
        for extra in project.get("optional-dependencies", {}).values():
            lines.update(extra)
    return sorted(
        f"{line}+cpu" if line.startswith("torch==") else line
        for line in lines
        if not line.startswith("offhand")
    )


def resolve(requirements: Sequence[str]) -> dict[str, str]:
    """Versions by package name, as pip would install them into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(VENV_PYTHON), "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        result = subprocess.run(
            [*command, "--quiet", "--report", str(report), *requirements],
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise SetupError(f"pip could not resolve the requirements:\n{result.stderr}")
        entries = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    return {re.sub("[-_.]+", "-", entry["name"]).lower(): entry["version"] for entry in entries}


def render(versions: dict[str, str]) -> str:
    """The lock file's text."""
    check_cpu_only([f"{name}=={version}" for name, version in versions.items()])
    lines = []
    for name, version in sorted(versions.items()):
        plain = version.removesuffix("+cpu")
        lines.append(TORCH.format(plain) if name == "torch" else f"{name}=={version}\n")
    return HEADER + "".join(lines)


def main(words: Sequence[str]) -> None:
    """Resolve and write the lock."""
    del words
    versions = resolve(declared())
    LOCK.write_text(render(versions))
    say(f"{len(versions)} packages pinned in {LOCK.relative_to(ROOT)}")


if __name__ == "__main__":
    run_as_program(main)
