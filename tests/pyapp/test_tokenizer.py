"""Control tokens come from templates only."""

import pytest

from offhand.tokenizer import Data
from tests.tiny import CONTROL, tiny_vocabulary

VOCABULARY = tiny_vocabulary()


@pytest.mark.parametrize("name", CONTROL)
def test_template_text_names_control_tokens(name: str) -> None:
    assert VOCABULARY.encode_pieces([f"a{name}b"])[1:-1] == [VOCABULARY.control[name]]


@pytest.mark.parametrize("name", CONTROL)
def test_data_never_does(name: str) -> None:
    ids = VOCABULARY.encode_pieces([Data(f"a{name}b"), Data(name)])
    assert not VOCABULARY.control_ids.intersection(ids)
    assert VOCABULARY.decode(ids) == f"a{name}b{name}"


def test_text_between_control_tokens_is_tokenized_whole() -> None:
    whole = VOCABULARY.encode_pieces(["<bos>user\nkitchen<end_of_turn>"])
    assert whole[1:-1] == list(VOCABULARY.encode("user\nkitchen"))
