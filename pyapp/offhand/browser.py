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

from offhand import catalogs, worlds
from offhand.agent import Agent
from offhand.calibration import read_calibration
from offhand.engine import Run, Scores
from offhand.errors import EngineError, OffhandError, WorldError
from offhand.prompt import Template
from offhand.record import Times, error_record, timed, turn_record
from offhand.reply import Reply
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
        self._calibration = read_calibration(manifest.get("calibration"))
        self._agent: Agent | None = None

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
                    "archive": worlds.archive(catalog.name) is not None,
                }
                for catalog in loaded
            ]
        )

    async def select(self, name: str, saved: str = "", fresh: bool = False) -> str:
        """Open a catalog with its world and prefill its declarations.

        Args:
            name: the catalog's.
            saved: the record of an earlier agent to go on with (JSON), or nothing.
            fresh: keep its world alone, and begin a new conversation.

        Returns:
            JSON: `name`, `tokens`, `milliseconds`, `world` and `saved` (see `talk`), and `lost`:
            why the saved record could not be used, or null.
        """
        try:
            agent = self._made(name)
            times = Times()
            run = await self._drive(timed(agent.session.warm(), self._host.now, times))
            lost = _restored(agent, saved) if saved else None
            if fresh:
                agent.renew()
        except OffhandError as error:
            return json.dumps(error_record(error))
        self._agent = agent
        opened = {"name": name, "tokens": run, "milliseconds": times.total, "lost": lost}
        return json.dumps({**opened, **_standing(agent)})

    async def talk(self, text: str) -> str:
        """Answer a message as the agent: its reply, or `{"error": ...}` with nothing changed.

        Returns:
            JSON: the reply's record with `turn` (null where the model was not asked), `world` (its
            view) and `saved` (the agent's record).
        """
        try:
            agent, times = self._opened(), Times()
            reply = await self._drive(timed(agent.say(text), self._host.now, times))
            return _answer(agent, reply, times)
        except OffhandError as error:
            return json.dumps(error_record(error))

    def choose(self, choice: str) -> str:
        """Answer a click on a reply's choice, as `talk` does."""
        try:
            agent = self._opened()
            return _answer(agent, agent.choose(choice), Times())
        except OffhandError as error:
            return json.dumps(error_record(error))

    def reset_world(self) -> str:
        """Put the world back to its beginning: its `world` and `saved`."""
        try:
            agent = self._opened()
            agent.reset_world()
        except OffhandError as error:
            return json.dumps(error_record(error))
        return json.dumps(_standing(agent))

    def export_world(self) -> Any:
        """The open world as a file: a JavaScript Uint8Array, or JSON of an error."""
        try:
            agent = self._opened()
            return to_js(_archive(agent).export(agent.journal.state))
        except OffhandError as error:
            return json.dumps(error_record(error))

    def import_world(self, data: Any) -> str:
        """Put a file's content (a JavaScript Uint8Array) in the place of the open world.

        Returns:
            JSON: its `world` and `saved`, or an error with the world as it was.
        """
        try:
            agent = self._opened()
            agent.reset_world(_loaded(_archive(agent), data.to_bytes()))
        except OffhandError as error:
            return json.dumps(error_record(error))
        return json.dumps(_standing(agent))

    async def say(self, text: str) -> str:
        """Make one bare turn, nothing carried out: its record, or `{"error": ...}`."""
        try:
            times = Times()
            steps = timed(self._opened().session.turn(text), self._host.now, times)
            return json.dumps(turn_record(await self._drive(steps), times))
        except OffhandError as error:
            return json.dumps(error_record(error))

    def restore(self, transcript: str) -> str:
        """Make these messages (JSON, see `transcript`) the conversation: `{}`, or an error.

        Nothing is run: the next turn keeps what the KV cache shares with them.
        """
        try:
            session, messages = self._opened().session, read_transcript(transcript)
        except OffhandError as error:
            return json.dumps(error_record(error))
        session.reset()
        session.messages = messages
        return "{}"

    def reset(self) -> str:
        """Begin a new conversation: the world stays, and so do the prefilled declarations."""
        if self._agent is None:
            return "{}"
        self._agent.renew()
        return json.dumps(_standing(self._agent))

    def _made(self, name: str) -> Agent:
        catalog = catalogs.load(name)
        world = worlds.load(name)
        if world is None:
            raise EngineError(f"The catalog {name} has no world.", "Choose another one.")
        session = Session(self._vocabulary, self._template, catalog, self._host.context)
        return Agent(session, world, self._calibration)

    def _opened(self) -> Agent:
        if self._agent is None:
            raise EngineError("No catalog is selected.", "Choose one first.")
        return self._agent

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


def _answer(agent: Agent, reply: Reply, times: Times) -> str:
    turn = None if reply.turn is None else turn_record(reply.turn, times)
    return json.dumps({**reply.record(), "turn": turn, **_standing(agent)})


def _standing(agent: Agent) -> dict[str, Any]:
    """How the world looks now, and what to keep of the agent."""
    journal = agent.journal
    return {"world": journal.world.view(journal.state), "saved": agent.record()}


def _archive(agent: Agent) -> worlds.Archive:
    found = worlds.archive(agent.session.catalog.name)
    if found is None:
        raise WorldError("This world cannot be saved as a file.", "Choose the files.")
    return found


def _loaded(archive: worlds.Archive, data: bytes) -> Any:
    try:
        return archive.load(data)
    except ValueError as error:
        raise WorldError(str(error)) from error


def _restored(agent: Agent, saved: str) -> str | None:
    """Take up a saved record; why it could not be, or None."""
    try:
        agent.restore(json.loads(saved))
    except (OffhandError, ValueError) as error:
        return str(error)
    return None


async def open_app(host: Any) -> App:
    """What the worker calls once its host object is complete."""
    return App(host)
