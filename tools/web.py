"""Sets up what the page is built from: Node 20 or newer and the pinned npm packages of `web/`.

    python -m tools.web         all of them: making a model, testing
    python -m tools.web demo    those that travel in the page, alone

Node comes from PATH, or else from a Python wheel into `.venv`, so that a machine without Node
needs nothing installed by hand. Nothing here builds or checks the page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.console import (
    ROOT,
    VENV_BIN,
    SetupError,
    fingerprint,
    is_done,
    mark_done,
    run_as_program,
    say,
    stream,
)
from tools.packages import DEMO, install

WEB = ROOT / "web"
STAMP = WEB / "node_modules" / ".ready"
DEMO_STAMP = WEB / "node_modules" / ".ready-demo"
NODE_LOCK = ROOT / "requirements" / "node.lock"
OLDEST = 20


def node_major(node: str) -> int:
    """The major version a Node binary reports; 0 when it does not run."""
    try:
        version = subprocess.check_output([node, "--version"], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = version.removeprefix("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def find_node() -> tuple[str, str] | None:
    """Paths of a usable node and npm, those in `.venv` first; None when there are none."""
    for folder in (str(VENV_BIN), os.environ["PATH"]):
        node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
        if node and npm and node_major(node) >= OLDEST:
            return node, npm
    return None


def require_node() -> tuple[str, str]:
    """`find_node`, after installing Node into `.venv` where the machine has none."""
    if (found := find_node()) is not None:
        return found
    say(f"no Node {OLDEST} or newer on PATH: installing one into .venv (60 MB)")
    install(["-r", str(NODE_LOCK)], "Node")
    if (found := find_node()) is None:
        raise SetupError(f"Node is missing: install Node {OLDEST} or newer and put it on PATH.")
    return found


def npm_failure(output: str) -> SetupError:
    """The error for a failed `npm ci`, with npm's last lines."""
    return SetupError(
        "npm could not install the page's packages; check the network and run the same command "
        f"again. Its last lines:\n{output}"
    )


def main(words: Sequence[str]) -> None:
    """Bring `web/node_modules` up to date (all of it, or for `demo`); does nothing when it is."""
    key = fingerprint([WEB / "package.json", WEB / "package-lock.json"])
    few = DEMO in words
    done = is_done(STAMP, key) or (few and is_done(DEMO_STAMP, key))
    if not done or find_node() is None:
        _, npm = require_node()
        say(f"installing the page's npm packages (about {30 if few else 80} MB the first time)")
        fetch(npm, ["--omit=dev"] if few else [])
        mark_done(DEMO_STAMP if few else STAMP, key)
        say("npm packages are ready")
    # All of them include those of the page.
    mark_done(DEMO_STAMP, key)


def fetch(npm: str, flags: Sequence[str]) -> None:
    """Run `npm ci`, which makes `node_modules` anew, stamps included; SetupError if it fails."""
    quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
    try:
        stream([Path(npm), "ci", *quiet, *flags], lambda line: None, WEB)
    except subprocess.CalledProcessError as error:
        raise npm_failure(error.output) from None


if __name__ == "__main__":
    run_as_program(main)
