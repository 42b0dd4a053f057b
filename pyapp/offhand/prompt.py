"""Rendering a conversation with the model's own Jinja template.

Training and serving render with this module, so a prompt seen in the page is a prompt seen in
training. Text from outside (messages, argument strings) is put in after rendering: the template
sees placeholders, and what a user typed reaches the tokenizer as `Data`, which cannot spell a
control token. The template runs sandboxed, with the names that Hugging Face templates expect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from offhand.dialect import ToolCall, number_text
from offhand.errors import TemplateError
from offhand.tokenizer import Data

# Private-use characters, which no template contains and no tokenizer needs to see.
_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a `user` text, or an `assistant` tool call (or text, where data has one)."""

    role: str
    content: str = ""
    call: ToolCall | None = None


class _Number(float):
    """A number that templates write as the dialect does: 5 for 5.0, 0.00001 for 1e-05."""

    __slots__ = ()

    def __str__(self) -> str:
        return number_text(float(self))


@dataclass(slots=True)
class _Placeholders:
    """Texts taken out of a conversation, by the number of their placeholder."""

    texts: list[str] = field(default_factory=list)

    def put(self, value: Any) -> Any:
        if isinstance(value, str):
            self.texts.append(value)
            return _MARK.format(len(self.texts) - 1)
        if isinstance(value, (list, tuple)):
            return [self.put(item) for item in value]
        return _Number(value) if isinstance(value, float) else value

    def pieces(self, rendered: str) -> list[str]:
        """Split a rendered prompt into template text and the `Data` it left room for."""
        parts = _MARKS.split(rendered)
        out: list[str] = []
        for position, part in enumerate(parts):
            if position % 2:
                out.append(Data(self.texts[int(part)]))
            elif part:
                out.append(part)
        return out


class Template:
    """A chat template (`chat_template.jinja`).

    Raises:
        TemplateError: the source is not a Jinja template.
    """

    def __init__(self, source: str) -> None:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise TemplateError(
                f"The chat template is not valid Jinja: {error}.", "Mend chat_template.jinja."
            ) from error

    def render(
        self, messages: Sequence[Message], declarations: Sequence[Mapping[str, Any]], answer: bool
    ) -> list[str]:
        """The pieces of a prompt, ending where the model's turn begins if `answer`.

        Raises:
            TemplateError: the template refuses this conversation.
        """
        texts = _Placeholders()
        try:
            rendered = self._template.render(
                messages=[_plain(message, texts) for message in messages],
                tools=list(declarations),
                add_generation_prompt=answer,
                bos_token="<bos>",
                eos_token="<eos>",
            )
        except (jinja2.TemplateError, TypeError, KeyError) as error:
            raise TemplateError(
                f"The chat template failed: {error}.", "Mend chat_template.jinja."
            ) from error
        return texts.pieces(rendered)


def _plain(message: Message, texts: _Placeholders) -> dict[str, Any]:
    """A message as Hugging Face templates expect it."""
    plain: dict[str, Any] = {"role": message.role, "content": ""}
    if message.content:
        plain["content"] = texts.put(message.content.strip())
    if message.call is not None:
        known = {k: texts.put(v) for k, v in message.call.arguments.items() if v is not None}
        function = {"name": message.call.name, "arguments": known}
        plain["tool_calls"] = [{"type": "function", "function": function}]
    return plain


def _to_json(value: Any, indent: int | None = None) -> str:
    # Jinja's own filter escapes for HTML, which would put \u003c into prompts.
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)
