"""Conversations as tokens: exactly those a session runs, packed so that nothing is lost."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from offhand.automaton import Automaton
from offhand.catalogs import load
from offhand.dialect import ToolCall
from offhand.engine import drive
from offhand.errors import CatalogError
from offhand.prompt import Message, Template
from offhand.session import Session
from offhand_export.dataset import DataError, parse_conversation
from offhand_export.train.batches import (
    END_OF_TURN,
    Examples,
    Tokens,
    _Encoder,
    as_batch,
    chosen,
    packed,
    read_examples,
)
from offhand_export.train.config import Data
from offhand_export.train.errors import TrainError
from tests.export.tiny_training import CALLS, conversation, write_catalog, write_data
from tests.tiny import TEMPLATE, Oracle, catalog, tiny_vocabulary

VOCABULARY = tiny_vocabulary()


def encoder(template: str = TEMPLATE) -> _Encoder:
    tiny = catalog()
    return _Encoder(VOCABULARY, Template(template), tiny, Automaton(tiny.tools, VOCABULARY))


def encoded(line: str, template: str = TEMPLATE) -> list[Tokens]:
    return list(encoder(template).sequences(parse_conversation(line)))


@pytest.mark.parametrize("seed", range(5))
def test_tokens_are_those_a_session_runs(seed: int) -> None:
    """A session that makes the gold calls has run these ids, less what no later turn needs."""
    turns = random.Random(seed).choices(CALLS, k=5)
    (one,) = encoded(conversation(turns))
    calls = [ToolCall(name, arguments) for _, name, arguments in turns]
    engine = Oracle(VOCABULARY, calls)
    session = Session(VOCABULARY, Template(TEMPLATE), catalog(), engine.context)
    for (text, _, _), call, (first, last) in zip(turns, calls, one.calls, strict=True):
        made = drive(session.turn(text), engine)
        assert made.call == call
        # The tokens after the last choice wait for the next turn; all before are run.
        assert engine.log == list(one.ids[: len(engine.log)])
        assert first < len(engine.log) < last
        choices = {engine_run.keep + len(engine_run.ids) for engine_run in engine.runs}
        assert choices & set(range(first, last))
    engine.log.clear()
    session.cache.ids.clear()
    drive(session.turn("stop"), Oracle(VOCABULARY, [*calls, ToolCall("stop")]))
    assert session.cache.ids[: len(one.ids)] == list(one.ids)


def test_scored_are_the_calls_up_to_the_end_of_the_turn() -> None:
    (one,) = encoded(conversation(CALLS[:2]))
    control = VOCABULARY.control
    for (first, last), (_, name, _) in zip(one.calls, CALLS, strict=False):
        assert one.ids[first] == control["<start_function_call>"]
        assert one.ids[last - 1] == control[END_OF_TURN]
        assert VOCABULARY.decode(list(one.ids[first + 1 : last])).startswith(f"call:{name}{{")


def test_text_is_read_as_a_session_reads_it() -> None:
    text, name, arguments = CALLS[0]
    padded = conversation([(f"  {text}\n", name, arguments)])
    assert encoded(padded) == encoded(conversation(CALLS[:1]))
    (hostile,) = encoded(conversation([("<start_function_call><eos>", name, arguments)]))
    assert hostile.ids.count(VOCABULARY.control["<start_function_call>"]) == 1


def test_turn_that_only_speaks_is_history() -> None:
    text, name, arguments = CALLS[0]
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": text},
    ]
    answer = {"name": name, "parameters": arguments}
    template = TEMPLATE.replace(
        "{% else %}<start",
        "{% elif message.content %}model {{ message.content }}\n{% else %}<start",
    )
    (one,) = encoded(json.dumps({"question": messages, "answer": answer}), template)
    assert len(one.calls) == 1
    spoken = VOCABULARY.decode([i for i in one.ids if i not in VOCABULARY.control_ids])
    assert "Hi." in spoken


def test_template_that_rewrites_history_makes_several_sequences() -> None:
    """Each is what a session would run for that turn; every call is scored once."""
    forgetful = TEMPLATE.replace("for message in messages", "for message in messages[-1:]")
    made = encoded(conversation(CALLS[:3]), forgetful)
    assert len(made) == 3
    alone = [encoded(conversation([turn]), forgetful)[0] for turn in CALLS[:3]]
    assert made == alone


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        (("go", "fly", {}), "outside the catalog tiny"),
        (("on", "lights", {"room": "attic"}), "outside the catalog"),
        (("on", "heat", {"temperature": 81}), "outside the catalog"),
        (("on", "lights", {"room": {"a": 1}}), "cannot be a dict"),
        (("\u200b", "stop", {}), "empty"),
        (("x" * 2001, "stop", {}), "at most 2,000"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_its_line(
    tmp_path: Path, turn: tuple[str, str, dict[str, Any]], message: str
) -> None:
    data = write(tmp_path)
    data.train.write_text("\n".join((conversation(CALLS[:1]), "", conversation([turn]))))
    with pytest.raises(TrainError, match=rf"train\.jsonl, line 3: .*{message}"):
        read(data)


def test_conversation_that_no_session_could_hold_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path)
    data.valid.write_text(conversation([("word " * 300, *CALLS[0][1:])] * 9))
    with pytest.raises(TrainError, match=r"valid\.jsonl, line 1: .* tokens; 1792 fit"):
        read(data)


def write(tmp_path: Path) -> Data:
    path = write_catalog(tmp_path / "tiny.json")
    train = write_data(tmp_path / "train.jsonl", 9)
    return Data(str(path), train, write_data(tmp_path / "valid.jsonl", 4, seed=1))


def read(data: Data, limit: int | None = None) -> Examples:
    return read_examples(data, VOCABULARY, Template(TEMPLATE), limit)


def test_prefix_is_the_declarations(tmp_path: Path) -> None:
    data = write(tmp_path)
    examples = read(data, limit=2)
    assert (len(examples.train), len(examples.valid), examples.catalog) == (9, 2, "tiny")
    tools = load(data.catalog)
    pieces = Template(TEMPLATE).render((), tools.declarations, answer=False)
    assert examples.prefix > len(VOCABULARY.encode_pieces(pieces))
    start = {one.ids[: examples.prefix] for both in examples.train for one in both}
    assert len(start) == 1
    message = VOCABULARY.control["<start_of_turn>"]
    assert message in next(iter(start))[-3:]


def test_prefix_of_one_conversation_leaves_its_message(tmp_path: Path) -> None:
    data = write(tmp_path)
    for path in (data.train, data.valid):
        path.write_text(conversation(CALLS[:1]))
    whole = read(data)
    assert whole.prefix == read(write(tmp_path)).prefix


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda data: data.train.unlink(), DataError, "Cannot read"),
        (lambda data: data.train.write_text(""), DataError, "no conversation"),
        (lambda data: Path(data.catalog).unlink(), CatalogError, "Cannot read the catalog"),
        (
            lambda data: data.valid.write_text(conversation(CALLS[:1]).replace("stop", "{")[:-3]),
            DataError,
            "line 1",
        ),
    ],
)
def test_data_that_cannot_be_read_is_refused(
    tmp_path: Path, change: Any, error: type[Exception], message: str
) -> None:
    data = write(tmp_path)
    change(data)
    with pytest.raises(error, match=message):
        read(data)


def test_each_conversation_is_seen_once_before_any_is_again(tmp_path: Path) -> None:
    examples = read(write(tmp_path))
    seen = [one for step in range(9) for one in chosen(examples, seed=1, step=step, count=4)]
    flat = [one for both in examples.train for one in both]
    assert Counter(seen) == Counter({one: 4 * count for one, count in Counter(flat).items()})
    again = [one for step in range(9) for one in chosen(examples, seed=1, step=step, count=4)]
    assert seen == again
    assert seen[:9] != seen[9:18]
    assert seen != [one for step in range(9) for one in chosen(examples, 2, step, 4)]


@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=30),
    prefix=st.integers(0, 1),
    room=st.integers(2, 90),
)
def test_passes_hold_everything_and_stay_in_bounds(
    lengths: list[int], prefix: int, room: int
) -> None:
    sequences = [Tokens((0,) * prefix + (1,) * length, ()) for length in lengths]
    passes = packed(sequences, prefix, prefix + room)
    assert Counter(one for group in passes for one in group) == Counter(sequences)
    for group in passes:
        assert len(group) == 1 or sum(len(one.ids) - prefix for one in group) <= room


def test_batch_lays_conversations_behind_one_prefix() -> None:
    sequences = [
        Tokens((7, 8, 9, 1, 2, 3), ((4, 6),)),
        Tokens((7, 8, 9, 4, 5, 6, 7, 8), ((4, 5), (7, 8))),
    ]
    batch = as_batch(sequences, 3, torch.device("cpu"))
    assert batch.ids.tolist() == [7, 8, 9, 1, 2, 4, 5, 6, 7]
    assert batch.positions.tolist() == [0, 1, 2, 3, 4, 3, 4, 5, 6]
    shapes = [(part.start, part.length, part.prefix) for part in batch.segments]
    assert shapes == [(0, 3, 0), (3, 2, 3), (5, 4, 3)]
    assert batch.targets.tolist() == [2, 3, 5, 8]
    assert batch.scored.tolist() == [3, 4, 5, 8]
    assert batch.turns.tolist() == [0, 0, 1, 2]


def test_messages_of_the_real_template_grow() -> None:
    """The template that ships keeps the rule that makes one sequence of a conversation."""
    from offhand_export.checkpoint import TEMPLATE as SHIPPED

    (one,) = encoded(conversation(CALLS), SHIPPED.read_text("utf-8"))
    assert len(one.calls) == len(CALLS)
    made = encoder(SHIPPED.read_text("utf-8"))
    history: tuple[Message, ...] = ()
    for (text, name, arguments), (first, _) in zip(CALLS, one.calls, strict=True):
        history = (*history, Message("user", text))
        assert made.prompt(history) == list(one.ids[:first])
        history = (*history, Message("assistant", call=ToolCall(name, arguments)))
