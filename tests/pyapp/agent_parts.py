"""A small world of lamps and a session that says its lines, to test the agent without a model."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from offhand import Catalog, Run, Scores, Session, ToolCall, Turn
from offhand.agent import Agent
from offhand.engine import Result
from offhand.policy import parse_policy
from offhand.reply import Reply
from offhand.schema import parse_tools
from offhand.session import TokenCounts, check_message
from offhand.world import Option, Outcome
from tests.tiny import function

ROOMS = ("kitchen", "bedroom", "hall")
DECLARATIONS = (
    function(
        "lamp",
        {
            "room": {"type": "string", "enum": list(ROOMS)},
            "state": {"type": "string", "enum": ["on", "off"]},
        },
    ),
    function("dial", {"level": {"type": "integer", "minimum": 1, "maximum": 9}}),
    function("drop", {"name": {"type": "string"}}, ["name"]),
    function("look", {"room": {"type": "string", "enum": list(ROOMS)}}),
    function("boom", {"how": {"type": "string", "enum": ["raise", "hang", "judge"]}}),
    function("what"),
)
POLICY = {
    "tiers": {"look": "look", "drop": "danger"},
    "unclear": ["what"],
    "patience": 3,
    "questions": {"lamp.state": "On or off?"},
}


def lamp_catalog(policy: Mapping[str, Any] = POLICY) -> Catalog:
    """The catalog of the world below."""
    tools = parse_tools(DECLARATIONS)
    return Catalog(
        "lamps", "Lamps", "Lamps to switch.", "", tools, DECLARATIONS,
        ("Kitchen on", "Dial to 3"), parse_policy(policy, tools, "lamps"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lamps:
    """Which lamps are on, where the dial stands, and what is left to be dropped."""

    lit: frozenset[str] = frozenset()
    level: int = 5
    things: tuple[str, ...] = ("vase", "cup")


class LampWorld:
    """Lamps, a dial, and things that can be dropped for good."""

    name = "lamps"

    def begin(self) -> Lamps:
        return Lamps()

    def apply(self, state: Lamps, call: ToolCall) -> Outcome:
        arguments = call.arguments
        if call.name == "lamp":
            lit = state.lit - {arguments["room"]}
            lit |= {arguments["room"]} if arguments["state"] == "on" else set()
            return Outcome(replace(state, lit=lit), "Switched.", changed=(arguments["room"],))
        if call.name == "dial":
            return Outcome(replace(state, level=arguments["level"]), "Dialled.")
        if call.name == "drop":
            name = arguments["name"]
            if name not in state.things:
                return Outcome(state, f"There is no {name}.", ok=False, data={"kind": "facts"})
            things = tuple(thing for thing in state.things if thing != name)
            return Outcome(replace(state, things=things), "Dropped.")
        if call.name == "boom":
            while arguments["how"] == "hang":
                pass
            raise RuntimeError("boom")
        return Outcome(state, "Looked." if call.name == "look" else "What?")

    def missing(self, state: Lamps, call: ToolCall) -> tuple[str, ...]:
        if call.name == "boom" and call.arguments["how"] == "judge":
            raise RuntimeError("no judgement")
        needed = {"lamp": ("state", "room"), "dial": ("level",)}.get(call.name, ())
        return tuple(slot for slot in needed if slot not in call.arguments)

    def options(self, state: Lamps, call: ToolCall, slot: str) -> tuple[Option, ...]:
        listed = {"state": ("on", "off"), "room": ROOMS}.get(slot, ())
        return tuple(Option(value, value.capitalize()) for value in listed)

    def danger(self, state: Lamps, call: ToolCall) -> str | None:
        if call.name != "drop":
            return None
        return f"Drop {call.arguments['name']} of {len(state.things)}?"

    def describe(self, call: ToolCall) -> str:
        return " ".join(["Do", call.name, *map(str, call.arguments.values())])

    def view(self, state: Lamps) -> Mapping[str, Any]:
        return {"lit": sorted(state.lit)}

    def dump(self, state: Lamps) -> Any:
        return {"lit": sorted(state.lit), "level": state.level, "things": list(state.things)}

    def read(self, data: Any) -> Lamps:
        return Lamps(frozenset(data["lit"]), data["level"], tuple(data["things"]))


Line = tuple[ToolCall, float]


class Scripted(Session):
    """A session whose model says the next of its lines; one pass of the model a reading."""

    def __init__(self, lines: Sequence[Line] = (), catalog: Catalog | None = None) -> None:
        self.catalog = catalog or lamp_catalog()
        self.messages = ()
        self.lines = list(lines)
        self.others: dict[str, ToolCall] = {}  # the second reading of a message
        self._first = 0

    def read(self, text: str) -> Generator[Run, Scores, Turn]:
        text = check_message(text)
        yield Run(0, (1,), (1,))
        call, confidence = self.lines.pop(0)
        return self._turn(text, call, confidence)

    def second(self, turn: Turn) -> Generator[Run, Scores, Turn | None]:
        yield Run(0, (1,), (1,))
        other = self.others.get(turn.text)
        return self._turn(turn.text, other, 0.1) if other else None

    def _turn(self, text: str, call: ToolCall, confidence: float) -> Turn:
        return Turn(text, call, confidence, (), TokenCounts(0, 0, 0, 0, 0, 0), False)


def finish(steps: Generator[Run, Scores, Result]) -> Result:
    """Run a generator to its end on a model that has nothing to say."""
    try:
        next(steps)
        while True:
            steps.send(Scores([0.0]))
    except StopIteration as stop:
        result: Result = stop.value
        return result


def lamp(room: str = "", state: str = "") -> ToolCall:
    """A call of the lamp, without what is left out."""
    given = {"room": room, "state": state}
    return ToolCall("lamp", {name: value for name, value in given.items() if value})


class Talk:
    """An agent and what it is told, in a line each."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self.session = Scripted(catalog=catalog)
        self.agent = Agent(self.session, LampWorld())

    def __call__(self, text: str, call: ToolCall | None = None, sure: float = 1.0) -> Reply:
        """Say something of which the model makes this call; without one it must not be asked."""
        self.session.lines = [(call, sure)] if call else []
        return finish(self.agent.say(text))

    def click(self, reply: Reply, label: str) -> Reply:
        """Click on the choice of this label."""
        return self.agent.choose(next(one.id for one in reply.choices if one.label == label))

    @property
    def lamps(self) -> Lamps:
        state = self.agent.journal.state
        assert isinstance(state, Lamps)
        return state
