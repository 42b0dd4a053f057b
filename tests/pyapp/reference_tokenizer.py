"""One tokenizer as the app sees it and as llguidance does, and a small one made for tests.

The app's has no control tokens; llguidance's has them by name, so that its grammars can name them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from llguidance import LLTokenizer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from offhand.dialect import END_CALL, ESCAPE, START_CALL
from offhand.tokenizer import Vocabulary

CONTROL = ("<pad>", "<eos>", "<bos>", START_CALL, END_CALL, ESCAPE)


@dataclass(frozen=True, slots=True)
class Both:
    """One tokenizer, as the app and as llguidance see it."""

    vocabulary: Vocabulary
    reference: LLTokenizer


class _Text:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))


def join(text_tokenizer: str, control: dict[str, int]) -> Both:
    """Join a tokenizer without control tokens with their ids; llguidance gets them by name."""
    named = json.loads(text_tokenizer)
    old = {index: token for token, index in named["model"]["vocab"].items()}
    for name, index in control.items():
        del named["model"]["vocab"][old[index]]
        named["model"]["vocab"][name] = index
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    named["added_tokens"] = sorted(
        (
            *(entry for entry in named["added_tokens"] if entry["id"] not in control.values()),
            *({"id": i, "content": name, "special": True, **flags} for name, i in control.items()),
        ),
        key=lambda entry: entry["id"],
    )
    text = _Text(Tokenizer.from_str(text_tokenizer))
    reference = LLTokenizer(json.dumps(named), eos_token=control["<eos>"])
    return Both(Vocabulary(text, control, control.values()), reference)


def small_tokenizer() -> tuple[str, dict[str, int]]:
    """A byte-fallback BPE with Gemma's settings, trained on calls so that structure merges."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("[0-9]"), "isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=620, special_tokens=[*CONTROL, "<unk>", *bytes_], show_progress=False
    )
    parts = ["call:", "a", "b", "ab", "_", ".", "-", "{", "}", "[", "]", ",", ":", "true", "false"]
    joined = [x + y + z for x in parts for y in parts for z in parts]
    tokenizer.train_from_iterator([" ".join(joined), *joined, "0123456789 é"], trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []
    vocab = described["model"]["vocab"]
    return json.dumps(described), {name: vocab[name] for name in CONTROL}
