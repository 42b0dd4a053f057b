"""Text to token ids and back, with control tokens kept out of reach of text.

A model folder's `tokenizer.json` knows no control token: text that spells one is encoded as the
plain characters it is. Control tokens come from templates alone, which `Vocabulary` splits on their
names. Natively the text tokenizer is the `tokenizers` package, in the page `@huggingface/
tokenizers`; both read the same file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol


class TextTokenizer(Protocol):
    """The tokenizer of `tokenizer.json`; `encode` never yields a control id."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


class Data(str):
    """Text from outside (a message, an argument): never read for control tokens."""

    __slots__ = ()


class Vocabulary:
    """A text tokenizer joined with the control tokens of a dialect.

    Args:
        text: the tokenizer for everything that is not a control token.
        control: ids of the dialect's control tokens by name.
        control_ids: every id that is not text, the dialect's or not (padding, unused rows).
    """

    def __init__(
        self, text: TextTokenizer, control: Mapping[str, int], control_ids: Iterable[int]
    ) -> None:
        self.control = dict(control)
        self.control_ids = frozenset(control_ids) | frozenset(self.control.values())
        self.decode = text.decode
        # History is rendered again at every turn; its pieces are the same strings each time.
        self.encode = lru_cache(maxsize=4096)(lambda piece: tuple(text.encode(piece)))
        longest_first = sorted(map(re.escape, self.control), key=len, reverse=True)
        self._names = re.compile(f"({'|'.join(longest_first)})")

    def names_in(self, text: str) -> list[str]:
        """The names of control tokens that a text spells."""
        return self._names.findall(text)

    def encode_pieces(self, pieces: Iterable[str]) -> list[int]:
        """Encode a rendered prompt: template text may name control tokens, `Data` may not."""
        ids: list[int] = []
        for piece in pieces:
            if isinstance(piece, Data):
                ids += self.encode(str(piece))
                continue
            for part in self._names.split(piece):
                if part in self.control:
                    ids.append(self.control[part])
                elif part:
                    ids += self.encode(part)
        return ids
