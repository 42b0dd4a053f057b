"""Names that are easy to miscopy: rare ones, deep paths, and names much like one said before."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from weakref import WeakKeyDictionary

Draw = Callable[[random.Random], str]

_SYLLABLES = re.findall(
    r"\w+",
    "ba bel bri cor da dor eno fal gri hu ix jor ka kel lum ma mek nor ob pra quo ra ru sel "
    "shi ta tav ul ven vo wyn xa yor za zim",
)
_AFFIXES = (
    *("_old", "_new", "_final", "-final", "_copy", "-copy", "_bak", "2", "_1", "-1", "_v2"),
    *("_FINAL", "_draft", "-backup", "_tmp", "(1)", "_a", "_b"),
)
_ENDINGS = ("txt", "md", "csv", "log", "json", "bak", "docx", "py", "pdf")
_SENTENCES = 0.14


def mark(rng: random.Random) -> str:
    """A date, version or number that a name carries."""
    year, month, day = rng.randint(2009, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice(
        (
            str(year),
            f"{year}-{month:02}-{day:02}",
            f"{year}{month:02}{day:02}",
            f"{month:02}-{year}",
            f"v{rng.randint(1, 9)}",
            f"v{rng.randint(0, 4)}.{rng.randint(0, 12)}",
            str(rng.randint(1, 20)),
            f"{rng.randint(1, 99):02}",
            f"q{rng.randint(1, 4)}",
        )
    )


def rare_stem(rng: random.Random) -> str:
    """A stem no word list holds: initials, a ticket, a camera's number, a hash, a made-up word."""
    word = "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3)))
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTVWXYZ") for _ in range(rng.randint(2, 4)))
    digits = str(rng.randint(2, 99999))
    return rng.choice(
        (
            word,
            word.capitalize(),
            f"{word}{rng.choice('_-.')}{rng.choice(_SYLLABLES)}",
            f"{word}{rng.randint(1, 99)}",
            letters,
            f"{letters}-{digits}",
            f"{letters}_{digits.zfill(4)}",
            f"{letters.lower()}{digits}",
            f"{rng.getrandbits(28):07x}",
            f"{word}.{digits}",
        )
    )


def deep(folders: list[str], rng: random.Random) -> str:
    """The folders before a name, with the final slash: "src/", "./data/raw/", "../"."""
    parts = [rng.choice(folders) for _ in range(rng.choices((1, 2, 3), (6, 3, 1))[0])]
    base = rng.choices(("", "./", "../", "/", "~/"), (70, 10, 8, 7, 5))[0]
    return f"{base}{'/'.join(parts)}/"


def sibling(name: str, rng: random.Random) -> str:
    """A name that differs from another by little: a version, a plural, the ending, a capital."""
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    if not stem or not ending[:1].isalpha():  # hidden, or a version rather than an ending
        stem, dot, ending = last, "", ""
    number = re.search(r"\d+", stem)
    ways = [
        f"{stem}{rng.choice(_AFFIXES)}{dot}{ending}",
        f"{stem[:-1] if stem.endswith('s') and len(stem) > 3 else stem + 's'}{dot}{ending}",
        stem.swapcase() + dot + ending if stem.isupper() else stem.capitalize() + dot + ending,
    ]
    if number:
        other = str(int(number[0]) + rng.choice((1, 1, 2, 10)))
        changed = stem[: number.start()] + other.zfill(len(number[0])) + stem[number.end() :]
        ways += [f"{changed}{dot}{ending}"] * 3
    if dot:
        ways += [f"{stem}.{rng.choice(_ENDINGS)}", f"{last}.bak", stem]
    return f"{folder}{slash}{rng.choice(ways)}"


def with_siblings(draw: Draw, share: float) -> Draw:
    """The same draw, now and then a `sibling` of the last value of the same conversation.

    A conversation has one generator, so the last value is kept by generator, for no longer than
    that lives.
    """
    last: WeakKeyDictionary[random.Random, str] = WeakKeyDictionary()

    def one(rng: random.Random) -> str:
        before = last.get(rng)
        value = sibling(before, rng) if before and rng.random() < share else draw(rng)
        last[rng] = value
        return value

    return one


def as_sentences(draw: Draw) -> Draw:
    """The same draw of texts, now and then a sentence with a capital and its own final mark."""

    def one(rng: random.Random) -> str:
        text = draw(rng)
        if " " not in text or not text[-1].isalnum() or rng.random() >= _SENTENCES:
            return text
        return f"{text[0].upper()}{text[1:]}{rng.choices('.!?', (80, 15, 5))[0]}"

    return one
