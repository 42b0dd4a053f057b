"""What keeps training data honest and varied: no test utterance, no duplicate, no pet template.

`LeakFilter` knows the utterances that models are tested on by their hashes alone, so that the list
can travel with the code without the tests' text. `Sieve` looks at conversations one by one and
remembers what it let through: time and memory grow with their number, not its square. Whether a
conversation is right at all is `check`'s concern.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offhand.dialect import ToolCall
from offhand_export.dataset import DataError, parse_conversation
from offhand_export.metrics import spelled
from offhand_export.synth.sample import Sample
from offhand_export.synth.writer import replace_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAK, DUPLICATE, NEAR_DUPLICATE, REPEATED = "leak", "duplicate", "near_duplicate", "repeated"
REASONS = (LEAK, DUPLICATE, NEAR_DUPLICATE, REPEATED)
"""Why a conversation that is right is still left out, in the order in which it is looked at."""

HEADER = "# Held-out utterances: sha256 of the normalized text, first 16 hex digits, sorted."

_FILLERS = frozenset({"um", "uh", "er", "erm", "uhm", "hmm"})
_APOSTROPHES = re.compile("['\u2019`]")
_HASH = re.compile(r"[0-9a-f]{16}")

FORMULAS = frozenset(
    """
    hi|hello|hey|hi there|hello there|hey there|good day|hello again|hi again|howdy|greetings
    thanks|thank you|thank you very much|thank you so much|thanks a lot|thanks so much|many thanks
    thanks again|thank you again|ok thanks|okay thanks|ok thank you|okay thank you|great thanks
    great thank you|perfect thanks|perfect thank you|cheers|thanks bye|thank you bye
    bye|goodbye|bye bye|good bye|bye now|bye for now|see you|see you later|talk to you later
    ok bye|okay bye|alright bye|have a good day|have a nice day|have a great day
    yes|no|yeah|yep|yup|nope|nah|sure|ok|okay|correct|right|exactly
    """.replace("\n", "|")
    .replace("  ", "")
    .split("|")
) - {""}
"""Normalized utterances that everybody says: meeting one in a test set tells nothing of leakage."""

TIMES_OF_DAY = frozenset({"good morning", "good afternoon", "good evening", "good night"})
"""Greetings that may also be commands to a house; formulas only where the call has no argument."""


def normal(text: str) -> str:
    """What an utterance is compared by: NFKC, lower case, punctuation gone, single spaces.

    Apostrophes join ("it's" is "its"); any other sign separates.
    """
    plain = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def is_formula(text: str, call: ToolCall | None = None) -> bool:
    """Whether an utterance is a bare greeting, thanks, goodbye or one-word answer."""
    plain = normal(text)
    bare = call is not None and not call.arguments
    return plain in FORMULAS or (bare and plain in TIMES_OF_DAY)


def digests(text: str) -> frozenset[str]:
    """The hashes an utterance is known by: as it stands, and without "um" and the like."""
    plain = normal(text)
    bare = " ".join(word for word in plain.split() if word not in _FILLERS)
    return frozenset(map(_digest, {plain, bare} - {""}))


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LeakFilter:
    """Utterances that must not be trained on, as hashes."""

    known: frozenset[str]

    @classmethod
    def read(cls, paths: Iterable[Path]) -> LeakFilter:
        """Join files of hashes (made by `write_hashes`) and of evaluation data.

        Raises:
            DataError: a file cannot be read, is empty, or is neither.
        """
        known: set[str] = set()
        for path in paths:
            lines = _read_lines(path)
            if all(_HASH.fullmatch(line) for _, line in lines):
                known.update(line for _, line in lines)
            else:
                for text in _held_out(lines, path):
                    known |= digests(text)
        return cls(frozenset(known))

    def leaked(self, sample: Sample) -> str | None:
        """The first utterance of the conversation that is in a test set, formulas aside."""
        for exchange in sample.exchanges:
            formula = is_formula(exchange.text, exchange.gold)
            if not formula and not self.known.isdisjoint(digests(exchange.text)):
                return exchange.text
        return None


def held_out(path: Path) -> list[str]:
    """Every user message of a file of tests.

    Reads evaluation data (see `offhand_export.dataset`) and the multi-turn files of the Berkeley
    Function-Calling Leaderboard, whose `question` is a list of turns, each a list of messages.

    Raises:
        DataError: the file cannot be read, is empty, or has a malformed line.
    """
    return _held_out(_read_lines(path), path)


def write_hashes(paths: Iterable[Path], out: Path) -> int:
    """Write the hashes of every user message of these files, formulas left out; returns how many.

    Raises:
        DataError: as for `held_out`.
    """
    known = {
        digest
        for path in paths
        for text in held_out(path)
        if not is_formula(text)
        for digest in digests(text)
    }
    replace_text(out, "\n".join([HEADER, *sorted(known), ""]))
    return len(known)


def _read_lines(path: Path) -> list[tuple[int, str]]:
    """Numbered lines that are neither blank nor a comment."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"Cannot read {path}: {error}.", "Give a file of hashes or of evaluation data."
        ) from error
    found = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    kept = [(number, line) for number, line in found if line and not line.startswith("#")]
    if not kept:
        raise DataError(f"{path} holds nothing held out.", "Give hashes or evaluation data.")
    return kept


def _held_out(lines: Iterable[tuple[int, str]], path: Path) -> list[str]:
    texts: list[str] = []
    for number, line in lines:
        try:
            texts += _user_texts(line)
        except DataError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
    return texts


def _user_texts(line: str) -> Iterator[str]:
    try:
        record: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"it is neither JSON nor a hash ({error}).") from error
    question = record.get("question") if isinstance(record, dict) else None
    if not isinstance(question, list) or not all(isinstance(turn, list) for turn in question):
        yield from (exchange.text for exchange in parse_conversation(line).exchanges)
        return
    for message in (message for turn in question for message in turn):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise DataError("a message of `question` has no text.")
        if message.get("role") == "user":
            yield message["content"]


class Sieve:
    """Lets through what adds something to the conversations let through before.

    Args:
        leaks: utterances of test sets; None where nothing is held out.
        cap: how often the same utterance may lead to the same call, over all conversations of a
            catalog; formulas are not counted.
        similarity: share of three-word runs (Jaccard, 0 to 1) from which two conversations of a
            catalog with the same calls are near-duplicates. Where the calls differ, a small
            difference in words is what a model has to learn.
    """

    def __init__(
        self, leaks: LeakFilter | None = None, cap: int = 6, similarity: float = 0.8
    ) -> None:
        self._leaks = leaks or LeakFilter(frozenset())
        self._cap = cap
        self._near = _NearDuplicates(similarity)
        self._seen: set[tuple[str, ...]] = set()
        self._pairs: Counter[tuple[str, ...]] = Counter()

    def reason(self, sample: Sample) -> str | None:
        """Why to leave a conversation out, one of `REASONS`; None remembers and keeps it."""
        if self._leaks.leaked(sample) is not None:
            return LEAK
        texts = [normal(exchange.text) for exchange in sample.exchanges]
        calls = [spelled(e.gold) if e.gold else "" for e in sample.exchanges]
        whole = (sample.catalog, *texts, *calls)
        if whole in self._seen:
            return DUPLICATE
        pairs = Counter(
            (sample.catalog, text, call)
            for text, call, exchange in zip(texts, calls, sample.exchanges, strict=True)
            if not is_formula(text, exchange.gold)
        )
        if any(self._pairs[pair] + more > self._cap for pair, more in pairs.items()):
            return REPEATED
        if self._near.known((sample.catalog, *calls), " / ".join(texts)):
            return NEAR_DUPLICATE
        self._seen.add(whole)
        self._pairs.update(pairs)
        return None


class _NearDuplicates:
    """MinHash over three-word runs, in bands: only texts that share a band are compared."""

    BANDS, ROWS = 16, 4

    def __init__(self, similarity: float) -> None:
        import numpy as np

        self._similarity = similarity
        draw = np.random.default_rng(20260).integers
        shape = (self.BANDS * self.ROWS, 1)
        # Multiply-shift hashing: odd factors modulo 2**64, of which the high bits are kept.
        self._factors = draw(1, 2**63, shape, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._bands: defaultdict[tuple[Any, ...], list[frozenset[int]]] = defaultdict(list)

    def known(self, group: Sequence[str], text: str) -> bool:
        """Whether a text of this group came before that is much the same; else remember it."""
        runs = _word_runs(text)
        bands = [(*group, band, rows) for band, rows in enumerate(self._signature(runs))]
        for key in bands:
            if any(_jaccard(runs, other) >= self._similarity for other in self._bands[key]):
                return True
        for key in bands:
            self._bands[key].append(runs)
        return False

    def _signature(self, runs: frozenset[int]) -> Iterator[bytes]:
        import numpy as np

        values: NDArray[np.uint64] = np.fromiter(runs, np.uint64, len(runs))
        least = ((self._factors * values) >> np.uint64(32)).min(axis=1)
        for band in range(self.BANDS):
            yield least[band * self.ROWS : (band + 1) * self.ROWS].tobytes()


def _word_runs(text: str) -> frozenset[int]:
    """Hashes of every three words in a row, the ends marked, so that short texts have some too."""
    words = ["^", *text.split(), "$"]
    runs = (" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2)))
    return frozenset(
        int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest()) for run in runs
    )


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)
