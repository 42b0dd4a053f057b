"""What the set-up helpers share: one error, one way to speak, one way to remember what is done.

Uses the standard library alone, because it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_BIN = VENV / "bin"
VENV_PYTHON = VENV_BIN / "python"


class SetupError(Exception):
    """The machine lacks something; the message says what to install."""


def say(text: str) -> None:
    """Print one line of progress at once, on stderr so that stdout can carry an answer."""
    print(f"[setup] {text}", file=sys.stderr, flush=True)


def fingerprint(paths: Iterable[Path], *facts: str) -> str:
    """Sha256 over the contents of files and some facts: equal means nothing has changed."""
    digest = hashlib.sha256("\0".join(facts).encode())
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_done(stamp: Path, key: str) -> bool:
    """Whether the step behind `stamp` was finished for `key`; renews the stamp's time for make."""
    if not stamp.is_file() or stamp.read_text().strip() != key:
        return False
    stamp.touch()
    return True


def mark_done(stamp: Path, key: str) -> None:
    """Write a stamp in one step, so that an interrupted run never looks finished."""
    partial = stamp.with_suffix(".partial")
    partial.write_text(key + "\n")
    partial.replace(stamp)


def stream(command: Sequence[str | Path], note: Callable[[str], str | None], cwd: Path) -> str:
    """Run a command, print what `note` makes of each output line, and return its last lines.

    Raises:
        subprocess.CalledProcessError: the command failed; `output` holds its last lines.
    """
    tail: list[str] = []
    environment = {**os.environ, "PATH": f"{VENV_BIN}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            tail = [*tail[-39:], line.rstrip()]
            if (text := note(line)) is not None:
                say(text)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, "\n".join(tail))
    return "\n".join(tail)


def run_as_program(main: Callable[[Sequence[str]], None]) -> None:
    """Run `main` on the command line's words; a missing piece ends with one message, code 2."""
    try:
        main(sys.argv[1:])
    except SetupError as error:
        print(f"[setup] error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("[setup] interrupted: run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
