"""Tokenizer files: which are accepted, what is renamed, and what may be served."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from offhand_export import tokenizer_files as files
from offhand_export.errors import TokenizerError
from tests.export.tiny_gemma import ROWS, tokenizer_json

Json = dict[str, Any]


def dialect() -> Json:
    """The tiny tokenizer of a checkpoint."""
    return files.with_dialect(tokenizer_json(), ROWS)


def test_the_source_is_not_changed() -> None:
    source = tokenizer_json()
    before = deepcopy(source)
    files.text_only(files.with_dialect(source, ROWS))
    assert source == before


def test_renaming_twice_is_renaming_once() -> None:
    assert files.with_dialect(dialect(), ROWS) == dialect()


def test_checkpoint_tokenizer_is_sound() -> None:
    made = dialect()
    files.check(made, ROWS)
    assert files.control_tokens(made)["<end_function_call>"] == 11
    assert "<unused43>" not in made["model"]["vocab"]
    assert all(token["id"] < ROWS for token in made["added_tokens"])


def without_unused(tokenizer: Json) -> None:
    tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["id"] != 12]


def without_turns(tokenizer: Json) -> None:
    tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["id"] != 5]


def with_more_tokens(tokenizer: Json) -> None:
    tokenizer["model"]["vocab"]["more"] = ROWS


def without_spaces(tokenizer: Json) -> None:
    tokenizer["decoder"]["decoders"][0]["content"] = "_"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_unused, r"neither <start_function_response> nor <unused44>"),
        (without_turns, r"does not declare <end_of_turn>"),
        (with_more_tokens, r"has 301 tokens up to id 300, the embedding 300 rows"),
        (without_spaces, r"does not give back 'Turn on the living room lights'"),
    ],
)
def test_refused(change: Callable[[Json], None], message: str) -> None:
    source = tokenizer_json()
    change(source)
    with pytest.raises(TokenizerError, match=message):
        files.check(files.with_dialect(source, ROWS), ROWS)


@pytest.mark.parametrize(
    ("content", "special", "text"),
    [
        ("<bos>", True, False),
        ("<mask>", False, False),
        ("[multimodal]", False, False),
        ("<unused7>", False, False),
        ("<start_of_image>", True, False),
        ("<my_own_token>", False, False),
        ("\n\n\n", False, True),
        ("▁▁▁▁", False, True),
        ("\t", False, True),
        ("<h1>", False, True),
        ("</table>", False, True),
        ("<h7>", False, False),
        ("word", False, True),
    ],
)
def test_what_is_text(content: str, special: bool, text: bool) -> None:
    assert files.is_text({"content": content, "special": special}) is text


def test_merges_to_a_control_token_are_cut() -> None:
    made = dialect()
    vocabulary = made["model"]["vocab"]
    made["model"]["merges"] += [["t", "e"]]
    vocabulary["te"] = vocabulary.pop("<mask>")
    made["added_tokens"] = [
        {**token, "content": "te", "special": True} if token["content"] == "<mask>" else token
        for token in made["added_tokens"]
    ]
    served = files.text_only(made)
    ids = files.control_ids(made)
    files.check_text_only(served, files.control_tokens(made), ids)
    assert vocabulary["te"] in ids
    assert files.load(served).encode("te").ids == [vocabulary["t"], vocabulary["e"]]


def test_a_served_tokenizer_that_leaks_is_refused() -> None:
    made = dialect()
    with pytest.raises(TokenizerError, match="does not keep '<pad>' as plain text"):
        files.check_text_only(made, files.control_tokens(made), files.control_ids(made))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read"), ("{", "is not JSON")], ids=["none", "half"]
)
def test_unreadable(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(TokenizerError, match=message):
        files.read_json(path)


def test_not_a_tokenizer() -> None:
    with pytest.raises(TokenizerError, match=r"tokenizer\.json is not usable"):
        files.load({"model": {"type": "nothing"}})
