"""The runtimes that travel in the page: Pyodide's core, onnxruntime-web, the tokenizer library.

They are copied from the page's npm packages, only the files a worker loads. Pyodide's own lock file
names hundreds of packages that do not travel; the one written here names the page's wheels alone,
through Pyodide's own library for lock files. What the page does with them is `web/`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offhand_export.errors import BundleError
from offhand_export.files import copy

PYODIDE = "runtime/pyodide/"
ORT = "runtime/ort/"
WHEELS = "runtime/wheels/"
TOKENIZERS = "runtime/tokenizers.min.mjs"
LICENSES = "licenses/"

PYODIDE_CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
ORT_CORE = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PACKAGES = ("@huggingface/tokenizers", "onnxruntime-web", "pyodide")

FILES: dict[str, str] = {
    **{f"{PYODIDE}{name}": f"pyodide/{name}" for name in PYODIDE_CORE},
    **{f"{ORT}{name}": f"onnxruntime-web/dist/{name}" for name in ORT_CORE},
    TOKENIZERS: "@huggingface/tokenizers/dist/tokenizers.min.mjs",
}
"""Path in the bundle -> path below the npm packages."""

LOCK = "pyodide-lock.json"
SET_UP = "Run `make setup`."


def sources(packages: Path) -> dict[str, Path]:
    """Where each runtime file of the bundle comes from, licences included.

    Args:
        packages: a `node_modules` folder.

    Raises:
        BundleError: a file is missing.
    """
    found = {target: packages / source for target, source in FILES.items()}
    for name in PACKAGES:
        for path in sorted((packages / name).glob("LICENSE*")):
            found[f"{LICENSES}{name.split('/')[-1]}.txt"] = path
    for path in (*found.values(), packages / "pyodide" / LOCK):
        if not path.is_file():
            raise BundleError(f"{path} is missing.", SET_UP)
    return found


def versions(packages: Path) -> dict[str, str]:
    """Version of each npm package that travels, and of the Python inside Pyodide."""
    described = {name: read_json(packages / name / "package.json") for name in PACKAGES}
    numbers = {name: str(package["version"]) for name, package in described.items()}
    return {**numbers, "python": str(pyodide_info(packages)["python"])}


def pyodide_info(packages: Path) -> dict[str, Any]:
    """The `info` part of Pyodide's own lock file: Python, platform and ABI version."""
    info: dict[str, Any] = read_json(packages / "pyodide" / LOCK)["info"]
    return info


def write_lock(packages: Path, wheels: Sequence[Path], folder: Path) -> None:
    """Write Pyodide's lock file into `folder`, naming `wheels` and nothing else.

    Args:
        packages: a `node_modules` folder with Pyodide.
        wheels: pure-Python wheels that satisfy each other's dependencies, in one folder.
        folder: the bundle's Pyodide folder; wheels are named relative to it.

    Raises:
        BundleError: a wheel needs a package that does not travel, or another Python.
    """
    from pyodide_lock import PyodideLockSpec
    from pyodide_lock.utils import add_wheels_to_spec

    # The library's newest release wants a `version` beside what Pyodide's lock file now has.
    version = read_json(packages / "pyodide" / "package.json")["version"]
    empty = PyodideLockSpec(info={**pyodide_info(packages), "version": version}, packages={})
    try:
        spec = add_wheels_to_spec(empty, list(wheels), base_url="../wheels/")
    except RuntimeError as error:
        raise BundleError(f"The page's wheels do not fit together: {error}") from None
    folder.mkdir(parents=True, exist_ok=True)
    spec.to_json(folder / LOCK, indent=1)


def copy_files(found: dict[str, Path], out: Path) -> None:
    """Copy `sources` into the bundle."""
    for target, source in found.items():
        copy(source, out / target)


def read_json(path: Path) -> dict[str, Any]:
    """Parse a JSON file of an npm package; raises BundleError when it is missing."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path} is missing.", SET_UP) from None
    return content
