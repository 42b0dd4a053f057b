"""The model in `models/`: what `make` does with it, and how it gets there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from offhand_export.files import walk
from tests.export.parts import write_model
from tools import release
from tools.console import ROOT, SetupError


def plan(folder: Path, *words: str) -> str:
    """What `make` would run in a repository of the Makefile and the files in `folder`."""
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for path in ("requirements/packages.lock", "requirements/demo.lock", "pyproject.toml"):
        write(folder / path)
    for path in ("pyapp/pyproject.toml", "web/package.json", "web/package-lock.json"):
        write(folder / path)
    environment = {"PATH": os.environ["PATH"]}
    command = ["make", "--dry-run", "--no-print-directory", *words]
    return subprocess.check_output(command, cwd=folder, env=environment, text=True)


def write(path: Path) -> None:
    """An empty file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


ADAPTER = "models/offhand-270m/adapter/adapter_config.json"
SERVED = "models/offhand-270m/served/model.json"


@pytest.mark.parametrize(
    ("there", "words", "light", "ran"),
    [
        ([ADAPTER, SERVED], "demo", True, ["bundle --model models/offhand-270m/served --out"]),
        ([SERVED], "demo", True, ["bundle --model models/offhand-270m/served --out"]),
        ([], "demo MODEL=other", True, ["bundle --model other --out"]),
        ([], "serve", True, ["serve"]),
        (
            [],
            "demo",
            False,
            [
                "checkpoint gguf --out build/checkpoints/gemma-3-270m",
                "convert build/checkpoints/gemma-3-270m --name gemma-3-270m --wire int8",
                "bundle --model build/models/gemma-3-270m --out",
            ],
        ),
        (
            [ADAPTER, SERVED],
            "demo SOURCE=tuned",
            False,
            [
                "checkpoint tuned --out build/checkpoints/mine",
                "convert build/checkpoints/mine --name mine --wire int8",
                "bundle --model build/models/mine --out",
            ],
        ),
        (
            [ADAPTER, SERVED],
            "release-model",
            False,
            [
                "checkpoint gguf --out build/checkpoints/gemma-3-270m",
                "trim build/checkpoints/gemma-3-270m --out build/checkpoints/gemma-3-270m-32k",
                "checkpoint build/checkpoints/gemma-3-270m-32k "
                "--out build/checkpoints/offhand-270m --adapter models/offhand-270m/adapter",
                "convert build/checkpoints/offhand-270m --name offhand-270m --wire q5",
                "tools.release build/models/offhand-270m models/offhand-270m/served",
            ],
        ),
        (
            [ADAPTER],
            "demo WIRE=q4",
            False,
            [
                "trim build/checkpoints/gemma-3-270m",
                "convert build/checkpoints/offhand-270m --name offhand-270m --wire q4",
                "bundle --model build/models/offhand-270m --out",
            ],
        ),
    ],
)
def test_make_uses_the_finished_model_else_makes_one(
    tmp_path: Path, there: list[str], words: str, light: bool, ran: list[str]
) -> None:
    for path in there:
        write(tmp_path / path)
    found = plan(tmp_path, *words.split())
    places = [found.find(text) for text in ran]
    assert -1 not in places, found
    assert places == sorted(places)
    assert ("tools.packages demo" in found) == light
    assert ("tools.packages\n" in found) != light
    assert light <= ("offhand-export convert" not in found)


@pytest.mark.parametrize("there", [[], [ADAPTER, SERVED]])
def test_testing_sets_up_everything(tmp_path: Path, there: list[str]) -> None:
    for path in there:
        write(tmp_path / path)
    found = plan(tmp_path, "test")
    assert found.index("tools.packages\n") < found.index("ruff check")
    model = "models/offhand-270m/served" if there else "build/models/gemma-3-270m"
    assert f"OFFHAND_MODEL={model} OFFHAND_DIST=dist" in found


def test_releasing_takes_what_the_model_lists(tmp_path: Path) -> None:
    built, served = write_model(tmp_path / "built"), tmp_path / "models" / "tiny" / "served"
    (built / ".inputs").write_text("key")
    write(served / "left.over")
    size = release.release(built, served)
    names = {path.name for path in built.iterdir()} - {".inputs"}
    assert {path.as_posix() for path in walk(served)} == names
    assert size == sum((served / name).stat().st_size for name in names)
    assert all((served / name).read_bytes() == (built / name).read_bytes() for name in names)


@pytest.mark.parametrize("fault", ["altered", "missing", "large", "no model"])
def test_a_faulty_model_is_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    built, served = write_model(tmp_path / "built"), tmp_path / "served"
    write(served / "old")
    if fault == "altered":
        (built / "weights.bin").write_bytes(bytes((built / "weights.bin").stat().st_size))
    elif fault == "missing":
        (built / "tokenizer.json").unlink()
    elif fault == "large":
        monkeypatch.setattr(release, "LARGEST", (built / "weights.bin").stat().st_size)
    else:
        (built / "model.json").unlink()
    with pytest.raises(SetupError):
        release.release(built, served)
    assert [path.name for path in served.iterdir()] == ["old"]


def test_no_committed_file_is_too_large_for_a_host() -> None:
    for path in (ROOT / "models").rglob("*"):
        assert path.stat().st_size < release.LARGEST, path
