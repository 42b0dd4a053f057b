"""What a checkpoint is asked while it is converted: a text, conversations, all in its own tokens.

`parity` compares answers to some of it, `balance` measures activations on the rest, so that no
figure is taken on what it was tuned on. It holds no data of any task and says nothing about one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from offhand.dialect import ToolCall
from offhand.errors import OffhandError
from offhand.native import NativeText
from offhand.prompt import Message, Template
from offhand.tokenizer import Vocabulary
from offhand_export.errors import ConvertError

TEXT = """\
The lighthouse at the end of the harbour had been dark for eleven years when the council voted to
repair it. Nobody could say exactly who had asked for the repair, or why, but the minutes of the
meeting recorded that the cost would be shared between the town and the university, and that work
would begin in the first week of May. The engineers who came to measure the tower found that the
stairs were sound, that the lens had only two cracks, and that a family of owls had made its home
under the lamp. They wrote a report of forty pages. In it they explained how the light could be run
from a battery no larger than a suitcase, charged during the day by a panel on the southern wall,
and how a small computer could watch the weather and decide when the lamp was needed. The owls, they
added, should be left alone until the young birds had learned to fly. When the lamp was lit again in
September, people stood on the beach and counted the seconds between one flash and the next.
"""

_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "set_timer",
            "parameters": {
                "type": "object",
                "properties": {
                    "label": {"type": "string"},
                    "minutes": {"type": "integer", "minimum": 1, "maximum": 90},
                },
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "play_music",
            "parameters": {
                "type": "object",
                "properties": {
                    "genre": {"type": "string", "enum": ["jazz", "rock", "folk"]},
                    "loud": {"type": "boolean"},
                },
            },
        },
    },
]
_CONVERSATIONS: tuple[tuple[Message, ...], ...] = (
    (
        Message("user", "Start a timer for the pasta, ten minutes please"),
        Message("assistant", call=ToolCall("set_timer", {"label": "pasta", "minutes": 10})),
        Message("user", "and some jazz, not too loud"),
        Message("assistant", call=ToolCall("play_music", {"genre": "jazz", "loud": False})),
    ),
    (
        Message("user", "play something like Bob Dylan"),
        Message("assistant", call=ToolCall("play_music", {"genre": "folk"})),
    ),
)

_MEASURED = """\
Most models are trained on large servers, but more and more of them run on phones and laptops. To
make that possible, engineers remove what is not needed and store numbers with fewer digits. "It is
a bit like packing a suitcase," said Maria, who has worked on compilers since 2009: first you fold,
then you press, and at some point something breaks. In 1987 a megabyte cost about $130; today it is
almost nothing, yet moving data still takes energy. What time is it in Tokyo? Please send 25 euros
to Anna, remind me at 6:30, and lock the back door. def add(a, b): return a + b
"""
_MEASURED_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "book_table",
            "parameters": {
                "type": "object",
                "properties": {
                    "guests": {"type": "integer", "minimum": 1, "maximum": 12},
                    "place": {"type": "string", "enum": ["inside", "terrace", "bar"]},
                    "name": {"type": "string"},
                },
            },
        },
    },
    {"type": "function", "function": {"name": "cancel"}},
]
_MEASURED_CONVERSATION = (
    Message("user", "a table for four outside, under Okafor"),
    Message(
        "assistant",
        call=ToolCall("book_table", {"guests": 4, "name": "Okafor", "place": "terrace"}),
    ),
    Message("user", "sorry, forget it"),
    Message("assistant", call=ToolCall("cancel")),
)


@dataclass(frozen=True, slots=True)
class Prompts:
    """Token ids of everything a checkpoint is asked.

    Attributes:
        text: an English text of about 200 tokens.
        conversations: rendered conversations with tools.
        measured: a text and a conversation to measure activations on.
        control: ids of the dialect's control tokens.
    """

    text: tuple[int, ...]
    conversations: tuple[tuple[int, ...], ...]
    measured: tuple[tuple[int, ...], ...]
    control: tuple[int, ...]


def read(folder: Path, control: Mapping[str, int], ids: Sequence[int]) -> Prompts:
    """Encode the samples.

    Args:
        folder: where the served tokenizer.json and chat_template.jinja are.
        control: ids of the control tokens by name.
        ids: every id that is not text.

    Raises:
        ConvertError: the chat template cannot render a plain tool call.
    """
    text_tokenizer = NativeText(Tokenizer.from_file(str(folder / "tokenizer.json")))
    vocabulary = Vocabulary(text_tokenizer, control, ids)

    def text(content: str) -> tuple[int, ...]:
        return (control["<bos>"], *vocabulary.encode(content))

    def talk(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        return tuple(vocabulary.encode_pieces(template.render(messages, tools, False)))

    try:
        template = Template((folder / "chat_template.jinja").read_text("utf-8"))
        conversations = tuple(talk(messages, _TOOLS) for messages in _CONVERSATIONS)
        measured = (text(_MEASURED), talk(_MEASURED_CONVERSATION, _MEASURED_TOOLS))
    except OffhandError as error:
        raise ConvertError(
            f"The checkpoint's chat template cannot be served: {error}",
            "Remove chat_template.jinja from the source to get Offhand's own.",
        ) from error
    return Prompts(text(TEXT), conversations, measured, tuple(control.values()))
