"""Which tokens a smaller Gemma 3 vocabulary keeps, and the `tokenizer.json` that has only those.

Most of Gemma's 262,144 tokens are other scripts and languages; the page downloads every one of
their rows. What is kept is closed under the merges that make it, which gives this guarantee:

    If the full tokenizer encodes a text with kept tokens alone, the trimmed one encodes it with
    the same tokens, renumbered. Any other text is spelled from smaller pieces or bytes, and
    decodes to what the full tokenizer decodes it to.

Why it holds. Byte pair encoding applies the best-ranked merge there is, leftmost first, until none
applies. The merges inside the span of one final token never look outside it, so in any text they
are those of that token's own spelling alone; `derivation` replays them. With every token of that
derivation kept, and the kept merges in their old order, each step's best merge is one the trimmed
tokenizer has too, and it has no merge that the full one lacks. A token that its own spelling does
not encode to occurs in no text and is never kept. Dropping an added token (`<unused150>`, an image
token) changes only texts that spell it out.

The order of preference is `templates/frequent_tokens.txt`, most wanted first: the 2,000 most
frequent tokens of English and code, the words of homes, banks, files and assistants, then further
frequent ones, swearing left out. Frequency is a mixture of the word counts of symspellpy 6.10.1,
the word ranks of zxcvbn 4.5.0 (film and television, names), the source and documentation of Python
3.11's standard library, and merge order, which in Gemma follows frequency. After the list come the
other ASCII tokens by merge order, then everything else.

It covers choosing and renumbering. It does not touch weights (`trim` does).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from offhand_export import tokenizer_files as tokenizers
from offhand_export.errors import TokenizerError

Json = dict[str, Any]
Pair = tuple[str, str]

FREQUENT = Path(__file__).parent / "templates" / "frequent_tokens.txt"

CHARACTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),  # letters of Latin scripts, and what a European keyboard types
    *range(0x300, 0x30D),  # accents apart from their letter
    *(0x323, 0x327, 0x328, 0x200B, 0x200D, 0xFE0F),
    *range(0x2010, 0x2028),  # dashes, quotation marks, bullets, dots
    *range(0x2030, 0x203B),
    *range(0x20A0, 0x20C0),  # currencies
    *range(0x2190, 0x2194),  # arrows
    *(0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265),  # minus, root, infinity, relations
    *map(ord, "℃℉™⇒★☆♥❤♪✓✔✅❌✨⚡☀☁☔❄☕⏰🏠💡🔒🔓🔥🎉🎵💰💳📁📂📄📧📷🚀🚗🙏👍👎👋👏"),
    *range(0x1F600, 0x1F650),  # faces
)
"""Characters that stay tokens, alone and after a space; all others remain possible, as bytes."""

_ASCII = re.compile(r"[▁!-~]+\Z")
_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_FIX = "Trim a checkpoint of Gemma 3 or FunctionGemma."


class Merges:
    """The merges of a BPE model, ready to be replayed.

    Args:
        tokenizer: a `tokenizer.json` that `require_supported` accepts.
    """

    def __init__(self, tokenizer: Json) -> None:
        self._vocabulary: Mapping[str, int] = tokenizer["model"]["vocab"]
        pairs = (_pair(entry) for entry in tokenizer["model"]["merges"])
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}

    def derivation(self, token: str) -> set[str] | None:
        """Every token on the way from characters to `token`, itself included.

        None if its own spelling does not encode to it: then it occurs in no text.
        """
        parts = list(token)
        if any(part not in self._vocabulary for part in parts):
            return None
        seen = set(parts)
        while len(parts) > 1:
            ranked = ((self._ranks.get(pair), at) for at, pair in enumerate(pairwise(parts)))
            best = min(((rank, at) for rank, at in ranked if rank is not None), default=None)
            if best is None:
                return None
            at = best[1]
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            seen.add(parts[at])
        return seen


def _pair(merge: str | Sequence[str]) -> Pair:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def require_supported(tokenizer: Json) -> None:
    """Raise `TokenizerError` unless this is a tokenizer the guarantee was thought through for."""
    model = tokenizer.get("model", {})
    wanted = {
        "type": "BPE",
        "byte_fallback": True,
        "ignore_merges": False,
        "dropout": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
    }
    for name, value in wanted.items():
        found = model.get(name, False if name == "ignore_merges" else None)
        if (found or None) != (value or None):
            raise TokenizerError(
                f"The tokenizer's model has {name} {found!r}; only {value!r} can be trimmed.", _FIX
            )
    vocabulary: Mapping[str, int] = model["vocab"]
    missing = [name for name in _BYTES if name not in vocabulary]
    if missing:
        raise TokenizerError(f"The tokenizer has no token {missing[0]} to spell bytes with.", _FIX)
    absent = [t for t in tokenizer["added_tokens"] if vocabulary.get(t["content"]) != t["id"]]
    if absent or sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise TokenizerError("The tokenizer's ids are not one for each row of an embedding.", _FIX)


def select(tokenizer: Json, size: int, always: Iterable[str] = ()) -> list[int]:
    """Choose `size` ids, ascending.

    Every row up to the last control token stays where it is, and bytes, `CHARACTERS` and added
    tokens for text (runs of newlines, tabs and spaces; markup) always stay; then come `always`,
    the frequent tokens and merge order.

    Args:
        tokenizer: of a checkpoint, control tokens and all.
        size: tokens to keep.
        always: tokens to keep before any others; those it does not have are ignored.

    Raises:
        TokenizerError: the tokenizer is of another kind, or `size` is out of its reach.
    """
    require_supported(tokenizer)
    vocabulary: Mapping[str, int] = tokenizer["model"]["vocab"]
    if size >= len(vocabulary):
        raise TokenizerError(
            f"The vocabulary has {len(vocabulary):,} tokens already, not more than {size:,}.",
            "Ask for fewer with --size, or use the checkpoint as it is.",
        )
    merges = Merges(tokenizer)
    kept = _fixed(tokenizer)
    for token in (*kept, *always):
        kept |= (merges.derivation(token) or set()) if token in vocabulary else set()
    if len(kept) > size:
        raise TokenizerError(
            f"{size:,} tokens are too few: {len(kept):,} always stay.",
            f"Ask for at least {len(kept):,} with --size.",
        )
    for token in _by_preference(tokenizer):
        if len(kept) == size:
            break
        if token in kept:
            continue
        needed = merges.derivation(token)
        if needed is not None and len(kept | needed) <= size:
            kept |= needed
    if len(kept) < size:
        raise TokenizerError(
            f"Only {len(kept):,} tokens ever occur in text.", "Ask for no more with --size."
        )
    return sorted(vocabulary[token] for token in kept)


def _fixed(tokenizer: Json) -> set[str]:
    vocabulary: Mapping[str, int] = tokenizer["model"]["vocab"]
    last = max(tokenizers.control_tokens(tokenizer).values())
    head = (token for token, row in vocabulary.items() if row <= last)
    text = (token["content"] for token in tokenizer["added_tokens"] if tokenizers.is_text(token))
    letters = ("▁", *map(chr, CHARACTERS))
    spelled = (token for letter in letters for token in (letter, "▁" + letter))
    plain = (token for token in spelled if token in vocabulary)
    return set(chain(head, text, plain, _BYTES))


def _by_preference(tokenizer: Json) -> Iterator[str]:
    vocabulary: Mapping[str, int] = tokenizer["model"]["vocab"]
    frequent = FREQUENT.read_text("utf-8").splitlines()
    yield from (token for token in frequent if token in vocabulary)
    control = {t["content"] for t in tokenizer["added_tokens"] if not tokenizers.is_text(t)}
    others = [
        token for token in sorted(vocabulary, key=vocabulary.__getitem__) if token not in control
    ]
    yield from (token for token in others if _ASCII.match(token))
    yield from others


def trimmed(tokenizer: Json, ids: Sequence[int]) -> Json:
    """A copy with only the tokens `ids`, renumbered in that order.

    Args:
        tokenizer: of a checkpoint.
        ids: what `select` chose, ascending; position is the new id.
    """
    renumbered = {old: new for new, old in enumerate(ids)}
    model = dict(tokenizer["model"])
    vocabulary = {t: renumbered[row] for t, row in model["vocab"].items() if row in renumbered}
    model["vocab"] = dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))
    merges = ((_pair(entry), entry) for entry in model["merges"])
    model["merges"] = [
        entry
        for (left, right), entry in merges
        if left in vocabulary and right in vocabulary and left + right in vocabulary
    ]
    added = [
        {**token, "id": renumbered[token["id"]]}
        for token in tokenizer["added_tokens"]
        if token["id"] in renumbered
    ]
    return {**tokenizer, "added_tokens": added, "model": model}
