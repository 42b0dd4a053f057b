"""Tiny stand-ins for the parts of a page: a model folder, npm packages, wheels, an app, a web page.

They have the shape of the real ones and a few bytes each, so that bundling can be tested whole and
without a network.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from offhand_export import runtime
from offhand_export.bundle import Sources

WEIGHTS = bytes(range(256)) * 10
APP_PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "offhand"
version = "9.9.9"
dependencies = ["helper"]
[tool.setuptools]
packages = ["offhand"]
"""
PYODIDE_INFO = {
    "abi_version": "2026_0",
    "arch": "wasm32",
    "platform": "emscripten_5_0_3",
    "python": "3.14.2",
}


def write(path: Path, content: str | bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def digest(content: bytes) -> str:
    """Sha256 in hex, by another road than the code under test."""
    return hashlib.sha256(content).hexdigest()


def write_model(folder: Path, weights: bytes = WEIGHTS) -> Path:
    """A model folder as `convert` writes it, with a few bytes in each file."""
    files = {
        "weights.bin": weights,
        "graph.fp32.onnx": b"fp32",
        "graph.int8.onnx": b"int8",
        "tokenizer.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
    }
    for name, content in files.items():
        write(folder / name, content)
    contract: dict[str, Any] = {
        "format": 2,
        "name": "tiny",
        "weights": {"file": "weights.bin", "tensors": []},
        "memory": {
            "fp32": {"graph": "graph.fp32.onnx", "bytes": 0, "tensors": []},
            "int8": {"graph": "graph.int8.onnx", "bytes": 0, "tensors": []},
        },
        "files": {
            name: {"size": len(content), "sha256": digest(content)}
            for name, content in files.items()
        },
    }
    write(folder / "model.json", json.dumps(contract))
    return folder


def write_wheel(
    folder: Path, name: str, version: str, requires: str = "", tag: str = "py3-none-any"
) -> Path:
    """A wheel with one empty module."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA",
            metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        )
    return wheel


def write_packages(folder: Path) -> Path:
    """npm packages with every file a bundle takes from them."""
    for name in runtime.PACKAGES:
        write(folder / name / "package.json", json.dumps({"version": "1.2.3"}))
    for source in runtime.FILES.values():
        write(folder / source, source)
    write(folder / "pyodide" / "LICENSE", "terms")
    lock = {"info": PYODIDE_INFO, "packages": {"numpy": {"file_name": "far-away.whl"}}}
    write(folder / "pyodide" / runtime.LOCK, json.dumps(lock))
    return folder


def write_app(folder: Path) -> Path:
    """The project of an app of one module."""
    write(folder / "pyproject.toml", APP_PROJECT)
    write(folder / "offhand" / "__init__.py", '"""An app."""\n')
    write(folder / "offhand" / "__pycache__" / "left.pyc", "over")
    return folder


def write_sources(root: Path) -> Sources:
    """Everything a page is made of but the model, its wheels already made."""
    web = root / "web"
    write(web / "index.html", "<!doctype html>")
    write(web / "style.css", "body {}")
    write(web / "package.json", "{}")
    write(web / "src" / "main.js", "export {};")
    write(web / "src" / "views" / "log.js", "export {};")
    write(web / "src" / "notes.md", "not for the page")
    lock = write(root / "page.lock", "helper==1.0 --hash=sha256:00\n")
    wheels = root / "wheels"
    write_wheel(wheels, "helper", "1.0")
    write(wheels / "lock.sha256", digest(lock.read_bytes()) + "\n")
    return Sources(
        web=web,
        packages=write_packages(web / "node_modules"),
        app=write_app(root / "app"),
        lock=lock,
        wheels=wheels,
        notices={"NOTICE.txt": write(root / "NOTICE", "notice")},
    )
