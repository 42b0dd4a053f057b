"""Finds a Chromium for the browser tests and the benchmark, and gets one where there is none.

`find_browser` only looks: OFFHAND_BROWSER, PATH, the usual places, then Playwright's own download.
`python -m tools.browser` prints the path, after installing a browser where it must: Playwright's
download first, a system package (apt, as root) second, each within a time limit. A candidate
counts only if it starts: a launcher script without a browser behind it does not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.console import VENV_PYTHON, SetupError, run_as_program, say

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright as start\n"
    "with start() as playwright: print(playwright.chromium.executable_path)"
)
DOWNLOAD_LIMIT = 600  # seconds for a browser of about 170 MB
APT_LIMIT = 600
START_LIMIT = 60
HOW_TO_FIX = (
    "Install Chromium or Google Chrome so that `chromium` or `google-chrome` is on PATH, or set "
    "OFFHAND_BROWSER to its path, and run the same command again."
)


def starts(path: str) -> bool:
    """Whether the program at `path` runs and says that it is a Chromium or Chrome."""
    try:
        result = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=START_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0 and any(name in result.stdout for name in ("Chrom", "Chrome"))


def playwright_path() -> str | None:
    """Where Playwright keeps its browser, whether or not it was downloaded."""
    # A process of its own: Playwright's synchronous API refuses to start twice in one.
    command = [str(VENV_PYTHON), "-c", PLAYWRIGHT_PATH]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stdout.strip() or None


def candidates() -> Iterator[str]:
    """Paths worth trying, best first."""
    if named := os.environ.get("OFFHAND_BROWSER"):
        yield named
        return
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            yield found
    yield from (place for place in PLACES if Path(place).exists())
    if (downloaded := playwright_path()) is not None and Path(downloaded).exists():
        yield downloaded


def find_browser() -> str | None:
    """The path of a browser that starts, or None."""
    return next(filter(starts, candidates()), None)


def attempt(command: Sequence[str], limit: int, **environment: str) -> bool:
    """Run an installer, its output on stderr, and say whether it ended well within `limit` s."""
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            env={**os.environ, **environment},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def download() -> None:
    """Ask Playwright for its Chromium; a failure shows only in that none is found afterwards."""
    say("no browser found: trying Playwright's download of Chromium (about 170 MB)")
    command = [str(VENV_PYTHON), "-m", "playwright", "install", "--no-shell", "chromium"]
    if not attempt(command, DOWNLOAD_LIMIT, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT="10000"):
        say("the download did not work here")


def install_package() -> None:
    """Install the distribution's Chromium where this user may; likewise judged by its result."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    say("installing the system's Chromium package (about 100 MB)")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    attempt(["apt-get", "update", "-qq"], APT_LIMIT, **quiet)
    package = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    attempt(package, APT_LIMIT, **quiet)


def require_browser() -> str:
    """`find_browser`, after installing one where there is none.

    Raises:
        SetupError: there is none and none could be installed; says what to install.
    """
    path = find_browser()
    for get in (download, install_package):
        if path is None:
            get()
            path = find_browser()
    if path is None:
        raise SetupError(f"No browser for the browser tests. {HOW_TO_FIX}")
    return path


def main(words: Sequence[str]) -> None:
    """Print the path of a browser."""
    del words
    print(require_browser())


if __name__ == "__main__":
    run_as_program(main)
