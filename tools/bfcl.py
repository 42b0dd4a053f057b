"""Makes evaluation data of the file system turns of the Berkeley Function Calling Leaderboard.

Reads an installed or unpacked `bfcl-eval` package, of which nothing is copied into this repository,
and writes what `offhand-export evaluate --catalog files --last` reads: a line for every turn of
`multi_turn_base` whose ground truth is exactly one call of the file system. The turns before it are
its history: one of several calls stands there with its last call, and one without a call, or with a
call of another system, is left out. Arguments given by position get their parameter's name; a value
that equals its default is left as it is, since the metric takes it for the same.

    python -m tools.bfcl .venv/lib/python3.11/site-packages/bfcl_eval --out build/bfcl.jsonl
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from offhand_export.errors import ExportError
from offhand_export.synth.writer import replace_text
from tools.console import SetupError, run_as_program, say

SYSTEM = "GorillaFileSystem"
DOCUMENTS = "data/multi_turn_func_doc/gorilla_file_system.json"
QUESTIONS = "data/BFCL_v*_multi_turn_base.json"
ANSWERS = "data/possible_answer/BFCL_v*_multi_turn_base.json"

Call = dict[str, Any]
"""`name`, and `arguments` by name."""

Parameters = Mapping[str, Sequence[str]]
"""Each function's parameters in their order."""


def read_lines(package: Path, pattern: str) -> list[dict[str, Any]]:
    """The JSON lines of the one file of the package that matches a pattern.

    Raises:
        SetupError: there is no such file, there are several, or it is not JSON lines.
    """
    found = sorted(package.glob(pattern))
    if len(found) != 1:
        raise SetupError(
            f"{package} holds {len(found)} files {pattern}, not one. "
            "Give the folder `bfcl_eval` of an installed or unpacked bfcl-eval package."
        )
    try:
        return [json.loads(line) for line in found[0].read_text("utf-8").splitlines() if line]
    except ValueError as error:
        raise SetupError(f"{found[0]} is not JSON lines: {error}.") from error


def read_parameters(package: Path) -> dict[str, list[str]]:
    """The file system's functions, and each one's parameters in their order."""
    functions = read_lines(package, DOCUMENTS)
    return {each["name"]: list(each["parameters"]["properties"]) for each in functions}


def parse_call(text: str, parameters: Parameters) -> Call | None:
    """The call that a line of ground truth spells; None if it is not of the file system.

    Raises:
        SetupError: it is no call with literal arguments, or with more than there are parameters.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("no call of a function")
        name = call.func.id
        if name not in parameters:
            return None
        order = parameters[name]
        given = [(key, value) for key, value in zip(order, call.args, strict=False)]
        given += [(str(keyword.arg), keyword.value) for keyword in call.keywords]
        arguments = {key: ast.literal_eval(value) for key, value in given}
        if len(call.args) > len(order) or len(arguments) < len(given):
            raise ValueError("more arguments than parameters")
        if foreign := arguments.keys() - set(order):
            raise ValueError(f"no parameter {', '.join(sorted(foreign))}")
    except (SyntaxError, ValueError) as error:
        raise SetupError(f"The ground truth {text!r} cannot be read: {error}.") from error
    return {"name": name, "arguments": arguments}


def turns(
    question: Sequence[Sequence[Mapping[str, Any]]],
    truth: Sequence[Sequence[str]],
    parameters: Parameters,
) -> Iterator[tuple[str, list[Call]]]:
    """The turns of one conversation that are all of the file system: message and calls."""
    for messages, lines in zip(question, truth, strict=True):
        text = "\n".join(each["content"] for each in messages if each["role"] == "user").strip()
        calls = [parse_call(line, parameters) for line in lines]
        known = [call for call in calls if call is not None]
        if text and known and len(known) == len(calls):
            yield text, known


def examples(found: Sequence[tuple[str, list[Call]]]) -> Iterator[dict[str, Any]]:
    """A line of evaluation data for every turn of exactly one call, with the turns before it."""
    history: list[dict[str, Any]] = []
    for text, calls in found:
        message = {"role": "user", "content": text}
        if len(calls) == 1:
            answer = {"name": calls[0]["name"], "parameters": calls[0]["arguments"]}
            yield {"question": [*history, message], "answer": answer}
        made = [{"type": "function", "function": calls[-1]}]
        history += [message, {"role": "assistant", "content": "", "tool_calls": made}]


def convert(package: Path) -> list[dict[str, Any]]:
    """All evaluation data of a package, in its order.

    Raises:
        SetupError: the folder is not the package, or its data has another shape.
    """
    lines: list[dict[str, Any]] = []
    try:
        parameters = read_parameters(package)
        truths = {entry["id"]: entry["ground_truth"] for entry in read_lines(package, ANSWERS)}
        for entry in read_lines(package, QUESTIONS):
            if SYSTEM in entry["involved_classes"]:
                found = turns(entry["question"], truths[entry["id"]], parameters)
                lines += examples(list(found))
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(
            f"The data in {package} has another shape ({error!r}). Use bfcl-eval 2026.3.23."
        ) from error
    return lines


def write_lines(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write JSON lines whole or not at all; folders are made.

    Raises:
        SetupError: the disk is full or the place cannot be written.
    """
    try:
        replace_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    except ExportError as error:
        raise SetupError(str(error)) from None


def main(words: Sequence[str]) -> None:
    """Convert the package named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bfcl", description="BFCL file turns.")
    parser.add_argument("package", type=Path, help="folder `bfcl_eval` of a bfcl-eval package")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines to write")
    args = parser.parse_args(words)
    lines = convert(args.package)
    write_lines(lines, args.out)
    say(f"{len(lines)} turns written to {args.out}")


if __name__ == "__main__":
    run_as_program(main)
