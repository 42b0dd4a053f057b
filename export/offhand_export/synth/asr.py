"""A speech recognizer between the simulated user and the transcript.

A voice (see `simulate.Voice`) is drawn once a conversation: the text may arrive as it was typed,
mildly misheard or badly misheard. Misheard text loses punctuation and gains fillers, false starts,
dropped g's, split and merged words, homophones and near-homophones; a word may be misheard
differently each time. Values that a label copies stay as they are, numbers too (but they may be
spelled out), and no word that decides a label becomes another one. `corrupt` does the same to any
plain text at a given word error rate. What stands for what is in `asr_words`; acoustics are not
modelled.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offhand_export.synth.asr_words import NUMBERS, Confusions, distance, read_confusions
from offhand_export.synth.grammar import Span
from offhand_export.synth.noise import writers
from offhand_export.synth.values import in_words

BANKING = Path(__file__).parents[1] / "material" / "banking"

COPIED, AMOUNT, CODE, ACCOUNT = "copied", "amount", "code", "account"
"""Roles of words: left alone, part of an amount, part of a digit string, naming an account."""
FILLER = "filler"
"""Role of sounds that are no word of the message; what was said twice has the role of its word."""

_SIGNS = ".,?!;:'\"`\u2018\u2019\u201c\u201d"
"""Punctuation and quotes, which may stand around a word of a value."""
_CLAUSE = re.compile(r"(.*?)([,.?!;:]*)\Z", re.DOTALL)
_BILLS = frozenset(
    ("rent", "electric", "electricity", "water", "gas", "phone", "internet", "cable", "landlord")
)
"""Payees that material also names in plain words, where nothing else would spare them."""
_FILLERS = ("uh", "um", "er", "uhm", "ah", "like", "you know", "well", "so", "uh um")
_COMMON = (30, 30, 8, 5, 4, 7, 6, 3, 4, 2)
_TALKATIVE = frozenset(("like", "you know", "well", "so"))
_DROPPED = frozenset(("the", "a", "an", "my", "please", "just", "is", "of", "i"))
_KEPT_ONCE = frozenset(("no", "not", "never", "yes"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a message: its letters, the punctuation after them, and its role ("" if free)."""

    text: str
    tail: str = ""
    role: str = ""

    @property
    def low(self) -> str:
        """The letters in lower case."""
        return self.text.lower()

    @property
    def number(self) -> bool:
        """Whether the word is a number or part of one."""
        return bool(re.search(r"\d", self.text)) or self.low in NUMBERS

    @property
    def free(self) -> bool:
        """Whether the word may be misheard."""
        return self.role in ("", ACCOUNT) and not self.number


@dataclass(frozen=True, slots=True)
class Recognizer:
    """One telephone call's way of being misheard.

    Attributes:
        confusions: what stands for what.
        copied: slots to leave alone.
        rate: chance that a word of some length is misheard; short words are so less often.
        filler: chance of a filler, tried three times a message.
        restart: chance of a false start in a message.
        dropped: chance that a weak word is lost.
        spelled: chance that digits are written as words.
        stops: whether punctuation survives.
        capital: whether messages begin with a capital.
    """

    confusions: Confusions
    copied: Collection[str]
    rate: float
    filler: float
    restart: float
    dropped: float
    spelled: float
    stops: bool
    capital: bool

    def __call__(self, spans: Sequence[Span], rng: random.Random) -> str:
        """The message as the recognizer writes it."""
        words = _spelled(split(spans, self.copied), self.spelled, rng)
        if rng.random() < self.restart:
            words = false_start(words, rng)
        for _ in range(3):
            if rng.random() < self.filler:
                words = filled(words, rng)
        return self._written(self._misheard(words, rng))

    def _misheard(self, words: Sequence[Word], rng: random.Random) -> list[Word]:
        out: list[Word] = []
        at = 0
        while at < len(words):
            word = words[at]
            length = 1
            heard: list[Word] | None = None
            chance = self.rate * (1.0 if len(word.text) > 3 or word.low == "pin" else 0.28)
            if word.low == "to" and word.free and _to_payee(words, at) and rng.random() < 0.05:
                heard = [Word("two", "", COPIED)]
            elif word.free and rng.random() < chance:
                length, heard = misheard(words, at, self.confusions, rng)
            elif word.free and word.low in _DROPPED and rng.random() < self.dropped:
                heard = [] if len(words) > 2 else None
            out += words[at : at + length] if heard is None else heard
            at += length
        return out or list(words)

    def _written(self, words: Sequence[Word]) -> str:
        text = ""
        for word in words:
            body = word.text if word.role == COPIED else word.low
            body = re.sub(r"^i\b", "I", body) if self.capital and word.role != COPIED else body
            text += f" {body}{word.tail if self.stops else ''}"
        text = text.strip()
        first = words[0].role != COPIED
        return text[:1].upper() + text[1:] if self.capital and first else text


def recognizers(
    copied: Collection[str], folder: Path = BANKING
) -> Callable[[random.Random], Callable[[Sequence[Span], random.Random], str]]:
    """A voice that draws callers: 40% as typed, 35% mildly and 25% badly misheard.

    Args:
        copied: slots that labels copy.
        folder: the material whose confusions are used.

    Raises:
        ExportError: on a draw, if the table of confusions is faulty.
    """
    typed = writers(copied)

    def draw(rng: random.Random) -> Callable[[Sequence[Span], random.Random], str]:
        level = rng.random()
        if level < 0.4:
            return replace(typed(rng), slips=0.0)
        confusions = read_confusions(folder)
        capital = rng.random() < 0.35
        stops = rng.random() < (0.25 if capital else 0.08)
        if level < 0.75:
            return Recognizer(
                confusions, copied, rng.uniform(0.04, 0.15), rng.uniform(0.04, 0.14),
                0.06, 0.01, 0.15, stops, capital,
            )  # fmt: skip
        return Recognizer(
            confusions, copied, rng.uniform(0.2, 0.36), rng.uniform(0.1, 0.3),
            0.18, 0.04, 0.3, stops, capital,
        )  # fmt: skip

    return draw


def split(spans: Sequence[Span], copied: Collection[str]) -> list[Word]:
    """The words of a message with their roles; a word belongs to the slot of its first letter."""
    text = "".join(span.text for span in spans)
    kinds = [span.slot.partition(":")[2] for span in spans for _ in span.text]
    words = []
    for found in re.finditer(r"\S+", text):
        kind = kinds[found.start()]
        if kind in copied:
            end = found.end()
            while end > found.start() and kinds[end - 1] not in copied:
                end -= 1
            words.append(Word(text[found.start() : end], text[end : found.end()], COPIED))
            continue
        body, tail = _CLAUSE.fullmatch(found[0]).groups()  # type: ignore[union-attr]
        if not body:
            continue
        role = {"digits": CODE, "amount": AMOUNT, "account": ACCOUNT, "own": ACCOUNT}.get(kind, "")
        bill = body.lower().removesuffix("'s") in _BILLS
        words.append(Word(body, tail, COPIED if bill else role))
    return _numbers(words)


def _numbers(words: Sequence[Word]) -> list[Word]:
    """Spare "a" and "and" inside a number; free "dollars" at its end, but not before cents."""
    out = list(words)
    for at, word in enumerate(words):
        before = words[at - 1].low if at else ""
        beside = at + 1 < len(words) and words[at + 1].number
        if word.low in ("a", "and") and beside and not word.role:
            out[at] = replace(word, role=AMOUNT)
        if word.low == "and" and before in ("dollars", "bucks"):
            out[at] = replace(word, role=AMOUNT)
        money = word.role == AMOUNT and word.low in ("dollars", "bucks")
        if money and (at + 1 == len(words) or words[at + 1].role != AMOUNT):
            out[at] = replace(word, role="")
    return out


def _to_payee(words: Sequence[Word], at: int) -> bool:
    """Whether "to" stands between a sum and who or what gets it."""
    if not 0 < at < len(words) - 1:
        return False
    sum_said = words[at - 1].role == AMOUNT or words[at - 1].low in ("dollars", "bucks")
    return sum_said and words[at + 1].role in (COPIED, ACCOUNT) and not words[at + 1].number


def _spelled(words: Sequence[Word], chance: float, rng: random.Random) -> list[Word]:
    """Digits as a recognizer may spell them: card numbers one by one, sums as one number."""
    dollars, spell = rng.random() < 3 * chance, rng.random() < chance
    out: list[Word] = []
    for at, word in enumerate(words):
        body, counted = word.text, words[at + 1 : at + 2]
        if counted and counted[0].low == "one":
            out.append(word)  # "the 4532 one" would gain a digit
        elif word.role == AMOUNT and body.startswith("$") and dollars:
            whole = body[1:].replace(",", "")
            out += [Word(whole, "", AMOUNT), Word("dollars", word.tail)]
        elif word.role in (CODE, AMOUNT) and body.isdecimal() and spell:
            digits = [in_words(int(digit)) for digit in body]
            said = " ".join(digits) if word.role == CODE else in_words(int(body))
            parts = said.split()
            out += [Word(part, "", word.role) for part in parts[:-1]]
            out.append(Word(parts[-1], word.tail, word.role))
        else:
            out.append(word)
    return out


def misheard(
    words: Sequence[Word], at: int, confusions: Confusions, rng: random.Random
) -> tuple[int, list[Word] | None]:
    """What is heard in place of the words from `at` on: how many words go, and others or None."""
    for length in range(min(confusions.longest, len(words) - at), 0, -1):
        run = words[at : at + length]
        if any(word.tail for word in run[:-1]) or (length > 1 and rng.random() < 0.4):
            continue
        key = tuple(word.low for word in run)
        if not all(word.free or _counts(words, at + k) for k, word in enumerate(run)):
            continue
        heard = confusions.written(key, rng)
        if heard is None and length == 1 and rng.random() < 0.5:
            heard = confusions.guessed(key[0], rng)
        if heard and _clear(words, at, length, heard):
            parts = [Word(part, "", run[0].role) for part in heard]
            return length, [*parts[:-1], replace(parts[-1], tail=run[-1].tail)]
    return 1, None


def _counts(words: Sequence[Word], at: int) -> bool:
    """Whether a number word counts digits ("last four") and is no value."""
    return words[at].low == "four" and at > 0 and words[at - 1].low in ("last", "final")


def _clear(words: Sequence[Word], at: int, length: int, heard: Sequence[str]) -> bool:
    """Whether numbers beside a corruption stay what they are."""
    before = at > 0 and words[at - 1].number
    after = at + length < len(words) and words[at + length].number
    old = {word.low for word in words[at : at + length]}
    number = any(part in NUMBERS and part not in old for part in heard)
    return not (number and (before or after))


def false_start(words: Sequence[Word], rng: random.Random) -> list[Word]:
    """One word begun and broken off, or the first words said twice."""
    out = list(words)
    if rng.random() < 0.5:
        open_ = [at for at, word in enumerate(words) if word.free and len(word.text) > 4]
        if open_:
            at = rng.choice(open_)
            cut = words[at].text[: rng.randint(1, 3)]
            out.insert(
                at,
                Word(cut + rng.choice(("-", "-", "")) if len(cut) > 1 else f"{cut}-", "", FILLER),
            )
        return out
    length = rng.randint(1, min(3, len(words)))
    first = out[:length]
    if all(word.free and word.low not in _KEPT_ONCE for word in first):
        return [replace(word, tail="") for word in first] + out
    return out


def filled(words: Sequence[Word], rng: random.Random) -> list[Word]:
    """The words with one filler, not within a value; often before the first."""
    spots = [at for at in range(1, len(words)) if words[at - 1].free or words[at].free]
    at = rng.choice(spots) if spots and rng.random() < 0.6 else 0
    filler = rng.choices(_FILLERS, _COMMON)[0]
    if not words[at].free and filler in _TALKATIVE:
        filler = "uh"
    said = [Word(part, "", FILLER) for part in filler.split()]
    return [*words[:at], *said, *words[at:]]


def corrupt(
    text: str, wer: float, rng: random.Random, keep: Collection[str] = (), folder: Path = BANKING
) -> str:
    """Mishear a text until about `wer` of its words are wrong.

    Errors are counted as a word error rate is: insertions, deletions and substitutions over the
    words of `text`, letter case apart. Numbers, capitalised names and the words in `keep` stay.
    The number of errors is rounded at random, so that many short texts come to `wer` together.

    Args:
        text: one message, without line breaks.
        wer: errors a word, 0 to 0.5.
        rng: draws everything.
        keep: values that a label copies; each of their words is spared.
        folder: the material whose confusions are used.

    Raises:
        ValueError: `wer` is outside 0 to 0.5.
    """
    if not 0 <= wer <= 0.5:
        raise ValueError(f"a word error rate of {wer} is outside 0 to 0.5")
    confusions = read_confusions(folder)
    spared = {part.lower().strip(_SIGNS) for value in keep for part in value.split()}
    words = _roles(text, spared, confusions)
    left = int(wer * len(words) + rng.random())
    if not left or not words:
        return text
    chunks = [[word] for word in words]
    for _ in range(40 * len(words)):
        if left <= 0:
            break
        left -= _one_error(words, chunks, left, confusions, rng)
    return " ".join(word.text + word.tail for chunk in chunks for word in chunk)


def _one_error(
    words: Sequence[Word],
    chunks: list[list[Word]],
    left: int,
    confusions: Confusions,
    rng: random.Random,
) -> int:
    """Try one more error in a word not yet touched; returns how many errors that made."""
    at = rng.randrange(len(words))
    word, kind = words[at], rng.random()
    if chunks[at] != [word]:
        return 0
    if kind < 0.15 and (word.free or at == 0 or words[at - 1].free):
        filler = Word(rng.choice(("uh", "um", "er")))
        chunks[at] = [filler, word]
        return 1
    if not word.free:
        return 0
    if kind < 0.22:
        if word.low not in _DROPPED or len(words) < 3 or word.tail:
            return 0
        chunks[at] = []
        return 1
    length, heard = misheard(words, at, confusions, rng)
    untouched = all(chunks[k] == [words[k]] for k in range(at, at + length))
    if heard is None or not untouched:
        return 0
    old = [one.low for one in words[at : at + length]]
    cost = distance(old, [one.low for one in heard])
    if cost == 0 or cost > left:
        return 0
    if word.text[:1].isupper():
        heard[0] = replace(heard[0], text=heard[0].text[:1].upper() + heard[0].text[1:])
    chunks[at : at + length] = [heard] + [[] for _ in range(length - 1)]
    return cost


def _roles(text: str, keep: Collection[str], confusions: Confusions) -> list[Word]:
    words = []
    for at, piece in enumerate(text.split()):
        body, tail = _CLAUSE.fullmatch(piece).groups()  # type: ignore[union-attr]
        known = (body.lower(),) in confusions.table
        name = body[:1].isupper() and not known if at == 0 else body[:1].isupper()
        name = name and body not in ("I", "I'm", "I'd", "I've", "I'll", "PIN")
        spared = name or body.lower().strip(_SIGNS) in keep or not body
        words.append(Word(body, tail, COPIED if spared else ""))
    return _numbers(words)
