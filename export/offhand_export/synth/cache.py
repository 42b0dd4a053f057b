"""Answers of a language model, kept on disk by what was asked: nothing is paid for twice.

One file an answer, named by the hash of the request and written at once, so that a killed run
leaves whole answers only, and several runs may share a folder. Keys and other secrets are no part
of a request here and never reach the disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from offhand_export.synth.writer import replace_text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one request.

    Attributes:
        text: the answer; empty where the model refused or said nothing.
        finish: why it ended, as the endpoint says ("stop", "length"...).
        tokens_in, tokens_out: what the endpoint counted; None where it does not say.
    """

    text: str
    finish: str
    tokens_in: int | None = None
    tokens_out: int | None = None


class AnswerCache:
    """Answers in a folder; safe for several threads.

    Args:
        folder: where they lie; made when the first one is put.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, request: Mapping[str, Any]) -> Answer | None:
        """The answer to this very request, or None; a damaged file counts as none."""
        try:
            record = json.loads(self._path(request).read_text(encoding="utf-8"))
            answer = Answer(**record["answer"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return answer if record.get("request") == request else None

    def put(self, request: Mapping[str, Any], answer: Answer) -> None:
        """Keep an answer.

        Raises:
            WriteError: the disk is full or the folder cannot be written.
        """
        record = {"request": request, "answer": asdict(answer)}
        replace_text(self._path(request), json.dumps(record, indent=1) + "\n")

    def _path(self, request: Mapping[str, Any]) -> Path:
        text = json.dumps(request, sort_keys=True, separators=(",", ":"))
        name = hashlib.sha256(text.encode()).hexdigest()
        return self._folder / name[:2] / f"{name}.json"
