"""The command line: stages, their arguments, and errors as one message."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from offhand.errors import ModelError
from offhand_export import cli, wire
from offhand_export.errors import ExportError

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "onnx",
    "onnxruntime",
    "optimum",
    "peft",
    "pydantic",
    "requests",
    "torch",
    "transformers",
)


def stand_in(monkeypatch: pytest.MonkeyPatch, module: str, function: str, result: Any) -> list[Any]:
    """Replace one stage's module; returns the list its calls are noted in."""
    calls: list[Any] = []

    def note(*args: Any, **named: Any) -> Any:
        calls.append((args, {name: value for name, value in named.items() if name != "progress"}))
        if isinstance(result, BaseException):
            raise result
        return result

    fake = ModuleType(module)
    setattr(fake, function, note)
    monkeypatch.setitem(sys.modules, f"offhand_export.{module}", fake)
    return calls


@pytest.mark.parametrize(
    ("words", "module", "function", "call"),
    [
        (
            "checkpoint gguf --out c",
            "checkpoint",
            "make_checkpoint",
            (("gguf", Path("c")), {"adapter": None}),
        ),
        (
            "checkpoint s --adapter a --out c",
            "checkpoint",
            "make_checkpoint",
            (("s", Path("c")), {"adapter": Path("a")}),
        ),
        (
            "convert c --out m --name n",
            "convert",
            "convert",
            ((Path("c"), Path("m")), {"name": "n", "wire": "int8", "wire_embedding": "int8"}),
        ),
        (
            "convert c --out m --wire q5 --wire-embedding q6",
            "convert",
            "convert",
            ((Path("c"), Path("m")), {"name": None, "wire": "q5", "wire_embedding": "q6"}),
        ),
        ("bundle --model m", "bundle", "bundle", ((Path("m"), Path("dist")), {})),
    ],
)
def test_a_stage_gets_what_was_asked(
    monkeypatch: pytest.MonkeyPatch, words: str, module: str, function: str, call: Any
) -> None:
    calls = stand_in(monkeypatch, module, function, None)
    assert cli.main(words.split()) == 0
    assert calls == [call]


@pytest.mark.parametrize(
    ("words", "isolated"), [("serve --port 9", True), ("serve --port 9 --no-isolation", False)]
)
def test_serving_is_isolated_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, words: str, isolated: bool
) -> None:
    calls = stand_in(monkeypatch, "serve", "serve", None)
    assert cli.main(words.split()) == 0
    assert calls == [((Path("dist"), 9), {"isolated": isolated, "say": cli.say})]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ExportError("It broke.", "Mend it."), 2, "offhand-export bundle: It broke. Mend it.\n"),
        (ModelError("No model."), 2, "offhand-export bundle: No model.\n"),
        (KeyboardInterrupt(), 130, "offhand-export bundle: interrupted\n"),
    ],
)
def test_an_error_raised_on_purpose_is_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    stand_in(monkeypatch, "bundle", "bundle", error)
    assert cli.main(["bundle", "--model", "m"]) == code
    assert capsys.readouterr().err == message


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "bundle", "bundle", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["bundle", "--model", "m"])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["sing"],
        ["bundle"],
        ["checkpoint", "--out", "c"],
        ["convert", "c", "--out", "m", "--wire", "int3"],
        ["convert", "c", "--out", "m", "--wire-embedding", "q4"],
    ],
)
def test_a_wrong_command_shows_its_usage(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: offhand-export" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["cli", "bundle", "serve", "model_folder", "wheels"])
def test_the_light_stages_import_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, offhand_export.{module}\n"
        f"found = sorted(set({HEAVY}) & set(sys.modules))\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_demo_imports_only_what_its_set_up_installs() -> None:
    """Declaring the options of every stage and making a page, less the stages' own libraries."""
    code = """
import importlib.metadata as metadata, re, sys
from offhand_export import bundle, cli, runtime, serve, wheels
import pyodide_lock.utils
cli.make_parser()
owners = metadata.packages_distributions()
names = {name.split(".")[0] for name in sys.modules}
loaded = {owner for name in names for owner in owners.get(name, ())}
print(*sorted(re.sub("[-_.]+", "-", owner).lower() for owner in loaded))
"""
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    pins = (ROOT / "requirements" / "demo.lock").read_text()
    allowed = {line.split("==")[0] for line in pins.splitlines()} | {"offhand", "offhand-export"}
    assert "pydantic" in loaded
    assert set(loaded) <= allowed


def test_help_names_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    for name in ("synth", "checkpoint", "trim", "train", "convert", "bundle", "serve", "evaluate"):
        assert f"  {name}" in shown


@pytest.mark.parametrize(
    ("option", "forms"),
    [("--wire", wire.FORMS), ("--wire-embedding", wire.EMBEDDING_FORMS)],
)
def test_every_form_of_the_wire_can_be_asked_for(option: str, forms: tuple[str, ...]) -> None:
    """The command line spells them out, since asking `wire` would load its libraries."""
    parser = argparse.ArgumentParser()
    cli.add_convert(parser)
    action = next(action for action in parser._actions if option in action.option_strings)
    assert action.choices == forms
