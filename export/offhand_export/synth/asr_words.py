"""What a speech recognizer writes in place of a word it misheard.

Three sources, from the surest to the wildest: a table of confusions written by hand for one domain
(words and phrases with weighted corruptions), a vocabulary of common words searched by sound, and
respelling. Words that decide a label (listed values, numbers) are never put in by the last two, and
the table is checked for listed values when it is read; `asr` keeps what sounds like a number away
from numbers, and says how often anything is misheard.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from offhand_export.errors import ExportError
from offhand_export.synth.values import in_words

NUMBERS = frozenset(
    [in_words(number) for number in (*range(21), *range(30, 100, 10))]
    + ["hundred", "thousand", "million", "grand", "half", "oh", "double", "triple", "point", "k"]
    + ["dozen"]
)
"""Words that are part of a number."""

LISTED = {
    word: family
    for family, words in enumerate(
        (
            "checking chequing current",
            "savings saving",
            "credit",
            "debit",
            "lost",
            "stolen",
            "damaged",
            "fraud fraudulent fraudulently",
            "loan loans lending mortgage mortgages",
            "technical tech",
            "general",
            "month months",
            "year yearly",
            "quarter",
            "cancel cancelled canceled cancelling canceling",
            "replace replaced replacing replacement",
            "activate activated activating activation active activity deactivate deactivated",
            "transfer transfers transferred transferring",
            "statement statements",
            "balance balances",
            "reset",
        )
    )
    for word in words.split()
}
"""Words that decide a label; two words of one family may stand for each other, others never."""

_WORD = re.compile(r"[a-z']+\Z")
_SOUNDS = tuple(
    (re.compile(pattern), with_)
    for pattern, with_ in (
        (r"[^a-z]", ""), (r"ph", "f"), (r"^kn|^gn", "n"), (r"^wr", "r"), (r"gh", ""),
        (r"ck|q", "k"),
        (r"tch|ch|sh|dge?(?=[eiy])|j", "j"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"x", "ks"),
        (r"z", "s"), (r"v", "f"), (r"b", "p"), (r"d", "t"), (r"g", "k"), (r"^[aeiouy]+", "a"),
        (r"(?<!^)[aeiouyhw]+", ""), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_RESPELT = (("c", "k"), ("ea", "ee"), ("ee", "ea"), ("tion", "shun"), ("er", "ur"), ("ph", "f"),
            ("or", "er"), ("ce", "se"), ("ck", "k"), ("ll", "l"), ("ss", "s"), ("tt", "d")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Confusions:
    """One domain's ways to be misheard.

    Attributes:
        table: by word or phrase (lower case, in words), its corruptions and their weights.
        vocabulary: common words, none of which is listed or a number.
        longest: words in the longest phrase of the table.
    """

    table: Mapping[tuple[str, ...], tuple[tuple[str, ...], tuple[float, ...]]]
    vocabulary: tuple[str, ...]
    longest: int

    def written(self, words: tuple[str, ...], rng: random.Random) -> list[str] | None:
        """A corruption from the table, in words; None if it has none for these."""
        found = self.table.get(words)
        return rng.choices(found[0], found[1])[0].split() if found else None

    def guessed(self, word: str, rng: random.Random) -> list[str] | None:
        """A corruption of a word by its sound; None for short words and for none that is safe."""
        if len(word) < 4 or not _WORD.match(word):
            return None
        near = near_in_sound(word, self.vocabulary)
        if near and rng.random() < 0.6 and word not in LISTED:
            return [rng.choice(near)]
        return respelt(word, rng)


@lru_cache(maxsize=4)
def read_confusions(folder: Path) -> Confusions:
    """Read `asr_confusions.tsv` and `asr_vocabulary.tsv` of a domain's material.

    Raises:
        ExportError: a line breaks the notation, or a corruption brings in another word that decides
            a label.
    """
    table: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[float, ...]]] = {}
    path = folder / "asr_confusions.tsv"
    for number, line in _lines(path):
        phrase, tab, written = line.partition("\t")
        pairs = [option.strip().partition("*") for option in written.split("|")]
        if not tab or not all(text for text, _, _ in pairs):
            raise ExportError(f"{path.name}, line {number}: write a word, a tab, and corruptions.")
        for text, _, _ in pairs:
            if not safe(phrase.split(), text.split()):
                raise ExportError(
                    f"{path.name}, line {number}: {text!r} stands for another value than "
                    f"{phrase!r}. Take it out."
                )
        weights = tuple(float(weight or 1) for _, _, weight in pairs)
        table[tuple(phrase.split())] = (tuple(text for text, _, _ in pairs), weights)
    common = {word for _, line in _lines(folder / "asr_vocabulary.tsv") for word in line.split()}
    vocabulary = tuple(sorted(common - NUMBERS - set(LISTED)))
    return Confusions(table, vocabulary, max((len(words) for words in table), default=1))


def _lines(path: Path) -> list[tuple[int, str]]:
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    return [(number, line) for number, line in lines if line.strip() and line[0] != "#"]


def safe(words: Sequence[str], instead: Sequence[str]) -> bool:
    """Whether writing `instead` for `words` brings in no other word that decides a label."""
    families = {LISTED[word] for word in words if word in LISTED}
    return all(LISTED[word] in families for word in instead if word in LISTED)


def sound(word: str) -> str:
    """A rough key of a word's sound: voiced and unvoiced alike, inner vowels left out."""
    key = word.lower()
    for pattern, with_ in _SOUNDS:
        key = pattern.sub(with_, key)
    return key


@lru_cache(maxsize=4096)
def near_in_sound(word: str, vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a vocabulary that sound like `word` and are spelled much like it."""
    key, reach = sound(word), 1 + len(word) // 4
    return tuple(
        other
        for other in vocabulary
        if other != word
        and abs(len(other) - len(word)) <= reach
        and distance(sound(other), key) == 0
        and distance(other, word) <= reach
    )


def respelt(word: str, rng: random.Random) -> list[str] | None:
    """A word cut in two, its final g dropped, a letter lost or spelled by ear.

    None if that gives the word itself, a number or a word that decides a label.
    """
    kind = rng.random()
    if word.endswith("ing") and len(word) > 5 and kind < 0.6:
        out = word[:-1]
    elif kind < 0.3 and len(word) >= 6:
        at = rng.randrange(2, len(word) - 2)
        out = f"{word[:at]} {word[at:]}"
    elif kind < 0.6 and any(old in word[1:] for old, _ in _RESPELT):
        old, new = rng.choice([pair for pair in _RESPELT if pair[0] in word[1:]])
        out = word[0] + word[1:].replace(old, new, 1)
    else:
        vowels = [at for at in range(1, len(word)) if word[at] in "aeiou"]
        if not vowels:
            return None
        at = rng.choice(vowels)
        out = word[:at] + rng.choice([c for c in "aeiou" if c != word[at]] + [""]) + word[at + 1 :]
    parts = out.split()
    known = any(part in NUMBERS or part in LISTED for part in parts)
    return None if known or not parts or parts == [word] else parts


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Insertions, deletions and substitutions between two sequences (letters or words)."""
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, start=1):
        diagonal, row[0] = row[0], at
        for across, right in enumerate(other, start=1):
            best = min(row[across] + 1, row[across - 1] + 1, diagonal + (left != right))
            diagonal, row[across] = row[across], best
    return row[-1]
