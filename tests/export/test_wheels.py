"""The page's wheels: pure Python, complete, pinned, the same bytes from the same sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from offhand_export import wheels
from offhand_export.errors import BundleError
from tests.export import parts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "pure"),
    [
        ("markupsafe-3.0.4-py3-none-any.whl", True),
        ("six-1.0-py2.py3-none-any.whl", True),
        ("markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.whl", False),
        ("markupsafe-3.0.4-cp311-cp311-linux_x86_64.whl", False),
        ("markupsafe-3.0.4-py3-none-linux_x86_64.whl", False),
        ("markupsafe-3.0.4-cp314-cp314-pyemscripten_2026_0_wasm32.whl", False),
    ],
)
def test_only_pure_python_travels(name: str, pure: bool) -> None:
    if pure:
        wheels.check_pure(Path(name))
    else:
        with pytest.raises(BundleError, match="not pure Python"):
            wheels.check_pure(Path(name))


def test_the_same_sources_make_the_same_wheel(tmp_path: Path) -> None:
    app = parts.write_app(tmp_path / "app")
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(wheels.app_wheel(app, tmp_path / name))
    assert made[0].name == "offhand-9.9.9-py3-none-any.whl"
    assert made[0].read_bytes() == made[1].read_bytes()
    assert sorted(path.name for path in app.iterdir()) == ["offhand", "pyproject.toml"]


def test_a_wheel_without_one_of_the_apps_files_is_refused(tmp_path: Path) -> None:
    app = parts.write_app(tmp_path / "app")
    parts.write(app / "offhand" / "catalogs" / "home.json", "{}")
    with pytest.raises(BundleError, match=r"lacks offhand/catalogs/home\.json") as caught:
        wheels.app_wheel(app, tmp_path)
    assert "package-data" in caught.value.fix


def test_a_failed_build_shows_pips_words(tmp_path: Path) -> None:
    app = parts.write_app(tmp_path / "app")
    parts.write(app / "pyproject.toml", "[project]\nname = 3\n")
    with pytest.raises(BundleError, match="configuration error"):
        wheels.app_wheel(app, tmp_path)


class Pip:
    """Stands in for `wheels.build`: makes wheels of these names and counts how often."""

    def __init__(self, *made: tuple[str, str]) -> None:
        self.made = made
        self.calls = 0

    def __call__(self, arguments: Sequence[str], folder: Path) -> None:
        self.calls += 1
        for name, version in self.made:
            parts.write_wheel(folder, name, version)


def test_wheels_are_made_once_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = parts.write(tmp_path / "page.lock", "# two\nhelper==1.0 \\\n  --hash=x\nother-one==2\n")
    pip = Pip(("helper", "1.0"), ("other_one", "2"))
    monkeypatch.setattr(wheels, "build", pip)
    made = wheels.page_wheels(lock, tmp_path / "cache")
    assert [wheel.name.split("-")[0] for wheel in made] == ["helper", "other_one"]
    assert wheels.page_wheels(lock, tmp_path / "cache") == made
    assert pip.calls == 1
    lock.write_text(lock.read_text() + "# changed\n")
    wheels.page_wheels(lock, tmp_path / "cache")
    assert pip.calls == 2


@pytest.mark.parametrize("made", [(), (("helper", "1.1"),), (("helper", "1.0"), ("more", "1"))])
def test_wheels_that_are_not_the_pinned_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: tuple[tuple[str, str], ...]
) -> None:
    lock = parts.write(tmp_path / "page.lock", "helper==1.0\n")
    monkeypatch.setattr(wheels, "build", Pip(*made))
    with pytest.raises(BundleError, match="pins"):
        wheels.page_wheels(lock, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_page_runs_the_versions_the_tests_run() -> None:
    tested = dict(wheels.pins(ROOT / "requirements" / "packages.lock"))
    travelling = dict(wheels.pins(ROOT / "requirements" / "page.lock"))
    assert travelling.items() <= tested.items()
    assert "jinja2" in travelling
