"""What to do with a call: carry it out, confirm it, ask for what is missing or what is meant.

The numbers and the words of it are data in the catalog (`policy`), for a bank is not a lamp:

    "policy": {
      "tiers": {"transfer_money": "danger", "check_balance": "look"},   # others: "act"
      "thresholds": {"look": 0.5, "act": 0.8},    # least confidence to act without asking
      "clarify": 0.4,                             # below it, offer the two likeliest readings
      "unclear": ["intent_unclear"],              # tools that say a message was not understood
      "handover": ["speak_to_human"],             # tools that end with a person
      "patience": 3,                              # failures in a row before a person is offered
      "questions": {"amount": "How much?", "get_statement.account_type": "Of which account?"}
    }

All of it may be left out. A tool of the tier "danger" is always confirmed, unless it would change
nothing. The world adds what only it can know: what is missing, and what is dangerous right now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhand.dialect import ToolCall
from offhand.errors import CatalogError
from offhand.schema import Tool
from offhand.world import Option, World

TIERS = ("look", "act", "danger")
_THRESHOLDS = {"look": 0.5, "act": 0.8}


@dataclass(frozen=True, slots=True)
class Policy:
    """A catalog's policy; see the module for what each field means."""

    tiers: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=lambda: dict(_THRESHOLDS))
    clarify: float = 0.4
    unclear: frozenset[str] = frozenset()
    handover: frozenset[str] = frozenset()
    patience: int = 3
    questions: Mapping[str, str] = field(default_factory=dict)

    def tier(self, tool: str) -> str:
        """The tool's tier; "act" where the catalog does not say."""
        return self.tiers.get(tool, "act")

    def question(self, tool: str, slot: str) -> str:
        """What to ask for a slot."""
        plain = f"Which {slot.replace('_', ' ')}?"
        return self.questions.get(f"{tool}.{slot}") or self.questions.get(slot) or plain


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a call.

    Attributes:
        kind: "execute", "confirm", "ask" (for a slot) or "clarify" (between readings).
        reason: "", "risk", "confidence" or "missing".
        text: the question, but for "execute" and "clarify".
        slot, options: what is asked for, and what to offer.
    """

    kind: str
    reason: str = ""
    text: str = ""
    slot: str = ""
    options: tuple[Option, ...] = ()


def judge(policy: Policy, world: World, state: Any, call: ToolCall, confidence: float) -> Verdict:
    """Decide about a call that fits its catalog.

    Args:
        policy: the catalog's.
        world, state: what the call would act on.
        call: the call.
        confidence: calibrated probability that it is what the visitor wants, 0 to 1.
    """
    if call.name in policy.unclear | policy.handover:
        return Verdict("execute")
    if confidence < policy.clarify:
        return Verdict("clarify", "confidence")
    missing = world.missing(state, call)
    if missing:
        slot = missing[0]
        options = world.options(state, call, slot)
        return Verdict("ask", "missing", policy.question(call.name, slot), slot, options)
    question = world.danger(state, call)
    if question:
        return Verdict("confirm", "risk", question)
    tier = policy.tier(call.name)
    certain = tier != "danger" and confidence >= policy.thresholds[tier]
    if certain or is_idle(policy, world, state, call):
        return Verdict("execute")
    reason = "risk" if tier == "danger" else "confidence"
    return Verdict("confirm", reason, f"{world.describe(call)}?")


def is_idle(policy: Policy, world: World, state: Any, call: ToolCall) -> bool:
    """Whether a yes to the call would lead only to a refusal, or to what is so already."""
    outcome = world.apply(state, call)
    return not outcome.ok or (policy.tier(call.name) != "look" and outcome.state == state)


def can_be_done(world: World, state: Any, call: ToolCall) -> bool:
    """Whether the world would not refuse a call, as far as it is known."""
    return bool(world.missing(state, call)) or world.apply(state, call).ok


def parse_policy(data: Any, tools: tuple[Tool, ...], source: str) -> Policy:
    """Read a catalog's `policy`.

    Raises:
        CatalogError: it names an unknown field, tool, tier or slot, or a value is out of range.
    """
    reader = _Reader(data, tools, source)
    return Policy(
        tiers=reader.tiers(),
        thresholds={**_THRESHOLDS, **reader.thresholds()},
        clarify=reader.share("clarify", 0.4),
        unclear=reader.tools_of("unclear"),
        handover=reader.tools_of("handover"),
        patience=reader.patience(),
        questions=reader.questions(),
    )


_FIELDS = ("tiers", "thresholds", "clarify", "unclear", "handover", "patience", "questions")


class _Reader:
    """Reads and checks the fields, each with an error that names it."""

    def __init__(self, data: Any, tools: tuple[Tool, ...], source: str) -> None:
        self.source = source
        self.data = self._object(data, "policy")
        self.names = {tool.name for tool in tools}
        slots = {slot.name for tool in tools for slot in tool.slots}
        full = {f"{tool.name}.{slot.name}" for tool in tools for slot in tool.slots}
        self.slots = slots | full
        for name in self.data:
            if name not in _FIELDS:
                self._fail(f"has the unknown field {name!r}", f"Use {', '.join(_FIELDS)}.")

    def tiers(self) -> dict[str, str]:
        found = self._object(self.data.get("tiers", {}), "tiers")
        for tool, tier in found.items():
            self._known_tool(tool)
            if tier not in TIERS:
                self._fail(f"gives {tool} the tier {tier!r}", f"Use {', '.join(TIERS)}.")
        return dict(found)

    def thresholds(self) -> dict[str, float]:
        found = self._object(self.data.get("thresholds", {}), "thresholds")
        for tier, value in found.items():
            if tier not in _THRESHOLDS:
                self._fail(f"has a threshold of {tier!r}", "Only look and act have one.")
            self._share(tier, value)
        return {tier: float(value) for tier, value in found.items()}

    def share(self, name: str, default: float) -> float:
        return self._share(name, self.data.get(name, default))

    def tools_of(self, name: str) -> frozenset[str]:
        found = self.data.get(name, [])
        if not isinstance(found, list):
            self._fail(f"has {name} that is no list", "Write a list of functions.")
        for tool in found:
            self._known_tool(tool)
        return frozenset(found)

    def patience(self) -> int:
        value = self.data.get("patience", 3)
        if type(value) is not int or value < 1:
            self._fail(f"has the patience {value!r}", "Write a whole number from 1 on.")
        return int(value)

    def questions(self) -> dict[str, str]:
        found = self._object(self.data.get("questions", {}), "questions")
        for slot, text in found.items():
            if slot not in self.slots:
                self._fail(f"asks for {slot!r}", "Name a parameter, or function.parameter.")
            if not isinstance(text, str) or not text.strip():
                self._fail(f"has no words to ask for {slot}", "Write a question.")
        return dict(found)

    def _known_tool(self, tool: Any) -> None:
        if not isinstance(tool, str) or tool not in self.names:
            self._fail(f"names {tool!r}", "Name a function of the catalog.")

    def _share(self, name: str, value: Any) -> float:
        if type(value) not in (int, float) or not 0 <= value <= 1:
            self._fail(f"has {name} = {value!r}", "Write a number from 0 to 1.")
        return float(value)

    def _object(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._fail(f"has {name} that is no object", "Write a JSON object.")
        found: dict[str, Any] = value
        return found

    def _fail(self, what: str, fix: str) -> None:
        raise CatalogError(f"The policy of catalog {self.source} {what}.", fix)
