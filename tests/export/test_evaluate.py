"""Evaluation over an engine that answers by rule: the history a turn sees, and what is counted."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offhand import Run, Scores, Template, ToolCall, Vocabulary
from offhand.calibration import FEATURES
from offhand.catalogs import Catalog
from offhand.dialect import START_CALL, render_call
from offhand.session import MAX_CHARACTERS
from offhand_export import evaluate as module
from offhand_export.dataset import Conversation, Exchange
from offhand_export.evaluate import EvaluateError, evaluate, evaluate_command, open_model
from offhand_export.report import Report, Setting, as_json
from offhand_export.report_lines import as_lines
from tests.tiny import LIGHTS, STOP, Oracle, catalog, function, tiny_vocabulary

VOCABULARY = tiny_vocabulary()
TEMPLATE = Template(
    "<bos>{% for message in messages %}|{{ message.content }}"
    "{% for call in message.tool_calls or [] %}={{ call.function.name }}"
    "{% for value in call.function.arguments.values() %}.{{ value }}{% endfor %}{% endfor %}"
    "{% endfor %}|"
)
SETTING = Setting("tiny", "fake", "fp32", 1, "tiny", "tiny.jsonl", "0" * 64)
KITCHEN, LIVING = (ToolCall("lights", {"room": room}) for room in ("kitchen", "living"))
HALL = ToolCall("lights", {"room": "hall"})


class Answering(Oracle):
    """An engine that makes the call which `answer` gives for the text of the prompt."""

    def __init__(self, answer: Callable[[str], ToolCall], margin: float = 20.0) -> None:
        super().__init__(VOCABULARY, [], margin)
        self.answer = answer
        self.prompts: list[str] = []

    def _wanted(self) -> int:
        if VOCABULARY.control[START_CALL] not in self.log:
            return 0  # a pass before any call has begun
        start = len(self.log) - 1 - self.log[::-1].index(VOCABULARY.control[START_CALL])
        prompt = VOCABULARY.decode(self.log[1:start])
        if prompt not in self.prompts[-1:]:
            self.prompts.append(prompt)
        ids = VOCABULARY.encode_pieces(render_call(self.answer(prompt)))
        return ids[len(self.log) - start]


class FakeModel:
    """What `evaluate` asks of an opened model."""

    def __init__(self, answer: Callable[[str], ToolCall], margin: float = 20.0) -> None:
        self.engine = Answering(answer, margin)
        self.vocabulary: Vocabulary = VOCABULARY
        self.template = TEMPLATE


def by_last_word(prompt: str) -> ToolCall:
    """Kitchen or living as told; `again` repeats the call before; anything else is `stop`."""
    told = prompt.rstrip("|").rpartition("|")[2]
    if told == "again":
        told = prompt.rpartition("=lights.")[2].partition("|")[0]
    rooms = {"kitchen": KITCHEN, "living": LIVING}
    return rooms.get(told, ToolCall("stop"))


def talk(*turns: tuple[str, ToolCall | None]) -> Conversation:
    return Conversation(1, tuple(Exchange(text, gold) for text, gold in turns))


def run(
    conversations: Sequence[Conversation],
    answer: Callable[[str], ToolCall] = by_last_word,
    tools: Catalog | None = None,
    setting: Setting = SETTING,
) -> tuple[Report, Answering]:
    model = FakeModel(answer)
    report = evaluate(model, tools or catalog(LIGHTS, STOP), conversations, setting)
    return report, model.engine


def test_all_right() -> None:
    report, _ = run(
        [talk(("kitchen", KITCHEN), ("again", KITCHEN)), talk(("end", ToolCall("stop")))]
    )
    assert (report.turns, report.conversations) == (3, 2)
    assert report.tce == report.function_accuracy == report.conversation_accuracy == 1.0
    assert report.closed_loop_accuracy == report.closed_loop_conversation_accuracy == 1.0
    assert report.rouge_l == 1.0
    assert report.calibration.ece == pytest.approx(0.0, abs=1e-3)
    assert report.errors == ()
    assert {name: row.count for name, row in report.functions.items()} == {"lights": 2, "stop": 1}


def test_history_is_gold_or_the_models_own() -> None:
    report, engine = run([talk(("kitchen", LIVING), ("again", LIVING))])
    assert engine.prompts == [
        "|kitchen|",
        "|kitchen|=lights.living|again|",
        "|kitchen|=lights.kitchen|again|",
    ]
    assert (report.tce, report.closed_loop_accuracy) == (0.5, 0.0)
    assert (report.conversation_accuracy, report.closed_loop_conversation_accuracy) == (0.0, 0.0)
    (error,) = report.errors
    assert (error.conversation, error.turn, error.text) == (0, 0, "kitchen")
    assert (error.gold, error.predicted) == (LIVING, KITCHEN)
    assert error.confidence > 0.9


def test_closed_loop_may_be_right_where_gold_history_is_not() -> None:
    report, _ = run([talk(("kitchen", LIVING), ("again", KITCHEN))])
    assert (report.tce, report.closed_loop_accuracy) == (0.0, 0.5)


def test_own_history_is_run_from_the_first_difference_on() -> None:
    same = [("kitchen", KITCHEN), ("living", LIVING), ("kitchen", KITCHEN)]
    _, engine = run([talk(*same)])
    runs = len(engine.runs)
    _, engine = run([talk(*same[:2], ("kitchen", LIVING))])
    assert len(engine.runs) == runs
    _, engine = run([talk(same[0], ("living", KITCHEN), same[2])])
    assert engine.prompts[-1] == "|kitchen|=lights.kitchen|living|=lights.living|kitchen|"
    assert len(engine.prompts) == 4


def test_conversations_do_not_see_each_other() -> None:
    _, engine = run([talk(("kitchen", KITCHEN)), talk(("living", LIVING))])
    assert engine.prompts == ["|kitchen|", "|living|"]


def test_equivalent_call_is_right_but_makes_its_own_history() -> None:
    room = {"type": "string", "enum": ["kitchen", "living"], "default": "kitchen"}
    tools = catalog(function("lights", {"room": room}), STOP)
    silent = ToolCall("lights")
    report, engine = run([talk(("kitchen", silent), ("again", silent))], tools=tools)
    assert engine.prompts[1:] == ["|kitchen|=lights|again|", "|kitchen|=lights.kitchen|again|"]
    assert [error.turn for error in report.errors] == [1]
    assert (report.tce, report.closed_loop_accuracy) == (0.5, 1.0)


@pytest.mark.parametrize(
    "gold",
    [
        HALL,
        ToolCall("lights", {"colour": "red"}),
        ToolCall("dance"),
        ToolCall("lights", {"room": {"name": "kitchen"}}),
        ToolCall("lights", {"room": ["kitchen"]}),
    ],
)
def test_gold_outside_the_schema_is_scored_and_counted(gold: ToolCall) -> None:
    report, _ = run([talk(("kitchen", gold), ("living", LIVING))])
    assert (report.turns, report.outside_schema, report.tce) == (2, 1, 0.5)


def test_spoken_turn_is_missed_counted_and_stays_in_the_history() -> None:
    spoken = Exchange("kitchen", None, "Which room?")
    report, engine = run([Conversation(1, (spoken, Exchange("living", LIVING)))])
    assert (report.turns, report.spoken, report.outside_schema, report.tce) == (2, 1, 0, 0.5)
    assert engine.prompts[1] == "|kitchen|Which room?|living|"
    assert report.rouge_l == 0.5


def test_message_the_app_refuses_is_missed_and_counted() -> None:
    long = "a" * (MAX_CHARACTERS + 1)
    model = FakeModel(by_last_word)
    model.engine.context = 4 * MAX_CHARACTERS
    conversations = [talk((long, KITCHEN), ("living", LIVING))]
    report = evaluate(model, catalog(LIGHTS, STOP), conversations, SETTING)
    assert (report.turns, report.refused, report.tce) == (2, 1, 0.5)
    assert report.errors[0].predicted is None
    assert report.closed_loop_accuracy == 0.5
    assert model.engine.prompts[-1] == "|living|"


def test_last_makes_the_final_turn_alone_with_the_history_given() -> None:
    talks = [talk(("kitchen", LIVING), ("again", LIVING)), talk(("living", LIVING))]
    report, engine = run(talks, setting=replace(SETTING, last=True))
    assert engine.prompts == ["|kitchen|=lights.living|again|", "|living|"]
    assert (report.turns, report.conversations, report.tce) == (2, 2, 1.0)
    assert (report.closed_loop_accuracy, report.closed_loop_conversation_accuracy) == (None, None)
    assert [(row.turn, row.count, row.whole) for row in report.depth] == [(1, 1, 1.0), (2, 1, None)]
    lines = as_lines(report)
    assert "  final turns alone were scored, with the history given" in lines
    assert not any("closed loop, " in line or "whole" in line for line in lines)


def test_last_names_the_turn_that_failed() -> None:
    report, _ = run(
        [talk(("kitchen", KITCHEN), ("end", HALL))], setting=replace(SETTING, last=True)
    )
    assert [(error.conversation, error.turn) for error in report.errors] == [(0, 1)]


def test_depth_and_confusion_are_told() -> None:
    wrong = talk(("kitchen", KITCHEN), ("end", LIVING))
    right = talk(("living", LIVING), ("kitchen", KITCHEN), ("end", ToolCall("stop")))
    report, _ = run([wrong, right])
    record = json.loads(json.dumps(as_json(report)))
    assert record["confusion"] == {"lights": {"stop": 1}}
    assert [row["whole"] for row in record["depth"]] == [1.0, 0.5, 1.0]
    assert [row["closed_loop"] for row in record["depth"]] == [1.0, 0.5, 1.0]
    assert [row["independent"] for row in record["depth"]] == pytest.approx([0.8, 0.64, 0.512])
    lines = as_lines(report)
    assert "  turn  count   right  all so far  closed loop    p^n" in lines
    assert "     2      2   50.0%       50.0%        50.0%  64.0%" in lines
    assert "  lights         4       3     100.0%   75.0%   75.0%" in lines
    assert lines[-2:] == ["  wanted  called instead  turns", "  lights  stop                1"]


def test_progress_is_told_after_each_conversation() -> None:
    told: list[tuple[int, int]] = []
    evaluate(
        FakeModel(by_last_word),
        catalog(LIGHTS, STOP),
        [talk(("kitchen", KITCHEN), ("again", KITCHEN)), talk(("living", LIVING))],
        SETTING,
        lambda done, outcomes: told.append((done, len(outcomes))),
    )
    assert told == [(1, 2), (2, 3)]


def test_json_carries_what_was_evaluated_and_what_was_found() -> None:
    report, engine = run([talk(("kitchen", LIVING), ("living", HALL))])
    record = json.loads(json.dumps(as_json(report)))
    assert (record["model"], record["runtime"], record["precision"]) == ("tiny", "fake", "fp32")
    assert (record["turns"], record["conversations"], record["tce"]) == (2, 1, 0.0)
    assert record["tokens_run"] == sum(len(run.ids) for run in engine.runs)
    assert record["functions"]["lights"]["recall"] == 1.0
    assert set(record["calibration"]["accuracy_at"]) == {"0.90", "0.95", "1.00"}
    assert record["errors"][0] == {
        "conversation": 0,
        "turn": 0,
        "text": "kitchen",
        "gold": {"name": "lights", "arguments": {"room": "living"}},
        "predicted": {"name": "lights", "arguments": {"room": "kitchen"}},
        "confidence": pytest.approx(1.0, abs=1e-3),
    }


def test_json_carries_what_calibration_needs_of_every_call_and_no_words() -> None:
    report, _ = run([talk(("kitchen", KITCHEN), (" ", LIVING), ("living", HALL))])
    record = json.loads(json.dumps(as_json(report)))
    assert record["features"] == list(FEATURES)
    places = [(row["conversation"], row["turn"], row["right"]) for row in record["calls"]]
    assert places == [(0, 0, True), (0, 2, False)]  # the app refuses the message in between
    for row in record["calls"]:
        assert row.keys() == {"conversation", "turn", "tool", "right", "confidence", "features"}
        named = dict(zip(FEATURES, row["features"], strict=True))
        assert math.exp(named["log_confidence"]) == pytest.approx(row["confidence"], abs=1e-5)
        assert math.exp(named["log_decisions"]) >= 2


def test_lines_name_what_could_only_be_missed() -> None:
    report, _ = run([talk(("kitchen", HALL), ("living", LIVING))])
    lines = as_lines(report)
    assert lines[0] == "tiny, fake fp32, tiny"
    assert "  1 gold calls are outside the catalog" in lines
    assert not any("refused" in line for line in lines)


# The command.


def arguments(tmp_path: Path, *extra: str) -> argparse.Namespace:
    catalog_path = tmp_path / "tiny.json"
    words = {"title": "T", "description": "D", "instructions": "I", "examples": []}
    fields = {"name": "tiny", **words, "tools": [LIGHTS, STOP]}
    catalog_path.write_text(json.dumps(fields), "utf-8")
    data = tmp_path / "data.jsonl"
    lines = []
    for text, call in (("kitchen", KITCHEN), ("living", KITCHEN)):
        question = [{"role": "user", "content": text}]
        answer = {"name": call.name, "parameters": call.arguments}
        lines.append(json.dumps({"question": json.dumps(question), "answer": json.dumps(answer)}))
    data.write_text("\n".join(lines), "utf-8")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    named = {"catalog": catalog_path, "data": data, "model": tmp_path / "model"}
    given = [word for name, value in named.items() for word in (f"--{name}", str(value))]
    return parser.parse_args([*given, "--report", str(tmp_path / "out" / "report.json"), *extra])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    def fake(*given: Any) -> FakeModel:
        calls.append(given)
        return FakeModel(by_last_word)

    monkeypatch.setattr(module, "open_model", fake)
    return calls


def test_command_writes_a_report(
    tmp_path: Path, opened: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    args = arguments(tmp_path, "--precision", "int8", "--threads", "2")
    assert evaluate_command(args) == 0
    assert opened == [(tmp_path / "model", "ort", "int8", 2)]
    record = json.loads(args.report.read_text("utf-8"))
    assert (record["tce"], record["turns"], record["model"]) == (0.5, 2, "model")
    assert (record["catalog"], record["precision"], record["threads"]) == ("tiny", "int8", 2)
    assert record["data_sha256"] == hashlib.sha256(args.data.read_bytes()).hexdigest()
    assert [path.name for path in args.report.parent.iterdir()] == ["report.json"]
    shown = capsys.readouterr()
    assert "50.0%" in shown.out
    assert shown.err.splitlines()[-1] == "2/2 conversations, 1 of 2 turns right"


def test_limit_takes_the_first_conversations(tmp_path: Path, opened: list[Any]) -> None:
    args = arguments(tmp_path, "--limit", "1")
    evaluate_command(args)
    assert len(opened) == 1
    assert json.loads(args.report.read_text("utf-8"))["tce"] == 1.0


def test_limit_of_nothing_is_refused(tmp_path: Path, opened: list[Any]) -> None:
    with pytest.raises(EvaluateError, match="--limit is 0"):
        evaluate_command(arguments(tmp_path, "--limit", "0"))
    assert opened == []


def test_last_stands_in_the_report(tmp_path: Path, opened: list[Any]) -> None:
    args = arguments(tmp_path, "--last")
    evaluate_command(args)
    record = json.loads(args.report.read_text("utf-8"))
    assert (record["last"], record["closed_loop_accuracy"], record["asr_wer"]) == (True, None, 0.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--asr-wer", "0.6"], "--asr-wer is 0.6. Give a rate from 0 to 0.5"),
        (["--asr-wer", "-0.1"], "Give a rate from 0 to 0.5"),
        (["--asr-wer", "nan"], "Give a rate from 0 to 0.5"),
        (["--runtime", "browser"], "Give --dist and no --model"),
        (["--dist", "dist"], "ort reads no page. Give --model and no --dist"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, opened: list[Any], words: list[str], message: str
) -> None:
    with pytest.raises(EvaluateError, match=message):
        evaluate_command(arguments(tmp_path, *words))
    assert opened == []


def test_a_model_is_needed(tmp_path: Path, opened: list[Any]) -> None:
    args = arguments(tmp_path)
    args.model = None
    with pytest.raises(EvaluateError, match="Name its folder with --model"):
        evaluate_command(args)


def test_misheard_words_are_what_the_model_sees(tmp_path: Path, opened: list[Any]) -> None:
    args = arguments(tmp_path, "--asr-wer", "0.5")
    said = [json.loads(line)["question"] for line in args.data.read_text("utf-8").splitlines()]
    evaluate_command(args)
    record = json.loads(args.report.read_text("utf-8"))
    heard = [error["text"] for error in record["errors"]]
    assert record["asr_wer"] == 0.5
    assert heard
    assert any(json.dumps(text) not in "".join(said) for text in heard)
    evaluate_command(args)
    assert [e["text"] for e in json.loads(args.report.read_text("utf-8"))["errors"]] == heard


def test_failure_leaves_the_old_report(
    tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    args = arguments(tmp_path)
    args.report.parent.mkdir()
    args.report.write_text("old", "utf-8")

    def broken(self: Answering, run: Run) -> Scores:
        raise OSError("no more")

    monkeypatch.setattr(Answering, "run", broken)
    with pytest.raises(OSError, match="no more"):
        evaluate_command(args)
    assert args.report.read_text("utf-8") == "old"
    assert len(opened) == 1


def test_torch_runs_fp32_alone(tmp_path: Path) -> None:
    with pytest.raises(EvaluateError, match="torch runs a checkpoint in fp32"):
        open_model(tmp_path, "torch", "int8", 0)
