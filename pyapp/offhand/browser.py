"""The app inside the page: the driver of ORT-web, and what the worker calls.

The worker gives one object, `host`, that runs the model and the tokenizer (web/src/worker.js). Only
strings, numbers and typed arrays cross the border: JSON out, text in, and no proxy outlives a call.
This is the only module that touches JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from pyodide.ffi import JsException, to_js

from offhand import catalogs
from offhand.engine import Run, Scores
from offhand.errors import EngineError, OffhandError
from offhand.prompt import Template
from offhand.record import Times, error_record, timed, turn_record
from offhand.session import Session
from offhand.tokenizer import Vocabulary
from offhand.transcript import read_transcript

Result = TypeVar("Result")


class _Text:
    """`@huggingface/tokenizers` behind the interface of `TextTokenizer`."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._host.encode(text).to_py().tolist()
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._host.decode(to_js(list(ids))))


class App:
    """The conversations of one page.

    Args:
        host: `manifest` and `template` (text), `context`, `now()`, `encode`, `decode`, and
            `run(keep, ids, candidates, whole)`, a promise of the graph's outputs.
    """

    def __init__(self, host: Any) -> None:
        manifest = json.loads(host.manifest)["model"]
        self._host = host
        self._vocabulary = Vocabulary(
            _Text(host), manifest["dialect"]["control"], manifest["control_ids"]
        )
        self._template = Template(host.template)
        self._session: Session | None = None

    def catalogs(self) -> str:
        """The catalogs that can be selected: a JSON list of name, title, description, examples."""
        loaded = [catalogs.load(name) for name in catalogs.names()]
        return json.dumps(
            [
                {
                    "name": catalog.name,
                    "title": catalog.title,
                    "description": catalog.description,
                    "examples": catalog.examples,
                    "tools": [tool.name for tool in catalog.tools],
                }
                for catalog in loaded
            ]
        )

    async def select(self, name: str) -> str:
        """Begin a conversation about a catalog and prefill its declarations."""
        try:
            session = Session(
                self._vocabulary, self._template, catalogs.load(name), self._host.context
            )
            times = Times()
            run = await self._drive(timed(session.warm(), self._host.now, times))
        except OffhandError as error:
            return json.dumps(error_record(error))
        self._session = session
        return json.dumps({"name": name, "tokens": run, "milliseconds": times.total})

    async def say(self, text: str) -> str:
        """Make one turn: its record, or `{"error": ...}` with the conversation as it was."""
        try:
            times = Times()
            steps = timed(self._opened().turn(text), self._host.now, times)
            return json.dumps(turn_record(await self._drive(steps), times))
        except OffhandError as error:
            return json.dumps(error_record(error))

    def restore(self, transcript: str) -> str:
        """Make these messages (JSON, see `transcript`) the conversation: `{}`, or an error.

        Nothing is run: the next turn keeps what the KV cache shares with them.
        """
        try:
            session, messages = self._opened(), read_transcript(transcript)
        except OffhandError as error:
            return json.dumps(error_record(error))
        session.reset()
        session.messages = messages
        return "{}"

    def reset(self) -> None:
        """Forget the conversation; the declarations stay prefilled."""
        if self._session is not None:
            self._session.reset()

    def _opened(self) -> Session:
        if self._session is None:
            raise EngineError("No catalog is selected.", "Choose one first.")
        return self._session

    async def _drive(self, steps: Generator[Run, Scores, Result]) -> Result:
        try:
            run = next(steps)
            while True:
                run = steps.send(await self._run(run))
        except StopIteration as stop:
            result: Result = stop.value
            return result

    async def _run(self, run: Run) -> Scores:
        try:
            out = await self._host.run(run.keep, to_js(run.ids), to_js(run.candidates), run.whole)
        except JsException as error:
            raise EngineError(f"The model failed to run: {error}.", "Try again.") from error
        return Scores(
            out.scores.to_py().tolist(),
            float(out.log_total.to_py()[0]) if run.whole else None,
            out.top_ids.to_py().tolist(),
            out.top_scores.to_py().tolist(),
        )


async def open_app(host: Any) -> App:
    """What the worker calls once its host object is complete."""
    return App(host)
