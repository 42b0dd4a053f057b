"""Utterances with choices: `(a|b)` is one of several, `[a]` is there or not, `{slot}` is a value.

Expansion gives spans rather than a string, so that noise can leave values alone that must be copied
exactly. A backslash makes the next character plain.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an utterance; `slot` names what it says a value of, or is empty."""

    text: str
    slot: str = ""


Say = Callable[[str, str], list[Span]]
"""Says a variable, given its name and the slot written after a colon (or "")."""

_TOKEN = re.compile(r"\\.|[()\[\]|]|\{[^}]*\}|[^\\()\[\]|{]+")


def expand(line: str, rng: random.Random, say: Say) -> list[Span]:
    """One reading of an utterance; spaces between spans are kept as written.

    Raises:
        ValueError: brackets do not match.
    """
    spans, rest = _sequence(_TOKEN.findall(line), rng, say, closing="")
    if rest:
        raise ValueError(f"a bracket is closed that was never opened in {line!r}")
    return _tidy(spans)


def _sequence(
    tokens: list[str], rng: random.Random, say: Say, closing: str
) -> tuple[list[Span], list[str]]:
    """Read alternatives up to the closing bracket; returns one of them and the tokens left."""
    options: list[list[Span]] = [[]]
    while tokens:
        token, tokens = tokens[0], tokens[1:]
        if token in (")", "]"):
            if token != closing:
                raise ValueError(f"{token!r} closes nothing")
            return rng.choice(options), tokens
        if token == "|" and closing:
            options.append([])
        elif token == "(":
            inner, tokens = _sequence(tokens, rng, say, ")")
            options[-1] += inner
        elif token == "[":
            inner, tokens = _sequence(tokens, rng, say, "]")
            options[-1] += inner if rng.random() < 0.5 else []
        elif token.startswith("{"):
            name, _, slot = token[1:-1].partition(":")
            options[-1] += say(name, slot)
        else:
            options[-1].append(Span(token[1:] if token.startswith("\\") else token))
    if closing:
        raise ValueError(f"{closing!r} is missing")
    return options[0], []


def _tidy(spans: list[Span]) -> list[Span]:
    """Join plain neighbours and drop the doubled spaces that optional parts leave."""
    out: list[Span] = []
    for span in spans:
        if out and not span.slot and not out[-1].slot:
            out[-1] = Span(out[-1].text + span.text)
        elif span.text:
            out.append(span)
    for at, span in enumerate(out):
        if not span.slot:
            text = re.sub(r" {2,}", " ", span.text)
            text = re.sub(r" ([,.?!])", r"\1", text)
            if at and out[at - 1].text.endswith(" "):
                text = text.lstrip(" ")
            out[at] = Span(text)
    if out and not out[0].slot:
        out[0] = Span(out[0].text.lstrip())
    if out and not out[-1].slot:
        out[-1] = Span(out[-1].text.rstrip())
    return [span for span in out if span.text]
