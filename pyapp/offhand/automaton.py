"""A catalog's tools as an automaton over canonical tokens.

A call is a sequence of texts between control tokens, and the tokenizer sees each such text whole:
training rendered it so. Where a text is one of finitely many (names, enum values, punctuation), all
of them are tokenized whole and put into a trie, so that the automaton accepts their canonical
tokens and no others. Digits never merge with their neighbours in Gemma's vocabulary (checked when
the automaton is made), so numbers are spelled digit by digit. Free text is any run of text tokens.

`Automaton.start` is the state after `<start_function_call>`; states are built when first asked for.
Choosing among the allowed tokens is `decode`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice

from offhand.dialect import END_CALL, ESCAPE, number_text
from offhand.digits import magnitudes, may_stop, next_characters
from offhand.errors import SchemaError
from offhand.schema import Array, Bare, Choice, Number, Slot, SlotType, Text, Tool
from offhand.tokenizer import Vocabulary

MAX_SPELLINGS = 5_000
"""The most texts that may follow at one place; schemas that need more are refused."""


@dataclass(slots=True)
class State:
    """A place in a call.

    Attributes:
        edges: the control, structure and digit tokens allowed next, and where each leads.
        text: where any text token leads, when free text is allowed; None otherwise.
        label: what a choice here decides: "tool", "slots", or the name of a slot.
        meanings: for each edge, what it stands for, to show to a reader.
        done: whether the call is complete.
        cut: whether free text ends here only because it is at its limit.
    """

    edges: dict[int, Callable[[], State]] = field(default_factory=dict)
    text: Callable[[], State] | None = None
    label: str = ""
    meanings: dict[int, str] = field(default_factory=dict)
    done: bool = False
    cut: bool = False

    def next(self, token: int) -> State | None:
        """The state after `token`; None when it is not one of the edges."""
        edge = self.edges.get(token)
        return edge() if edge else None

    @property
    def forced(self) -> int | None:
        """The only token allowed here, or None when there is a choice."""
        return next(iter(self.edges)) if len(self.edges) == 1 and self.text is None else None


@dataclass(frozen=True, slots=True)
class Spelling:
    """One text that may stand at a place, what it decides, and the state that follows it."""

    text: str
    tool: str
    meaning: str
    then: Callable[[], State]


Continuation = Callable[[], Iterator[Spelling]]
Row = tuple[tuple[int, ...], Spelling]


class Automaton:
    """All calls that the tools allow.

    Args:
        tools: the catalog's tools.
        vocabulary: the model's tokenizer and control tokens.
        text_limit: the most tokens of one free text; it is closed there.

    Raises:
        SchemaError: a name or enum value spells a control token, the schema allows too many
            spellings at one place, or the tokenizer merges digits.
    """

    def __init__(
        self, tools: Sequence[Tool], vocabulary: Vocabulary, text_limit: int = 128
    ) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.vocabulary = vocabulary
        self.text_limit = text_limit
        self._escape = vocabulary.control[ESCAPE]
        self._end = vocabulary.control[END_CALL]
        self._digits = {character: self._digit(character) for character in "0123456789."}
        self.start = lru_cache(1)(lambda: self._trie(self._heads()))
        self._check()

    def accepts(self, ids: Sequence[int]) -> bool:
        """Whether the ids, from after `<start_function_call>` on, spell exactly one whole call."""
        state = self.start()
        for token in ids:
            following = state.next(token)
            if following is None and state.text and token not in self.vocabulary.control_ids:
                following = state.text()
            if following is None:
                return False
            state = following
        return state.done

    def _digit(self, character: str) -> int:
        """The token of a digit or the point, after checking that it stands alone in numbers."""
        encode = self.vocabulary.encode
        around = ("1", "2") if character == "." else (":", "}")
        (token, *more) = encode(character)
        apart = (*encode(around[0]), token, *encode(around[1]))
        if more or encode(f"{around[0]}{character}{around[1]}") != apart:
            raise SchemaError(
                f"The tokenizer does not keep {character!r} apart from its neighbours.",
                "Use a Gemma 3 tokenizer.",
            )
        return token

    def _check(self) -> None:
        """Refuse now what would fail at some state later."""
        for tool in self.tools.values():
            values = [value for slot in tool.slots for value in _strings(slot.type)]
            for text in (tool.name, *(slot.name for slot in tool.slots), *values):
                if names := self.vocabulary.names_in(text):
                    raise SchemaError(
                        f"The tool {tool.name!r} spells the control token {names[0]!r}.",
                        "Rename the tool, the parameter or the enum value.",
                    )
            for position in range(len(tool.slots) + 1):
                places = self._rest(tool, position, first=False)
                if next(islice(places, MAX_SPELLINGS, None), None):
                    raise SchemaError(
                        f"The tool {tool.name!r} can be written in over {MAX_SPELLINGS} ways.",
                        "Make some parameters required, or set a smaller maxItems.",
                    )

    # What may be written where: each of these yields the texts up to the next control token or
    # digit. They recurse through what follows, so a text is always known whole.

    def _heads(self) -> Iterator[Spelling]:
        for tool in self.tools.values():
            for rest in self._rest(tool, 0, first=True):
                text = f"call:{tool.name}{{{rest.text}"
                yield Spelling(text, tool.name, rest.meaning, rest.then)

    def _rest(self, tool: Tool, position: int, first: bool) -> Iterator[Spelling]:
        """The slots from `position` on, each of which may come next, or the end of the call."""
        for index in range(position, len(tool.slots)):
            slot = tool.slots[index]

            def after(index: int = index) -> Iterator[Spelling]:
                return self._rest(tool, index + 1, first=False)

            for value in self._value(slot, slot.type, after):
                text = f"{'' if first else ','}{slot.name}:{value.text}"
                yield Spelling(text, tool.name, f"{slot.name} {value.meaning}".strip(), value.then)
            if slot.required:
                return
        yield Spelling("}", tool.name, "end", self._ended)

    def _value(self, slot: Slot, kind: SlotType, after: Continuation) -> Iterator[Spelling]:
        if isinstance(kind, (Text, Choice)):
            yield Spelling("", "", "", lru_cache(1)(lambda: self._quoted(slot, kind, after)))
        elif isinstance(kind, Bare):
            for value in kind.values:
                word = str(value).lower() if isinstance(value, bool) else number_text(value)
                for rest in after():
                    yield Spelling(word + rest.text, rest.tool, word, rest.then)
        elif isinstance(kind, Number):
            for sign in ("", "-"):
                if bounds := magnitudes(kind, negative=sign == "-"):
                    yield Spelling(
                        sign, "", sign, self._number(slot, "", bounds, kind.decimals, after)
                    )
        else:
            yield from self._array(slot, kind, after)

    def _array(self, slot: Slot, kind: Array, after: Continuation) -> Iterator[Spelling]:
        def items(count: int) -> Iterator[Spelling]:
            """What may follow `count` items: one more, or the end of the array."""
            if count < kind.high:
                comma = "," if count else ""
                for item in self._value(slot, kind.item, lambda: items(count + 1)):
                    yield Spelling(comma + item.text, item.tool, item.meaning, item.then)
            if count >= kind.low:
                for rest in after():
                    yield Spelling(f"]{rest.text}", rest.tool, "]", rest.then)

        for item in items(0):
            yield Spelling(f"[{item.text}", item.tool, item.meaning, item.then)

    # States.

    def _ended(self) -> State:
        return State(edges={self._end: lambda: State(done=True)})

    def _quoted(self, slot: Slot, kind: Text | Choice, after: Continuation) -> State:
        """The opening `<escape>`, a value, the closing one, and what follows."""
        follow = lru_cache(1)(lambda: self._trie(after()))
        if isinstance(kind, Choice):

            def closing() -> State:
                return State(edges={self._escape: follow})

            values = [Spelling(value, "", value, closing) for value in kind.values]
            inside = lru_cache(1)(lambda: self._trie(iter(values), slot.name))
        else:
            inside = lru_cache(1)(lambda: self._free(slot, 0, follow))
        return State(edges={self._escape: inside})

    def _free(self, slot: Slot, length: int, follow: Callable[[], State]) -> State:
        more = lru_cache(1)(lambda: self._free(slot, length + 1, follow))
        state = State(edges={self._escape: follow}, label=slot.name)
        state.meanings = {self._escape: "end of text"}
        state.text = more if length < self.text_limit else None
        state.cut = state.text is None
        return state

    def _number(
        self, slot: Slot, text: str, bounds: tuple[int, int], decimals: int, after: Continuation
    ) -> Callable[[], State]:
        @lru_cache(1)
        def state() -> State:
            stop = may_stop(text, *bounds, decimals)
            here = self._trie(after(), slot.name) if stop else State(label=slot.name)
            for character in next_characters(text, *bounds, decimals):
                token = self._digits[character]
                here.edges[token] = self._number(slot, text + character, bounds, decimals, after)
                here.meanings[token] = text + character
            return here

        return state

    def _trie(self, spellings: Iterator[Spelling], label: str = "") -> State:
        """A state that accepts the canonical tokens of each text, then what follows that text."""
        rows = [(self.vocabulary.encode(spelling.text), spelling) for spelling in spellings]
        return _branch(rows, 0, label)


def _branch(rows: Sequence[Row], depth: int, label: str) -> State:
    """The state after `depth` tokens that all these texts share."""
    ended = [spelling for ids, spelling in rows if len(ids) == depth]
    if len(rows) == 1 and ended:
        return ended[0].then()
    tools = {spelling.tool for _, spelling in rows}
    state = State(label=label or ("tool" if len(tools) > 1 else "slots"))
    groups: dict[int, list[Row]] = {}
    for row in rows:
        if len(row[0]) > depth:
            groups.setdefault(row[0][depth], []).append(row)
    for token, group in groups.items():
        state.edges[token] = lru_cache(1)(partial(_branch, group, depth + 1, label))
        state.meanings[token] = _meaning(group, tools=state.label == "tool")
    for spelling in ended:
        # A text ends here: what may follow it is allowed beside the longer texts.
        following = spelling.then()
        if following.text or following.edges.keys() & state.edges.keys():
            raise AssertionError("two spellings of a call share their tokens")
        state.edges.update(following.edges)
        for token in following.edges:
            state.meanings[token] = following.meanings.get(token, spelling.meaning)
    return state


def _meaning(rows: Sequence[Row], tools: bool) -> str:
    """What the texts behind one token stand for, shortened for a reader."""
    names = dict.fromkeys(spelling.tool if tools else spelling.meaning for _, spelling in rows)
    return " / ".join(list(names)[:3]) + (" …" if len(names) > 3 else "")


def _strings(kind: SlotType) -> tuple[str, ...]:
    if isinstance(kind, Array):
        return _strings(kind.item)
    return kind.values if isinstance(kind, Choice) else ()
