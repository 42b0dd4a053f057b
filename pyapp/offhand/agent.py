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
from functools import partial
from typing import Any

from offhand import phrases
from offhand.calibration import Calibration
from offhand.dialect import ToolCall
from offhand.dispatch import Refusal, check, contained, dispatch
from offhand.engine import Run, Scores
from offhand.journal import Event, Journal
from offhand.policy import Verdict, can_be_done, is_idle, judge
from offhand.reply import Choice, Pending, Reply
from offhand.saved import Saved, read_saved, write_saved
from offhand.session import Session, Turn, check_message
from offhand.transcript import transcript_record
from offhand.typed import as_said, filled, word_for_word
from offhand.world import World

HUMAN = Choice("human", "Hand over to a person")
_NOT_OPEN = "That question is no longer open."
_UNDONE = "That is undone already, or something else was done since."


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
        self._last = ""  # id of the event that the next message may correct

    def say(self, text: str) -> Generator[Run, Scores, Reply]:
        """Answer a message.

        Raises:
            MessageError: the message is empty, too long, or not text; nothing has changed.
        """
        text = check_message(text)
        if reply := self._spoken_to(phrases.meaning(text)):
            return self._given(reply)
        asked = self.pending
        turn = yield from self.session.read(text)
        call, sure = self._understood(turn, text, asked)
        replaces = self._replaces(text, call, asked)
        verdict = self._judged(call, sure, replaces)
        calls: tuple[ToolCall, ...] = (call,)
        if isinstance(verdict, Verdict) and verdict.kind == "clarify":
            second = yield from self.session.second(turn)
            calls = self._readings(call, second, asked, replaces)
        # Nothing is waited for from here on, so all of it happens or nothing.
        self.session.take(turn, turn.call if isinstance(verdict, Refusal) else calls[0])
        self.pending = None
        if not (replaces or phrases.corrects(text)):
            self._last = ""  # only what was done just before can be corrected
        return self._given(self._acted(verdict, calls, replaces)).of(turn, sure)

    def choose(self, choice: str) -> Reply:
        """Answer a click on one of a reply's choices; no model is run."""
        if choice == HUMAN.id:
            return self._given(self._to_person())
        number, _, what = choice.partition("/")
        if number == "undo":
            events = self.journal.events
            if not events or events[-1].id != what:
                return Reply("said", _UNDONE)
            return self._given(self._undone())
        asked = self.pending
        if asked is None or number != str(asked.number):
            return Reply("said", _NOT_OPEN)
        return self._given(self._answered(asked, what))

    def record(self) -> dict[str, Any]:
        """All of it as JSON-ready data; `restore` takes it up again."""
        saved = Saved(
            self.session.messages,
            self.journal,
            self.pending,
            self._count,
            self._failures,
            self._last,
        )
        return write_saved(saved, self._catalog)

    def restore(self, data: Any) -> None:
        """Take up what `record` gave; nothing is run.

        Raises:
            WorldError, MessageError: it is not such data; the agent is as it was.
        """
        saved = read_saved(data, self._catalog, self._world)
        self.session.reset()
        self.session.messages = tuple(saved.messages)
        self.journal, self.pending = saved.journal, saved.pending
        self._count, self._failures, self._last = saved.count, saved.failures, saved.last

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
            return self._idle(meaning)
        if meaning in (phrases.NO, phrases.NEVER_MIND):
            return self._answered(asked, "no")
        if meaning == phrases.YES and asked.kind == "confirm":
            return self._answered(asked, "yes")
        return None

    def _idle(self, meaning: str | None) -> Reply | None:
        """What to say of a yes or no that no question was asked for."""
        if meaning == phrases.NEVER_MIND:
            return Reply("said", "All right.")
        # A model that has no way to say that it does not understand would have to do something.
        if meaning in (phrases.YES, phrases.NO) and not self._catalog.policy.unclear:
            return Reply("said", "There is no open question. What would you like to be done?")
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
        command = self._world.describe(event.call)
        changed = self._world.apply(journal.state, event.call).changed  # and now back again
        self.journal = journal
        text, more = f"Undone: {_lowered(command)}.", _undo_of(journal.events)
        return Reply("done", text, event.call, command, choices=more, changed=changed)

    def _to_person(self) -> Reply:
        """As by words: through the catalog's own tool for it, where it has one."""
        tools = sorted(self._catalog.policy.handover)
        if not tools:
            return self._handed_over()
        call = ToolCall(tools[0])
        self.session.add(HUMAN.label, call)
        self.pending = None
        return self._settled(call, "")

    def _handed_over(self) -> Reply:
        self.pending, self._failures = None, 0
        data = {"kind": "handover", "transcript": transcript_record(self.session.messages)}
        ready = " What was said so far is ready to be handed over." * bool(self.session.messages)
        return Reply("handover", f"This is a matter for a person.{ready}", data=data)

    # What the model made of a message.

    def _understood(self, turn: Turn, text: str, asked: Pending | None) -> tuple[ToolCall, float]:
        """The call that is meant and how likely it is; an answer word for word is certain."""
        if asked and asked.kind == "ask":
            value = word_for_word(self._catalog.tools, asked, text)
            if value is not None:
                return filled(asked, value), 1.0
        sure = self._calibration(turn.decisions) if self._calibration else turn.confidence
        call = as_said(self._catalog.tools, turn.call, text)
        return self._completed(call, asked), sure

    def _completed(self, call: ToolCall, asked: Pending | None) -> ToolCall:
        """The call, with what was known already when it answers a question about the same tool."""
        if asked is None or asked.kind == "clarify" or call.name != asked.calls[0].name:
            return call
        # A whole call instead of a yes is another wish: "turn everything off".
        if asked.kind == "confirm" and not self._world.missing(self.journal.state, call):
            return call
        return ToolCall(call.name, {**asked.calls[0].arguments, **call.arguments})

    def _readings(
        self, call: ToolCall, second: Turn | None, asked: Pending | None, replaces: str
    ) -> tuple[ToolCall, ...]:
        """What the message may mean, likeliest first: one call or two."""
        other = self._completed(second.call, asked) if second else call
        if _says_less(other, call) or _says_less(call, other) or check(self._catalog, other):
            return (call,)
        state, world = self.journal.without(replaces).state, self._world
        possible = (
            one
            for one in (call, other)
            if contained(one.name, partial(can_be_done, world, state, one)) is True
        )
        return tuple(possible) or (call,)

    def _replaces(self, text: str, call: ToolCall, asked: Pending | None) -> str:
        """Id of the event that this message corrects, "" if it corrects none."""
        if asked is not None and asked.replaces and asked.calls[0].name == call.name:
            return asked.replaces
        events = self.journal.events
        if not events or events[-1].id != self._last or not phrases.corrects(text):
            return ""
        done = events[-1].call
        return self._last if done.name == call.name and done != call else ""

    def _judged(self, call: ToolCall, confidence: float, replaces: str) -> Verdict | Refusal:
        if refusal := check(self._catalog, call):
            return refusal
        policy, state = self._catalog.policy, self.journal.without(replaces).state
        return contained(call.name, lambda: judge(policy, self._world, state, call, confidence))

    def _acted(
        self, verdict: Verdict | Refusal, calls: tuple[ToolCall, ...], replaces: str
    ) -> Reply:
        call = calls[0]
        if isinstance(verdict, Refusal):
            return self._refused(verdict, call)
        if verdict.kind == "execute":
            return self._executed(call, replaces)
        if verdict.kind == "ask":
            return self._ask(verdict, call, replaces)
        if verdict.kind == "confirm":
            return self._confirm(verdict.text, call, replaces, verdict.reason)
        if len(calls) > 1:
            return self._clarify(calls, replaces)
        # The only reading there is: what is missing and what is risky comes before doubt.
        settled = self._judged(call, 1.0, replaces)
        if isinstance(settled, Refusal) or settled.kind != "execute":
            return self._acted(settled, calls, replaces)
        policy, state = self._catalog.policy, self.journal.without(replaces).state
        if contained(call.name, partial(is_idle, policy, self._world, state, call)) is not False:
            return self._executed(call, replaces)
        return self._confirm(f"{self._world.describe(call)}?", call, replaces, verdict.reason)

    def _executed(self, call: ToolCall, replaces: str) -> Reply:
        policy = self._catalog.policy
        journal = self.journal.without(replaces)
        corrected = journal is not self.journal
        command = self._world.describe(call)
        identity = f"e{self._count + 1}"
        done = dispatch(self._catalog, journal, [(identity, call)])
        if done.refusal:
            return self._refused(done.refusal, call)
        outcome = done.results[0]
        assert not isinstance(outcome, Refusal)
        if call.name in policy.unclear:
            return self._failed(Reply("unclear", outcome.text, call))
        self._failures = 0
        made = done.journal.events[-1:] if done.journal is not journal else ()
        changed = corrected or bool(made)
        self.journal = done.journal
        self._last = identity if made else ""
        kind = "handover" if call.name in policy.handover else "done" if changed else "answer"
        return Reply(
            kind,
            f"Corrected. {outcome.text}" if corrected else outcome.text,
            call,
            command,
            choices=_undo_of(made),
            changed=outcome.changed,
            data=outcome.data,
            undo=bool(made),
        )

    def _refused(self, refusal: Refusal, call: ToolCall) -> Reply:
        reply = Reply("refused", refusal.text, call, reason=refusal.reason, data=refusal.data)
        return self._failed(reply)

    def _failed(self, reply: Reply) -> Reply:
        """The reply, with a person on offer after so many failures in a row."""
        self._failures += 1
        if self._failures < self._catalog.policy.patience:
            return reply
        return replace(reply, choices=(*reply.choices, HUMAN))

    # Questions.

    def _ask(self, verdict: Verdict, call: ToolCall, replaces: str) -> Reply:
        command = self._world.describe(call)
        asked = self._open(Pending("ask", (call,), verdict.slot, verdict.options, replaces))
        choices = tuple(
            asked.choice(f"option{at}", option.label) for at, option in enumerate(verdict.options)
        )
        return Reply("ask", verdict.text, call, command, choices, reason=verdict.reason)

    def _confirm(self, question: str, call: ToolCall, replaces: str, reason: str) -> Reply:
        command = self._world.describe(call)
        asked = self._open(Pending("confirm", (call,), replaces=replaces))
        style = "danger" if reason == "risk" else "primary"
        if replaces:  # or it would read as one more
            question = f"Instead of that: {question}"
        choices = (asked.choice("yes", "Yes", style), asked.choice("no", "No"))
        return Reply("confirm", question, call, command, choices, reason=reason)

    def _clarify(self, calls: tuple[ToolCall, ...], replaces: str) -> Reply:
        commands = [self._world.describe(call) for call in calls]
        asked = self._open(Pending("clarify", calls, replaces=replaces))
        choices = [asked.choice(f"reading{at}", command) for at, command in enumerate(commands)]
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
            stays = "it stays as it was" if asked.replaces else "nothing was done"
            reply = Reply("said", f"All right, {stays}.")
            return reply if self._is_risk(asked) else self._failed(reply)
        if what == "yes" and asked.kind == "confirm":
            return self._executed(asked.calls[0], asked.replaces)
        for at, call in enumerate(asked.calls):
            if what == f"reading{at}" and asked.kind == "clarify":
                self.session.replace_last_call(call)
                same = call.name == asked.calls[0].name
                return self._settled(call, asked.replaces if same else "")
        for at, option in enumerate(asked.options):
            if what == f"option{at}":
                call = filled(asked, option.value)
                self.session.add(option.label, call)
                return self._settled(call, asked.replaces)
        self.pending = asked
        return Reply("said", _NOT_OPEN)

    def _is_risk(self, asked: Pending) -> bool:
        """Whether a question would have been put to any visitor, however well understood."""
        if asked.kind != "confirm":
            return False
        verdict = self._judged(asked.calls[0], 1.0, asked.replaces)
        return isinstance(verdict, Verdict) and verdict.kind == "confirm"

    def _settled(self, call: ToolCall, replaces: str) -> Reply:
        """Go on with a call that the visitor has chosen: only gaps and risks are left."""
        return self._acted(self._judged(call, 1.0, replaces), (call,), replaces)

    def _given(self, reply: Reply) -> Reply:
        self._count += 1
        return reply


def _undo_of(events: tuple[Event, ...]) -> tuple[Choice, ...]:
    """What to click to undo the last of these; a second click on it does nothing more."""
    return tuple(Choice(f"undo/{event.id}", "Undo") for event in events[-1:])


def _says_less(one: ToolCall, other: ToolCall) -> bool:
    """Whether a call is another one with some, or none, of its arguments left out."""
    return one.name == other.name and one.arguments.items() <= other.arguments.items()


def _lowered(command: str) -> str:
    return command[:1].lower() + command[1:]
