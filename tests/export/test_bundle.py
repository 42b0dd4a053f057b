"""The bundle over tiny parts: what is in it, what is refused, when it is built again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offhand import catalogs
from offhand_export import bundle as bundling
from offhand_export.bundle import Sources, bundle
from offhand_export.errors import BundleError
from offhand_export.files import walk
from tests.export import parts

EXPECTED = [
    "NOTICE.txt",
    "app/main.js",
    "app/views/log.js",
    "index.html",
    "licenses/pyodide.txt",
    "manifest.json",
    "model/chat_template.jinja",
    "model/graph.fp32.onnx",
    "model/graph.int8.onnx",
    "model/tokenizer.json",
    "runtime/ort/ort-wasm-simd-threaded.mjs",
    "runtime/ort/ort-wasm-simd-threaded.wasm",
    "runtime/ort/ort.wasm.min.mjs",
    "runtime/pyodide/pyodide-lock.json",
    "runtime/pyodide/pyodide.asm.mjs",
    "runtime/pyodide/pyodide.asm.wasm",
    "runtime/pyodide/pyodide.mjs",
    "runtime/pyodide/python_stdlib.zip",
    "runtime/tokenizers.min.mjs",
    "runtime/wheels/helper-1.0-py3-none-any.whl",
    "runtime/wheels/offhand-9.9.9-py3-none-any.whl",
    "style.css",
]


def quiet(line: str) -> None:
    """Progress nobody reads."""


def build(model: Path, out: Path, sources: Sources, shard_bytes: int = 1000) -> bool:
    """`bundle` with small shards."""
    return bundle(model, out, sources, quiet, shard_bytes)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the parts of a page and its bundle at `dist`."""
    root = tmp_path_factory.mktemp("page")
    sources = parts.write_sources(root)
    build(parts.write_model(root / "model"), root / "dist", sources)
    return root


@pytest.fixture
def page(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `built` that a test may change; its app's wheel is not built again but copied."""
    (wheel,) = built.glob("dist/runtime/wheels/offhand-*.whl")
    monkeypatch.setattr(bundling, "app_wheel", lambda _, folder: shutil.copy(wheel, folder))
    return Path(shutil.copytree(built, tmp_path / "page"))


def sources_of(root: Path) -> Sources:
    """The sources `parts.write_sources` wrote under `root`."""
    return Sources(
        web=root / "web",
        packages=root / "web" / "node_modules",
        app=root / "app",
        lock=root / "page.lock",
        wheels=root / "wheels",
        notices={"NOTICE.txt": root / "NOTICE"},
    )


def again(root: Path) -> bool:
    """Bundle once more into the same place."""
    return build(root / "model", root / "dist", sources_of(root))


def manifest_of(root: Path) -> dict[str, Any]:
    """The bundle's manifest."""
    manifest: dict[str, Any] = json.loads((root / "dist" / "manifest.json").read_text())
    return manifest


def test_holds_exactly_what_the_page_loads(built: Path) -> None:
    found = [path.as_posix() for path in walk(built / "dist")]
    assert [path for path in found if not path.startswith("model/tiny-")] == sorted(EXPECTED)


def test_manifest_names_every_file_but_itself(built: Path) -> None:
    dist = built / "dist"
    listed = {entry["path"]: entry for entry in manifest_of(built)["files"]}
    found = {path.as_posix() for path in walk(dist)} - {"manifest.json"}
    assert listed.keys() == found
    for path, entry in listed.items():
        content = (dist / path).read_bytes()
        assert (entry["size"], entry["sha256"]) == (len(content), parts.digest(content)), path


def test_manifest_carries_the_model_and_points_at_the_runtimes(built: Path) -> None:
    manifest = manifest_of(built)
    contract = json.loads((built / "model" / "model.json").read_text())
    shards = manifest["model"]["weights"].pop("shards")
    assert manifest["model"] == contract
    assert all(shard in manifest["files"] for shard in shards)
    assert manifest["format"] == 1
    assert manifest["catalogs"] == catalogs.names()
    assert manifest["versions"]["pyodide"] == "1.2.3"
    runtime = manifest["runtime"]
    for folder in (runtime["pyodide"], runtime["ort"]):
        assert folder.endswith("/")
        assert (built / "dist" / folder).is_dir()
    for path in (runtime["tokenizers"], *runtime["wheels"]):
        assert (built / "dist" / path).is_file()


@pytest.mark.parametrize(
    ("size", "limit", "sizes"),
    [
        (10, 16, [10]),
        (16, 16, [16]),
        (17, 16, [16, 1]),
        (48, 16, [16, 16, 16]),
        (2560, 1000, [1000, 1000, 560]),
    ],
)
def test_shards_are_the_wire_in_order(
    tmp_path: Path, size: int, limit: int, sizes: list[int]
) -> None:
    wire = (parts.WEIGHTS * 2)[:size]
    model = bundling.open_model(parts.write_model(tmp_path / "model", wire))
    (tmp_path / "dist" / "model").mkdir(parents=True)
    entries = bundling.cut(model, tmp_path / "dist", limit)
    contents = [(tmp_path / "dist" / entry["path"]).read_bytes() for entry in entries]
    assert b"".join(contents) == wire
    assert [entry["size"] for entry in entries] == sizes
    for index, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        whole = parts.digest(content)
        assert entry["sha256"] == whole
        assert entry["path"] == f"model/tiny-{index:02d}.{whole[:8]}.bin"


def test_real_shards_stay_within_what_static_hosts_take() -> None:
    assert bundling.SHARD_BYTES <= 16_000_000


def test_pyodide_is_told_of_our_wheels_alone(built: Path) -> None:
    folder = built / "dist" / "runtime" / "pyodide"
    lock = json.loads((folder / "pyodide-lock.json").read_text())
    assert {name: lock["info"][name] for name in parts.PYODIDE_INFO} == parts.PYODIDE_INFO
    assert lock["packages"].keys() == {"helper", "offhand"}
    assert lock["packages"]["offhand"]["depends"] == ["helper"]
    for entry in lock["packages"].values():
        assert parts.digest((folder / entry["file_name"]).read_bytes()) == entry["sha256"]


def test_an_up_to_date_bundle_is_left_alone(page: Path) -> None:
    before = (page / "dist" / "manifest.json").stat().st_mtime_ns
    assert not again(page)
    assert (page / "dist" / "manifest.json").stat().st_mtime_ns == before


def remove_wheel(root: Path) -> None:
    """A wheel of the cache gives way to another version."""
    (root / "wheels" / "helper-1.0-py3-none-any.whl").unlink()
    parts.write_wheel(root / "wheels", "helper", "1.1")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: parts.write(root / "web" / "src" / "new.js", "export {};"),
        lambda root: parts.write(root / "web" / "index.html", "<!doctype html><p>"),
        lambda root: parts.write(root / "app" / "offhand" / "__init__.py", "x = 1\n"),
        lambda root: parts.write_model(root / "model", b"other weights"),
        remove_wheel,
        lambda root: parts.write(root / "web/node_modules/pyodide/pyodide.mjs", "newer"),
        lambda root: (root / "dist" / "index.html").unlink(),
        lambda root: parts.write(root / "dist" / "model" / "graph.int8.onnx", b"cut"),
        lambda root: parts.write(root / "dist" / "manifest.json", "{"),
    ],
    ids=["source", "page", "app", "model", "wheel", "runtime", "lost", "truncated", "unreadable"],
)
def test_a_change_builds_it_again(page: Path, change: Callable[[Path], object]) -> None:
    change(page)
    assert again(page)
    assert not again(page)


def test_caches_of_the_app_change_nothing(page: Path) -> None:
    parts.write(page / "app" / "offhand" / "__pycache__" / "more.pyc", "bytes")
    assert not again(page)


def edit(**changes: Any) -> Callable[[Path], None]:
    """A change of the top level of `model.json`."""

    def apply(model: Path) -> None:
        contract = json.loads((model / "model.json").read_text())
        (model / "model.json").write_text(json.dumps(contract | changes))

    return apply


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda model: (model / "model.json").unlink(), "no model.json"),
        (lambda model: parts.write(model / "model.json", "{"), "not JSON"),
        (lambda model: parts.write(model / "model.json", "[]"), "format None"),
        (edit(format=1), "format 1"),
        (edit(files=None), "malformed"),
        (edit(name="../tiny"), "not a plain name"),
        (edit(files={}), "does not list weights.bin"),
        (edit(memory={"fp32": {"graph": "../graph.onnx"}}), "does not list ../graph.onnx"),
        (lambda model: (model / "weights.bin").unlink(), "weights.bin is missing"),
        (lambda model: (model / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (
            lambda model: parts.write(model / "weights.bin", parts.WEIGHTS[:-1]),
            "weights.bin is truncated: 2559 of 2560 bytes",
        ),
        (lambda model: parts.write(model / "weights.bin", parts.WEIGHTS + b"."), "has 2561 bytes"),
        (lambda model: parts.write(model / "graph.int8.onnx", b"int9"), "graph.int8.onnx is alter"),
    ],
)
def test_a_damaged_model_is_refused_by_name(
    page: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(page / "model")
    before = (page / "dist" / "manifest.json").read_bytes()
    with pytest.raises(BundleError) as caught:
        again(page)
    assert words in caught.value.message
    assert caught.value.fix
    assert (page / "dist" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("web/index.html", "repository"),
        ("NOTICE", "repository"),
        ("web/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", "make setup"),
        ("web/node_modules/pyodide/pyodide-lock.json", "make setup"),
    ],
)
def test_a_missing_part_is_refused_by_name(page: Path, path: str, fix: str) -> None:
    (page / path).unlink()
    with pytest.raises(BundleError, match=path.replace(".", r"\.")) as caught:
        again(page)
    assert fix in caught.value.fix


def test_a_wheel_whose_needs_do_not_travel_is_refused(page: Path) -> None:
    (page / "wheels" / "helper-1.0-py3-none-any.whl").unlink()
    parts.write_wheel(page / "wheels", "helper", "1.0", requires="numpy")
    with pytest.raises(BundleError, match="numpy"):
        again(page)


def test_an_interrupted_build_keeps_the_old_bundle(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    parts.write(page / "web" / "index.html", "<!doctype html><p>")
    before = manifest_of(page)
    with monkeypatch.context() as patch:
        patch.setattr(bundling, "cut", interrupt)
        with pytest.raises(KeyboardInterrupt):
            again(page)
    assert manifest_of(page) == before
    assert not [path for path in page.iterdir() if path.name.startswith(".")]
    assert again(page)


def test_a_folder_that_is_no_bundle_is_not_replaced(page: Path) -> None:
    parts.write(page / "mine" / "letter.txt", "dear")
    with pytest.raises(BundleError, match="not a bundle"):
        build(page / "model", page / "mine", sources_of(page))
    assert (page / "mine" / "letter.txt").read_text() == "dear"


def test_the_repository_names_parts_that_exist() -> None:
    sources = bundling.repository()
    for path in (sources.web, sources.app, sources.lock, *sources.notices.values()):
        assert path.exists(), path


def test_an_empty_folder_is_filled(page: Path) -> None:
    empty = page / "empty"
    empty.mkdir()
    assert build(page / "model", empty, sources_of(page))
    assert (empty / "manifest.json").is_file()
