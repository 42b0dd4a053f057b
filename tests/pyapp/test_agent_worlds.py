"""The agent in the worlds that travel with it: whatever is called, nothing breaks or gets stuck."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhand import ToolCall, catalogs, worlds
from offhand.agent import Agent
from offhand.dispatch import check
from tests.pyapp.agent_parts import Scripted, finish
from tests.pyapp.world_checks import catalog_calls

WORDS = ("notes.txt", "projects", "kitchen", "4071", "Verizon", "..", "*.txt", "nowhere", "'", "-r")


@pytest.mark.parametrize("name", catalogs.OWN)
@settings(max_examples=12)
@given(data=st.data())
def test_any_calls_are_answered(name: str, data: st.DataObject) -> None:
    catalog = catalogs.load(name)
    words = {slot.name: WORDS for tool in catalog.tools for slot in tool.slots}
    fitting = catalog_calls(name, words).filter(lambda call: check(catalog, call) is None)
    calls = data.draw(st.lists(fitting, max_size=6))
    world = worlds.load(name)
    assert world is not None
    session = Scripted(catalog=catalog)
    agent = Agent(session, world)
    for call in calls:
        session.lines = [(call, data.draw(st.sampled_from((0.45, 1.0))))]
        reply = finish(agent.say("please do that one"))
        for _ in range(6):
            assert reply.reason not in ("raised", "hung", "unknown_tool", "range", "format"), reply
            json.dumps({**reply.record(), "world": world.view(agent.journal.state)})
            if agent.pending is None:
                break
            reply = agent.choose(reply.choices[0].id) if reply.choices else finish(agent.say("no"))
        assert agent.pending is None
        data_kept = json.loads(json.dumps(agent.record()))
        other = Agent(Scripted(catalog=catalog), world)
        other.restore(data_kept)
        assert json.loads(json.dumps(other.record())) == data_kept
        assert other.journal.state == agent.journal.state
    while agent.journal.events:
        assert finish(agent.say("undo")).kind == "done"
    assert agent.journal.state == world.begin()


@pytest.mark.parametrize("name", catalogs.OWN)
def test_every_tool_may_be_called_with_nothing_known(name: str) -> None:
    catalog, world = catalogs.load(name), worlds.load(name)
    assert world is not None
    for tool in catalog.tools:
        agent = Agent(Scripted([(ToolCall(tool.name), 1.0)], catalog), world)
        reply = finish(agent.say("please do that one"))
        assert reply.reason in ("", "missing", "risk", "world"), reply
        assert reply.text
