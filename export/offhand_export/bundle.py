"""Makes the static page: model, runtimes, app and page files in one folder, and its manifest.

`manifest.json` is the only contract between this side and the page: it names every file with size
and SHA-256. The wire is cut into shards named by their content, which a server may let browsers
keep for ever; everything else keeps its name and has to be revalidated. Nothing is fetched here but
the pinned wheels, and a bundle that is up to date is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import Any

from offhand_export import runtime
from offhand_export.errors import BundleError
from offhand_export.files import copy, fingerprint, replacing, sha256, walk
from offhand_export.model_folder import MODEL, ModelFolder, open_model
from offhand_export.wheels import app_fingerprint, app_wheel, page_wheels

FORMAT = 1
MANIFEST = "manifest.json"
SHARD_BYTES = 16_000_000
PAGE_SUFFIXES = {".css", ".html", ".ico", ".js", ".png", ".svg", ".webmanifest"}
ROOT = Path(__file__).resolve().parents[2]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of a page come from besides the model.

    Attributes:
        web: the page: its root files, and `src/`, which becomes `app/`.
        packages: npm packages with the runtimes.
        app: the project of the Python app.
        lock: pinned wheels the app needs.
        wheels: folder that keeps those wheels from one build to the next.
        notices: path in the bundle -> text that has to travel with it.
    """

    web: Path
    packages: Path
    app: Path
    lock: Path
    wheels: Path
    notices: dict[str, Path]


def repository(root: Path = ROOT) -> Sources:
    """The sources as they lie in this repository."""
    return Sources(
        web=root / "web",
        packages=root / "web" / "node_modules",
        app=root / "pyapp",
        lock=root / "requirements" / "page.lock",
        wheels=root / "build" / "wheels",
        notices={
            "NOTICE.txt": root / "NOTICE",
            f"{runtime.LICENSES}offhand.txt": root / "LICENSE",
        },
    )


def bundle(
    model: Path,
    out: Path,
    sources: Sources | None = None,
    progress: Progress = print,
    shard_bytes: int = SHARD_BYTES,
) -> bool:
    """Build the page of `model` at `out`, or leave it when it is up to date.

    Args:
        model: a converted model folder.
        out: the bundle; replaced as a whole, and only if it is a bundle or empty.
        sources: the other parts; those of this repository unless given.
        progress: told what happens, a line at a time.
        shard_bytes: the largest size of one piece of the wire.

    Returns:
        Whether anything was built.

    Raises:
        BundleError: a part is missing, truncated, altered or does not fit; says how to mend it.
    """
    sources = sources or repository()
    check_replaceable(out)
    progress(f"Checking {model}")
    opened = open_model(model)
    files = plan(opened, sources)
    wheels = page_wheels(sources.lock, sources.wheels)
    key = build_key(opened, files, wheels, sources, shard_bytes)
    if is_up_to_date(out, key):
        progress(f"{out} is up to date")
        return False
    with replacing(out) as folder:
        progress("Copying the page, the runtimes and the model")
        runtime.copy_files(files, folder)
        progress("Building the app's wheel")
        wheel_paths = add_wheels(sources, wheels, folder)
        progress("Cutting the weights")
        shards = cut(opened, folder, shard_bytes)
        manifest = make_manifest(opened, sources, shards, wheel_paths, key, folder)
        text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
        (folder / MANIFEST).write_text(text, encoding="utf-8")
    total = sum(entry["size"] for entry in manifest["files"])
    progress(f"{out}: {len(manifest['files'])} files, {total / 1e6:.0f} MB")
    return True


def check_replaceable(out: Path) -> None:
    """Refuse to replace a folder that holds something else."""
    if out.exists() and not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise BundleError(f"{out} exists and is not a bundle.", "Name another folder with --out.")


def plan(model: ModelFolder, sources: Sources) -> dict[str, Path]:
    """Every file that travels unchanged: path in the bundle -> where it lies now."""
    files = {f"model/{name}": model.path / name for name in model.others}
    files |= runtime.sources(sources.packages) | page_files(sources.web) | sources.notices
    for path in files.values():
        if not path.is_file():
            raise BundleError(f"{path} is missing.", "Restore it from the repository.")
    return files


def page_files(web: Path) -> dict[str, Path]:
    """The page's own files: those beside index.html as they are, `src/` as `app/`."""
    root = {path.name: path for path in web.glob("*.*") if path.suffix in PAGE_SUFFIXES}
    if "index.html" not in root:
        raise BundleError(f"{web / 'index.html'} is missing.", "Restore it from the repository.")
    source = web / "src"
    app = {
        f"app/{path.as_posix()}": source / path
        for path in walk(source)
        if path.suffix in PAGE_SUFFIXES
    }
    return root | app


def build_key(
    model: ModelFolder,
    files: dict[str, Path],
    wheels: list[Path],
    sources: Sources,
    shard_bytes: int,
) -> str:
    """Digest of everything a bundle is made of, this package's code included."""
    own = Path(__file__).parent
    code = [own / name for name in ("bundle.py", "model_folder.py", "runtime.py", "wheels.py")]
    facts = [f"{target} {sha256(path)}" for target, path in sorted(files.items())]
    facts += [sha256(path) for path in (model.path / MODEL, *wheels, *code)]
    return fingerprint([*facts, app_fingerprint(sources.app), str(shard_bytes)])


def is_up_to_date(out: Path, key: str) -> bool:
    """Whether `out` was built from the same parts and still holds every file at its size."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        if manifest["versions"]["build"] != key:
            return False
        return all((out / e["path"]).stat().st_size == e["size"] for e in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def add_wheels(sources: Sources, wheels: list[Path], folder: Path) -> list[str]:
    """Put the wheels and the lock file that names them into the bundle; returns their paths."""
    target = folder / runtime.WHEELS
    target.mkdir(parents=True)
    for wheel in wheels:
        copy(wheel, target / wheel.name)
    app_wheel(sources.app, target)
    names = sorted(target.glob("*.whl"))
    runtime.write_lock(sources.packages, names, folder / runtime.PYODIDE)
    return [path.relative_to(folder).as_posix() for path in names]


def cut(model: ModelFolder, folder: Path, limit: int) -> list[dict[str, Any]]:
    """Write the wire as shards of at most `limit` bytes, in order; returns their entries."""
    entries: list[dict[str, Any]] = []
    for index, piece in enumerate(pieces(model.path / model.weights, limit)):
        digest = new_sha256(piece).hexdigest()
        path = f"model/{model.name}-{index:02d}.{digest[:8]}.bin"
        (folder / path).write_bytes(piece)
        entries.append({"path": path, "size": len(piece), "sha256": digest})
    return entries


def pieces(path: Path, limit: int) -> Iterator[bytes]:
    """The content of a file, `limit` bytes at a time."""
    with path.open("rb") as file:
        while piece := file.read(limit):
            yield piece


def make_manifest(
    model: ModelFolder,
    sources: Sources,
    shards: list[dict[str, Any]],
    wheels: list[str],
    key: str,
    folder: Path,
) -> dict[str, Any]:
    """The manifest of everything written into `folder` so far."""
    from offhand import __version__, catalogs

    contract = {**model.contract, "weights": {**model.contract["weights"], "shards": shards}}
    return {
        "format": FORMAT,
        "versions": {
            "offhand": __version__,
            "build": key,
            **runtime.versions(sources.packages),
        },
        "model": contract,
        "catalogs": list(catalogs.names()),
        "runtime": {
            "pyodide": runtime.PYODIDE,
            "ort": runtime.ORT,
            "tokenizers": runtime.TOKENIZERS,
            "wheels": wheels,
        },
        "files": [
            {"path": path.as_posix(), "size": (folder / path).stat().st_size, "sha256": digest}
            for path in walk(folder)
            for digest in [sha256(folder / path)]
        ],
    }
