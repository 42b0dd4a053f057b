"""File system turns become evaluation data: which turns, with which history and which names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from offhand.dialect import ToolCall
from offhand_export.dataset import read_conversations
from tools.bfcl import convert, main, parse_call
from tools.console import SetupError

PARAMETERS = {"list_all": ["hidden"], "copy": ["origin", "target"], "seek": ["start", "word"]}
Turn = tuple[str, Sequence[str]]


def write_package(
    folder: Path, *talks: Sequence[Turn], classes: Any = ("GorillaFileSystem",)
) -> Path:
    """A package of the same layout, with functions and conversations of our own."""
    documents = [
        {"name": name, "parameters": {"type": "dict", "properties": {key: {} for key in keys}}}
        for name, keys in PARAMETERS.items()
    ]
    questions, answers = [], []
    for number, talk in enumerate(talks):
        said = [[{"role": "user", "content": text}] if text else [] for text, _ in talk]
        fields = {"id": f"t{number}", "involved_classes": list(classes)}
        questions.append({**fields, "question": said})
        answers.append({"id": f"t{number}", "ground_truth": [list(calls) for _, calls in talk]})
    files: dict[str, list[dict[str, Any]]] = {
        "data/multi_turn_func_doc/gorilla_file_system.json": documents,
        "data/BFCL_v9_multi_turn_base.json": questions,
        "data/possible_answer/BFCL_v9_multi_turn_base.json": answers,
    }
    for path, entries in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("copy('a', 'b')", {"origin": "a", "target": "b"}),
        ("copy('a', target='b')", {"origin": "a", "target": "b"}),
        ("copy(target='b', origin='a')", {"target": "b", "origin": "a"}),
        ("copy( origin = 'it\\'s', target=\"x, y)\" )", {"origin": "it's", "target": "x, y)"}),
        ("copy(-3)", {"origin": -3}),
        ("copy(True, None)", {"origin": True, "target": None}),
        ("copy()", {}),
    ],
)
def test_arguments_get_their_names(text: str, arguments: dict[str, Any]) -> None:
    assert parse_call(text, PARAMETERS) == {"name": "copy", "arguments": arguments}


def test_a_call_of_another_system_is_none() -> None:
    assert parse_call("post(x)", PARAMETERS) is None


@pytest.mark.parametrize(
    "text", ["copy('a'", "copy(a)", "copy(1, 2, 3)", "copy('a', origin='b')", "copy(size=1)",
             "copy(**{'origin': 1})", "'copy'", "fs.copy('a')"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        parse_call(text, PARAMETERS)


def test_turns_of_one_call_with_the_turns_before_them(tmp_path: Path) -> None:
    talk = [
        ("show it", ["list_all(True)"]),
        ("copy both", ["copy('a', 'b')", "copy('c', 'd')"]),
        ("post it", ["post('hi')"]),
        ("copy and post", ["copy('a', 'b')", "post('hi')"]),
        ("thanks", []),
        ("", ["list_all()"]),
        ("find x", ["seek('.', 'x')"]),
    ]
    package = write_package(tmp_path / "package", talk, [("list", ["list_all()"])])
    main([str(package), "--out", str(tmp_path / "out" / "data.jsonl")])
    first, second, third = read_conversations(tmp_path / "out" / "data.jsonl")
    shown = ToolCall("list_all", {"hidden": True})
    copied = ToolCall("copy", {"origin": "c", "target": "d"})
    sought = ToolCall("seek", {"start": ".", "word": "x"})
    assert [(e.text, e.gold) for e in first.exchanges] == [("show it", shown)]
    assert [(e.text, e.gold) for e in second.exchanges] == [
        ("show it", shown), ("copy both", copied), ("find x", sought),
    ]  # fmt: skip
    assert [(e.text, e.gold) for e in third.exchanges] == [("list", ToolCall("list_all"))]


def test_conversations_without_a_file_system_are_passed_over(tmp_path: Path) -> None:
    assert convert(write_package(tmp_path, [("list", ["list_all()"])], classes=["Posts"])) == []


def test_a_folder_that_is_no_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"holds 0 files .* Give the folder `bfcl_eval`"):
        convert(tmp_path)


def test_data_of_another_shape_is_named(tmp_path: Path) -> None:
    package = write_package(tmp_path, [("list", ["list_all()"])])
    (package / "data/possible_answer/BFCL_v9_multi_turn_base.json").write_text("{}", "utf-8")
    with pytest.raises(SetupError, match="another shape"):
        convert(package)


def test_a_failure_writes_nothing(tmp_path: Path) -> None:
    package = write_package(tmp_path / "package", [("copy", ["copy(a)"])])
    with pytest.raises(SetupError):
        main([str(package), "--out", str(tmp_path / "data.jsonl")])
    assert not (tmp_path / "data.jsonl").exists()
