"""The agent: what happens around a call, so that a wrong one does no harm and a right one is done.

A message goes to the model, whose call is judged (`policy`), refused or carried out (`dispatch`),
confirmed, completed or cleared up first. While a question is open, a click answers it without the
model; typed words go through the model, and what was known already is kept. Corrections replace the
action they correct. Like `session`, this is generators without I/O; nothing of the agent changes
until the model has answered, so a turn that is stopped leaves no trace.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from offhand import phrases
from offhand.calibration import Calibration
from offhand.dialect import ToolCall
from offhand.dispatch import Refusal, check, dispatch, fits
from offhand.engine import Run, Scores
from offhand.errors import WorldError
from offhand.journal import Journal
from offhand.policy import Verdict, judge
from offhand.reply import Choice, Pending, Reply, read_pending
from offhand.schema import Number
from offhand.session import Session, Turn, check_message
from offhand.transcript import read_messages, transcript_record
from offhand.world import Option, World

VERSION = 1
"""Of the saved record."""

UNDO = Choice("undo", "Undo")
HUMAN = Choice("human", "Hand over to a person")
_NOT_OPEN = "That question is no longer open."


class Agent:
    """One visitor's conversation with one world.

    Args:
        session: the model's side of the conversation.
        world: what the catalog's calls act on.
        calibration: from the model's probabilities to how often it is right.
    """

    def __init__(
        self, session: Session, world: World, calibration: Calibration | None = None
    ) -> None:
        self.session = session
        self.journal = Journal.begin(world)
        self.pending: Pending | None = None
        self._catalog = session.catalog
        self._world = world
        self._calibration = calibration
        self._count = 0  # replies so far; numbers events and questions
        self._failures = 0  # in a row
        self._last = ""  # id of the event that the last reply made

    def say(self, text: str) -> Generator[Run, Scores, Reply]:
        """Answer a message.

        Raises:
            MessageError: the message is empty, too long, or not text; nothing has changed.
        """
        text = check_message(text)
        if reply := self._spoken_to(phrases.meaning(text)):
            return self._given(reply)
        before, asked, last = self.session.messages, self.pending, self._last
        try:
            turn = yield from self.session.turn(text)
            call = self._completed(turn, text, asked)
            sure = self._sure(turn, call, asked)
            replaces = self._replaces(text, call, asked, last)
            verdict = self._judged(call, sure)
            second = None
            if isinstance(verdict, Verdict) and verdict.kind == "clarify":
                second = yield from self.session.second(turn)
        except BaseException:
            self.session.messages = before
            raise
        if call != turn.call:
            self.session.replace_last_call(call)
        self.pending = None
        if isinstance(verdict, Refusal):
            return self._given(self._refused(verdict, call)).of(turn)
        return self._given(self._acted(verdict, call, second, replaces)).of(turn)

    def choose(self, choice: str) -> Reply:
        """Answer a click on one of a reply's choices; no model is run."""
        if choice == "undo":
            return self._given(self._undone())
        if choice == "human":
            return self._given(self._handed_over())
        asked = self.pending
        number, _, what = choice.partition("/")
        if asked is None or number != str(asked.number):
            return Reply("said", _NOT_OPEN)
        return self._given(self._answered(asked, what))

    def record(self) -> dict[str, Any]:
        """All of it as JSON-ready data; `restore` takes it up again."""
        return {
            "version": VERSION,
            "catalog": self._catalog.name,
            "messages": transcript_record(self.session.messages),
            "journal": self.journal.record(),
            "pending": self.pending.record() if self.pending else None,
            "count": self._count,
            "failures": self._failures,
            "last": self._last,
        }

    def restore(self, data: Any) -> None:
        """Take up what `record` gave; nothing is run.

        Raises:
            WorldError, MessageError: it is not such data; the agent is as it was.
        """
        try:
            if data["version"] != VERSION or data["catalog"] != self._catalog.name:
                raise ValueError("it is of another version or catalog")
            messages = read_messages(data["messages"])
            journal = Journal.read(self._world, data["journal"])
            pending = read_pending(data["pending"])
            count, failures, last = int(data["count"]), int(data["failures"]), str(data["last"])
        except (KeyError, TypeError, ValueError) as error:
            raise WorldError(
                f"The saved conversation cannot be read: {error}.", "Begin a new one."
            ) from error
        self.session.reset()
        self.session.messages = messages
        self.journal, self.pending = journal, pending
        self._count, self._failures, self._last = count, failures, last

    def renew(self) -> None:
        """Begin a new conversation; the world stays as it is."""
        self.session.reset()
        self.pending = None
        self._failures, self._last = 0, ""

    def reset_world(self, state: Any = None) -> None:
        """Put the world back to its beginning, or to the given state; there is nothing to undo."""
        begun = Journal.begin(self._world)
        self.journal = begun if state is None else replace(begun, base=state, state=state)
        self.pending, self._last = None, ""

    # What is said to the agent itself.

    def _spoken_to(self, meaning: str | None) -> Reply | None:
        asked = self.pending
        if meaning == phrases.UNDO:  # of an open question it is the question that goes
            return self._answered(asked, "no") if asked else self._undone()
        if meaning == phrases.HELP:
            return self._help()
        if meaning == phrases.PERSON and not self._catalog.policy.handover:
            return self._handed_over()
        if asked is None:
            return None
        if meaning in (phrases.NO, phrases.NEVER_MIND):
            return self._answered(asked, "no")
        if meaning == phrases.YES and asked.kind == "confirm":
            return self._answered(asked, "yes")
        return None

    def _help(self) -> Reply:
        quoted = ", ".join(f"\u201c{example}\u201d" for example in self._catalog.examples[:4])
        text = f"{self._catalog.description} Try {quoted}. \u201cUndo\u201d takes back what I did."
        return Reply("said", text)

    def _undone(self) -> Reply:
        self.pending, self._last = None, ""
        journal, event = self.journal.undo()
        if event is None:
            return Reply("said", "There is nothing to undo.")
        self.journal = journal
        command = self._world.describe(event.call)
        more = (UNDO,) if journal.events else ()
        return Reply("done", f"Undone: {_lowered(command)}.", event.call, command, choices=more)

    def _handed_over(self) -> Reply:
        self.pending, self._failures = None, 0
        data = {"kind": "handover", "transcript": transcript_record(self.session.messages)}
        text = "This is a matter for a person. What was said so far is ready to be handed over."
        return Reply("handover", text, data=data)

    # What the model made of a message.

    def _completed(self, turn: Turn, text: str, asked: Pending | None) -> ToolCall:
        """The call, with what was known already when it answers a question about the same tool."""
        call = turn.call
        if asked is None or asked.kind == "clarify":
            return call
        known = asked.calls[0]
        if call.name == known.name:
            return ToolCall(call.name, {**known.arguments, **call.arguments})
        value = self._direct(asked, text) if asked.kind == "ask" else None
        if value is None:
            return call
        return ToolCall(known.name, {**known.arguments, asked.slot: value})

    def _direct(self, asked: Pending, text: str) -> Any:
        """The value a typed answer is, word for word; None if it is none."""
        plain = text.strip().rstrip(".!").casefold()
        for option in asked.options:
            if plain in (option.label.casefold(), str(option.value).casefold()):
                return option.value
        kind = next(
            slot.type
            for tool in self._catalog.tools
            if tool.name == asked.calls[0].name
            for slot in tool.slots
            if slot.name == asked.slot
        )
        if isinstance(kind, Number):
            try:
                number = float(plain.lstrip("$"))
            except ValueError:
                return None
            value = int(number) if number.is_integer() else number
            return value if fits(value, kind) else None
        return None

    def _sure(self, turn: Turn, call: ToolCall, asked: Pending | None) -> float:
        """How likely the call is right; an answer word for word to a question is."""
        if asked is not None and call.name != turn.call.name:
            return 1.0
        return self._calibration(turn.decisions) if self._calibration else turn.confidence

    def _replaces(self, text: str, call: ToolCall, asked: Pending | None, last: str) -> str:
        """Id of the event that this message corrects, "" if it corrects none."""
        if asked is not None and asked.replaces and asked.calls[0].name == call.name:
            return asked.replaces
        events = self.journal.events
        if not events or events[-1].id != last or not phrases.corrects(text):
            return ""
        done = events[-1].call
        return last if done.name == call.name and done != call else ""

    def _judged(self, call: ToolCall, confidence: float) -> Verdict | Refusal:
        refusal = check(self._catalog, call)
        if refusal:
            return refusal
        return judge(self._catalog.policy, self._world, self.journal.state, call, confidence)

    def _acted(self, verdict: Verdict, call: ToolCall, second: Turn | None, replaces: str) -> Reply:
        if verdict.kind == "execute":
            return self._executed(call, replaces)
        if verdict.kind == "ask":
            return self._ask(verdict, call, replaces)
        calls = (call, second.call) if second and not check(self._catalog, second.call) else (call,)
        if verdict.kind == "clarify" and len(calls) > 1:
            return self._clarify(calls, replaces)
        question = verdict.text or f"{self._world.describe(call)}?"
        return self._confirm(question, call, replaces, verdict.reason)

    def _executed(self, call: ToolCall, replaces: str) -> Reply:
        policy = self._catalog.policy
        journal = self.journal
        if replaces and journal.events and journal.events[-1].id == replaces:
            journal, _ = journal.undo()
        identity = f"e{self._count + 1}"
        done = dispatch(self._catalog, journal, [(identity, call)])
        if done.refusal:
            return self._refused(done.refusal, call)
        outcome = done.results[0]
        assert not isinstance(outcome, Refusal)
        if call.name in policy.unclear:
            return self._failed(Reply("unclear", outcome.text, call))
        self._failures = 0
        changed = done.journal is not journal
        self.journal = done.journal
        self._last = identity if changed else ""
        kind = "handover" if call.name in policy.handover else "done" if changed else "answer"
        text = f"Corrected. {outcome.text}" if replaces else outcome.text
        return Reply(
            kind,
            text,
            call,
            self._world.describe(call),
            choices=(UNDO,) if changed else (),
            changed=outcome.changed,
            data=outcome.data,
            undo=changed,
        )

    def _refused(self, refusal: Refusal, call: ToolCall) -> Reply:
        return self._failed(Reply("refused", refusal.text, call, reason=refusal.reason))

    def _failed(self, reply: Reply) -> Reply:
        """The reply, with a person on offer after so many failures in a row."""
        self._failures += 1
        if self._failures < self._catalog.policy.patience:
            return reply
        return replace(reply, choices=(*reply.choices, HUMAN))

    # Questions.

    def _ask(self, verdict: Verdict, call: ToolCall, replaces: str) -> Reply:
        asked = self._open(Pending("ask", (call,), verdict.slot, verdict.options, replaces))
        choices = [
            asked.choice(f"option{at}", option.label) for at, option in enumerate(verdict.options)
        ]
        return Reply(
            "ask", verdict.text, call, self._world.describe(call), tuple(choices),
            reason=verdict.reason,
        )  # fmt: skip

    def _confirm(self, question: str, call: ToolCall, replaces: str, reason: str) -> Reply:
        asked = self._open(Pending("confirm", (call,), replaces=replaces))
        style = "danger" if reason == "risk" else "primary"
        choices = (asked.choice("yes", "Yes", style), asked.choice("no", "No"))
        command = self._world.describe(call)
        return Reply("confirm", question, call, command, choices, reason=reason)

    def _clarify(self, calls: tuple[ToolCall, ...], replaces: str) -> Reply:
        asked = self._open(Pending("clarify", calls, replaces=replaces))
        choices = [
            asked.choice(f"reading{at}", self._world.describe(call))
            for at, call in enumerate(calls)
        ]
        choices.append(asked.choice("no", "Neither"))
        return Reply(
            "clarify", "Which did you mean?", calls[0], choices=tuple(choices), reason="confidence"
        )

    def _open(self, asked: Pending) -> Pending:
        self.pending = replace(asked, number=self._count + 1)
        return self.pending

    def _answered(self, asked: Pending, what: str) -> Reply:
        """Close a question by one of its choices."""
        self.pending = None
        if what == "no":
            return self._failed(Reply("said", "All right, nothing was done."))
        if what == "yes" and asked.kind == "confirm":
            return self._executed(asked.calls[0], asked.replaces)
        for at, call in enumerate(asked.calls):
            if what == f"reading{at}" and asked.kind == "clarify":
                self.session.replace_last_call(call)
                return self._settled(call, asked.replaces)
        for at, option in enumerate(asked.options):
            if what == f"option{at}":
                return self._filled(asked, option)
        self.pending = asked
        return Reply("said", _NOT_OPEN)

    def _filled(self, asked: Pending, option: Option) -> Reply:
        known = asked.calls[0]
        call = ToolCall(known.name, {**known.arguments, asked.slot: option.value})
        self.session.add(option.label, call)
        return self._settled(call, asked.replaces)

    def _settled(self, call: ToolCall, replaces: str) -> Reply:
        """Go on with a call that the visitor has chosen: only gaps and risks are left."""
        verdict = self._judged(call, 1.0)
        if isinstance(verdict, Refusal):
            return self._refused(verdict, call)
        return self._acted(verdict, call, None, replaces)

    def _given(self, reply: Reply) -> Reply:
        self._count += 1
        return reply


def _lowered(command: str) -> str:
    return command[:1].lower() + command[1:]
