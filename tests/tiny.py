"""Hermetic stand-ins for the tests: a tiny tokenizer, a catalog, an engine that knows its lines.

The tokenizer has Gemma's shape (BPE over the whole text, digits apart, byte fallback, control
tokens out of reach) with a few hundred tokens, some of which span punctuation as Gemma's do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers

from offhand import Catalog, Run, Scores, ToolCall, Vocabulary
from offhand.dialect import END_CALL, START_CALL, render_call
from offhand.native import NativeText
from offhand.schema import parse_tools

CONTROL = (
    "<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>",
    "<start_function_declaration>", "<end_function_declaration>", START_CALL, END_CALL,
    "<start_function_response>", "<end_function_response>", "<escape>",
)  # fmt: skip

# Each is reached by merging from the left, so every beginning of a word is a token too.
WORDS = (
    "call:", "room", "state", "kitchen", "living_room", "living", "on", "off", "one", "{}", "},",
    "{st", ":-", "],", "]}", ",st", "true", "false", "▁the", "▁lights", "user\n", "model\n",
    "temperature", "number", "e,", "tags:[", "turn",
)  # fmt: skip


def tiny_tokenizer() -> Tokenizer:
    """A BPE tokenizer in the shape of Gemma's."""
    vocabulary = {name: i for i, name in enumerate(CONTROL)}
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    for character in [chr(code) for code in range(33, 127)] + ["▁", "\n", "é"]:
        vocabulary[character] = len(vocabulary)
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        for length in range(2, len(word) + 1):
            if word[:length] not in vocabulary:
                vocabulary[word[:length]] = len(vocabulary)
                merges.append((word[: length - 1], word[length - 1]))
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def tiny_vocabulary() -> Vocabulary:
    control = {name: i for i, name in enumerate(CONTROL)}
    return Vocabulary(NativeText(tiny_tokenizer()), control, control.values())


def function(
    name: str, properties: Mapping[str, Any] | None = None, required: Sequence[str] = ()
) -> dict[str, Any]:
    """An OpenAI-style declaration."""
    parameters = {
        "type": "object",
        "properties": dict(properties or {}),
        "required": list(required),
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


LIGHTS = function(
    "lights",
    {
        "room": {"type": "string", "enum": ["kitchen", "living", "living_room"]},
        "state": {"type": "string", "enum": ["on", "off", "one"]},
    },
)
HEAT = function(
    "heat",
    {
        "temperature": {"type": "integer", "minimum": -5, "maximum": 80},
        "quiet": {"type": "boolean"},
    },
)
NOTE = function("note", {"text": {"type": "string"}, "number": {"type": "number"}}, ["text"])
STOP = function("stop")


def catalog(*declarations: Mapping[str, Any]) -> Catalog:
    """A catalog of these declarations (by default a few of every kind)."""
    declarations = declarations or (LIGHTS, HEAT, NOTE, STOP)
    return Catalog(
        name="tiny",
        title="Tiny",
        description="",
        instructions="",
        tools=parse_tools(declarations),
        declarations=tuple(declarations),
        examples=(),
    )


TEMPLATE = (
    "<bos><start_of_turn>developer\n{% for tool in tools %}{{ tool.function.name }}\n{% endfor %}"
    "<end_of_turn>\n"
    "{% for message in messages %}"
    "{% if message.role == 'user' %}<start_of_turn>user\n{{ message.content }}<end_of_turn>\n"
    "{% else %}<start_of_turn>model\n<start_function_call>"
    "call:{{ message.tool_calls[0].function.name }}"
    "{ {%- for key, value in message.tool_calls[0].function.arguments | dictsort %}"
    "{{ key }}:{% if value is string %}<escape>{{ value }}<escape>"
    "{% elif value is boolean %}{{ 'true' if value else 'false' }}{% else %}{{ value }}{% endif %}"
    "{{ '' if loop.last else ',' }}{% endfor %}}<end_function_call><end_of_turn>\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
"""A minimal chat template in FunctionGemma's dialect."""


class Oracle:
    """An engine that would make the given calls, one a turn; it keeps the tokens it has run.

    Args:
        calls: what to call in each turn of the conversation.
        margin: how far the wanted token's logit lies above all others.
    """

    def __init__(
        self, vocabulary: Vocabulary, calls: Sequence[ToolCall], margin: float = 5.0
    ) -> None:
        self.context = 512
        self.log: list[int] = []
        self.runs: list[Run] = []
        self.margin = margin
        self._start = vocabulary.control[START_CALL]
        self._calls = [vocabulary.encode_pieces(render_call(call)) for call in calls]

    def run(self, run: Run) -> Scores:
        assert run.keep <= len(self.log)
        assert run.ids
        assert run.candidates
        self.runs.append(run)
        self.log[run.keep :] = run.ids
        wanted = self._wanted()
        scores = [self.margin if token == wanted else 0.0 for token in run.candidates]
        if not run.whole:
            return Scores(scores)
        total = math.log(math.exp(self.margin) + 499)
        return Scores(scores, total, (wanted, 0, 1), (self.margin, 0.0, 0.0))

    def _wanted(self) -> int:
        if self._start not in self.log:
            return 0
        turn = self.log.count(self._start) - 1
        since = len(self.log) - 1 - self.log[::-1].index(self._start)
        ids = self._calls[turn]
        position = len(self.log) - since
        return ids[position] if position < len(ids) else 0
