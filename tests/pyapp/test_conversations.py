"""Whole conversations with the agent on the real weights, natively."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from offhand import Session, drive, load_catalog, worlds
from offhand.agent import Agent
from offhand.calibration import read_calibration
from offhand.native import NativeModel
from offhand.reply import Reply
from tests.conversations import IDS, NAMED, SCRIPTS
from tests.conversations.facts import facts_of
from tests.conversations.script import Script, Seen, hold


class NativeVisit:
    """A conversation with the agent in this process."""

    def __init__(self, model: NativeModel, catalog: str) -> None:
        self._model = model
        self._catalog = catalog
        self._agent = self._begun()
        self._choices: dict[str, str] = {}  # of the newest reply: ids by label
        self._earlier: dict[str, str] = {}

    def say(self, text: str) -> Seen:
        return self._seen(drive(self._agent.say(text), self._model.engine))

    def click(self, label: str) -> Seen:
        assert label in self._choices, f"there is no {label!r} among {list(self._choices)}"
        return self._seen(self._agent.choose(self._choices[label]))

    def stale(self, label: str) -> Seen:
        assert label not in self._choices
        return self._seen(self._agent.choose(self._earlier[label]))

    def reload(self) -> tuple[str, ...]:
        saved = json.dumps(self._agent.record())
        self._agent = self._begun()
        self._agent.restore(json.loads(saved))
        return tuple(self._choices)

    def facts(self) -> dict[str, str]:
        journal = self._agent.journal
        return facts_of(self._catalog, journal.world.view(journal.state))

    def _begun(self) -> Agent:
        model, catalog = self._model, load_catalog(self._catalog)
        world = worlds.load(self._catalog)
        assert world is not None
        session = Session(model.vocabulary, model.template, catalog, model.engine.context)
        return Agent(session, world, read_calibration(model.manifest.get("calibration")))

    def _seen(self, reply: Reply) -> Seen:
        self._earlier |= self._choices
        self._choices = {choice.label: choice.id for choice in reply.choices}
        shows = " ".join(" ".join(_texts(reply.data)).split())
        return Seen(reply.kind, reply.text, reply.call, reply.reason, tuple(self._choices), shows)


def _texts(data: Any) -> Iterator[str]:
    """All texts of what is shown, in its order, but for its kind."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        yield from _texts([value for name, value in data.items() if name != "kind"])
    elif isinstance(data, Sequence):
        for one in data:
            yield from _texts(one)


@pytest.mark.parametrize(("catalog", "script"), NAMED, ids=IDS)
def test_a_conversation(model: NativeModel, catalog: str, script: Script) -> None:
    hold(script, NativeVisit(model, catalog))


@pytest.mark.parametrize("catalog", SCRIPTS)
def test_scripts_have_names_of_their_own(catalog: str) -> None:
    """So that a failure says which one it was."""
    names = [script.name for script in SCRIPTS[catalog]]
    assert len(set(names)) == len(names) >= 10
