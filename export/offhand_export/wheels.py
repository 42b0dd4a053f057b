"""The Python wheels that travel in the page: the app and what it imports, pure Python only.

The app's wheel is built from `pyapp/`; the others are pinned with hashes in
`requirements/page.lock` and kept in a cache folder. MarkupSafe's published wheels are compiled for
desktop systems; told that there is no compiler, its own build falls back to pure Python.
Nothing here compiles for WebAssembly: a package that needs it is refused.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from offhand_export.errors import BundleError
from offhand_export.files import fingerprint, replacing, sha256, walk

PURE = "-py3-none-any.whl"
PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)==(\S+)")
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*")
EPOCH = "315532800"  # 1980-01-01: the oldest time a zip can hold, so builds are reproducible


def page_wheels(lock: Path, cache: Path) -> list[Path]:
    """Wheels of the packages pinned in `lock`, from `cache` or else made there.

    Args:
        lock: a pip requirements file with hashes.
        cache: a folder; it is replaced as a whole when it was made from another lock.

    Raises:
        BundleError: a package cannot be fetched, or has no pure-Python wheel.
    """
    stamp = f"{sha256(lock)}\n"
    made_from = cache / "lock.sha256"
    if not made_from.is_file() or made_from.read_text() != stamp:
        with replacing(cache) as folder:
            build(["--requirement", str(lock)], folder)
            check_pins(lock, folder)
            (folder / made_from.name).write_text(stamp)
    return sorted(cache.glob("*.whl"))


def app_wheel(project: Path, folder: Path) -> Path:
    """Build the wheel of the app at `project` into `folder`; the same sources give the same bytes.

    Raises:
        BundleError: the build fails, or the wheel lacks a file of the package.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # The build writes beside its sources; a copy keeps the repository clean.
        copied = Path(scratch) / "source"
        shutil.copytree(project, copied, ignore=IGNORED)
        made = Path(scratch) / "wheel"
        build([str(copied)], made)
        (wheel,) = made.glob("*.whl")
        check_complete(wheel, copied)
        return Path(shutil.copy(wheel, folder))


def app_fingerprint(project: Path) -> str:
    """What the app's wheel depends on: name and content of each of its sources."""
    facts: list[str] = []
    for path in walk(project):
        kept = not any(IGNORED("", [part]) for part in path.parts)
        facts += [path.as_posix(), sha256(project / path)] if kept else []
    return fingerprint(facts)


def build(arguments: Sequence[str], folder: Path) -> None:
    """Run `pip wheel` without dependencies and without a compiler; refuse wheels not pure."""
    folder.mkdir(parents=True, exist_ok=True)
    no_compiler = shutil.which("false") or "no-compiler"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "wheel"),
            # pip's cache could hold a wheel of the same source that was compiled for this system.
            *("--no-deps", "--no-build-isolation", "--no-cache-dir"),
            *("--wheel-dir", str(folder), *arguments),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "CC": no_compiler, "CXX": no_compiler, "SOURCE_DATE_EPOCH": EPOCH},
    )
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise BundleError(
            "pip could not make the page's wheels.", f"Check the network; its last lines:\n{tail}"
        )
    for wheel in folder.glob("*.whl"):
        check_pure(wheel)


def check_pure(wheel: Path) -> None:
    """Refuse a wheel that is compiled for one system."""
    if not wheel.name.endswith((PURE, "-py2.py3-none-any.whl")):
        raise BundleError(
            f"{wheel.name} is not pure Python, so the page cannot load it.",
            "Pin a version whose source builds without a compiler.",
        )


def check_pins(lock: Path, folder: Path) -> None:
    """Refuse a folder that does not hold exactly the pinned packages."""
    pinned = {f"{name.replace('-', '_')}-{version}".lower() for name, version in pins(lock)}
    found = {"-".join(wheel.name.split("-")[:2]).lower() for wheel in folder.glob("*.whl")}
    if pinned != found:
        raise BundleError(
            f"{lock} pins {sorted(pinned)} but pip made {sorted(found)}.",
            "Remove the cache folder of wheels and build again.",
        )


def pins(lock: Path) -> list[tuple[str, str]]:
    """Names and versions a lock pins."""
    return PIN.findall(lock.read_text())


def check_complete(wheel: Path, project: Path) -> None:
    """Refuse a wheel without some file of the package (a data file its build does not name)."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    package = project / wheel.name.split("-")[0]
    missing = {f"{package.name}/{path.as_posix()}" for path in walk(package)} - packed
    if missing:
        raise BundleError(
            f"{wheel.name} lacks {', '.join(sorted(missing))}.",
            f"Name the file under package-data in {project.name}/pyproject.toml.",
        )
