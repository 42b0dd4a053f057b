"""Choosing a smaller vocabulary: what stays, and that texts made of it are encoded as before."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from offhand_export import tokenizer_files as files
from offhand_export import trim_vocabulary as vocabularies
from offhand_export.errors import TokenizerError
from tests.export import tiny_gemma

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
GEMMA = ROOT / files.PUBLISHED
ROWS = 262_144


def every_split(tokens: list[str]) -> list[list[str]]:
    """Merges as Gemma's file has them: each token, in order, from any two tokens that make it."""
    known = set(tokens)
    return [
        [token[:at], token[at:]]
        for token in tokens
        for at in range(1, len(token))
        if token[:at] in known and token[at:] in known
    ]


def with_words(words: list[str]) -> Json:
    """The tiny tokenizer with more tokens of several letters, in the order of their merges."""
    made = files.with_dialect(tiny_gemma.tokenizer_json(), tiny_gemma.ROWS)
    vocabulary = made["model"]["vocab"]
    for name in ("th", "the"):
        del vocabulary[name]
    first = len(vocabulary)
    vocabulary |= {word: first + position for position, word in enumerate(words)}
    made["model"]["merges"] = every_split([*tiny_gemma.LETTERS, *words])
    return made


def assert_same_tokens(full: Json, ids: list[int], texts: list[str]) -> int:
    """Hold the guarantee for `texts`; returns how many are made of kept tokens alone."""
    small = files.load(vocabularies.trimmed(full, ids))
    whole = files.load(full)
    renumbered = {old: new for new, old in enumerate(ids)}
    covered = 0
    for text, before, after in zip(
        texts,
        whole.encode_batch(texts, add_special_tokens=False),
        small.encode_batch(texts, add_special_tokens=False),
        strict=True,
    ):
        decoded = small.decode(after.ids, skip_special_tokens=False)
        assert decoded == text.replace("▁", " "), ascii(text)
        if all(row in renumbered for row in before.ids):
            assert after.ids == [renumbered[row] for row in before.ids], ascii(text)
            covered += 1
    return covered


# The guarantee, on random vocabularies and on Gemma's.


@st.composite
def vocabularies_of_words(draw: st.DrawFn) -> list[str]:
    """Words that each join two shorter ones, in an order of merges that favours nobody."""
    words = list("eta▁")
    for _ in range(draw(st.integers(1, 30))):
        pair = draw(st.sampled_from(words)) + draw(st.sampled_from(words))
        if len(pair) <= 8 and pair not in words:
            words.append(pair)
    return draw(st.permutations(words[4:]))


@settings(max_examples=200, deadline=None)
@given(vocabularies_of_words(), st.data())
def test_any_vocabulary_keeps_its_promise(words: list[str], data: st.DataObject) -> None:
    full = with_words(words)
    merges = vocabularies.Merges(full)
    dead = sum(merges.derivation(word) is None for word in words)
    rows = len(full["model"]["vocab"])
    optional = [word for word in words if len(word) > 2 or word[0] != "▁"]
    assume(optional)
    size = data.draw(st.integers(rows - len(optional), rows - max(dead, 1)))
    ids = vocabularies.select(full, size)
    assert len(ids) == size
    pieces = st.lists(st.sampled_from([*"eta ", *words]), min_size=1, max_size=8)
    texts = data.draw(st.lists(pieces.map("".join), min_size=1, max_size=20))
    assert_same_tokens(full, ids, [*texts, *words])


def test_what_is_kept_brings_its_merges() -> None:
    full = with_words(["et", "ta", "eta", "tat", "etat", "at"])
    merges = vocabularies.Merges(full)
    assert merges.derivation("etat") == {"e", "t", "a", "et", "eta", "etat"}
    # "ta" is merged before "at" can be: no text has the token "tat" but through "ta".
    assert merges.derivation("tat") == {"t", "a", "ta", "tat"}
    assert merges.derivation("e") == {"e"}
    assert merges.derivation("<0x0A>") is None
    assert merges.derivation("Ω") is None


@pytest.mark.parametrize("as_text", [False, True], ids=["pairs", "strings"])
def test_a_token_that_occurs_in_no_text_is_dropped(as_text: bool) -> None:
    full = with_words(["et", "at", "tat", "eta"])
    full["model"]["merges"].remove(["e", "t"])  # nothing makes "et" now, so nothing uses it
    if as_text:
        full["model"]["merges"] = [" ".join(pair) for pair in full["model"]["merges"]]
    size = len(full["model"]["vocab"]) - 2
    kept = set(vocabularies.select(full, size))
    dropped = {word for word, row in full["model"]["vocab"].items() if row not in kept}
    assert dropped == {"et", "eta"}
    with pytest.raises(TokenizerError, match=f"Only {size:,} tokens ever occur in text"):
        vocabularies.select(full, size + 1)


SENTENCES = (
    "Could you turn the living room lights down to about thirty percent?",
    "It's freezing in here, bump the thermostat up a couple of degrees.",
    "Transfer £1,250.00 to José for the kitchen, reference INV-00371.",
    "Rename budget_final_v2.xlsx to budget-2026.xlsx and put it in the archive folder",
    "mkdir -p ~/projects/notes/drafts && mv chapter*.docx /tmp/drafts.d",
    "def main(argv: list[str]) -> int:\n\treturn len(argv[1:]) or 2  # count\n\n\n",
    "for (let i = 0; i < rows.length; i += 1) { total += rows[i].value; }",
    '{"name": "set_temperature", "parameters": {"room": "bedroom", "degrees": 21.5}}',
    "<table><tr><td>42</td></tr></table>      spaces\t\ttabs",
    "call:set_light{brightness:30,room:<escape>office<escape>}",
    "what's my balance?? 😀 → ok … “fine” — she did",
    "東京の天気 🌦️ נוסף <start_of_turn>user <unused150> <start_of_image>",
)
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(SENTENCES),
        st.sampled_from(sorted({word for text in SENTENCES for word in text.split(" ")})),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
        st.text(CHARACTERS, max_size=4),
        st.sampled_from(["\n", "\n\n", "\t", "  ", "     ", "▁", "▁▁", " ", "/", "_", ".py"]),
    ),
    max_size=8,
).map("".join)


@pytest.fixture(scope="module")
def gemma() -> Json:
    """Gemma 3's own tokenizer with the dialect's names."""
    if not GEMMA.is_file():
        pytest.skip("Gemma 3's tokenizer is not installed")
    return files.with_dialect(files.published(GEMMA), ROWS)


@pytest.fixture(scope="module")
def kept(gemma: Json) -> list[int]:
    """What a vocabulary of 32,768 tokens keeps."""
    return vocabularies.select(gemma, 32_768)


def test_gemma_keeps_its_promise(gemma: Json, kept: list[int]) -> None:
    small = vocabularies.trimmed(gemma, kept)
    renumbered = {old: new for new, old in enumerate(kept)}
    pairs = [
        (files.load(gemma), files.load(small)),
        (files.load(files.text_only(gemma)), files.load(files.text_only(small))),
    ]

    @settings(max_examples=400, deadline=None)
    @given(TEXTS)
    def holds(text: str) -> None:
        for whole, part in pairs:
            before = whole.encode(text, add_special_tokens=False).ids
            after = part.encode(text, add_special_tokens=False).ids
            decoded = part.decode(after, skip_special_tokens=False)
            assert decoded == text.replace("▁", " ")
            if all(row in renumbered for row in before):
                assert after == [renumbered[row] for row in before]

    holds()


def test_what_people_write_stays_whole(gemma: Json, kept: list[int]) -> None:
    assert assert_same_tokens(gemma, kept, list(SENTENCES)) == len(SENTENCES) - 1


def test_random_kept_tokens_in_a_row(gemma: Json, kept: list[int]) -> None:
    """Texts spelled from kept tokens: most of them meet merges across the seams."""
    spelling = {row: token for token, row in gemma["model"]["vocab"].items()}
    chance = random.Random(7)
    texts = []
    for _ in range(2_000):
        rows = chance.sample(kept[600:], chance.randint(1, 6))
        texts.append("".join(spelling[row] for row in rows).replace("▁", " "))
    assert assert_same_tokens(gemma, kept, texts) > 500


def test_gemma_checks_out(gemma: Json, kept: list[int]) -> None:
    small = vocabularies.trimmed(gemma, kept)
    files.check(small, len(kept))
    assert kept[:107] == list(range(107))
    assert files.control_tokens(small) == dict(files.GEMMA_IDS)
    assert [small["model"]["vocab"][f"<0x{byte:02X}>"] for byte in range(256)]
    control, ids = files.control_tokens(small), files.control_ids(small)
    assert ids == list(range(107))
    files.check_text_only(files.text_only(small), control, ids)
    assert list(small["model"]["vocab"].values()) == list(range(len(kept)))
    texts = {t["content"] for t in gemma["added_tokens"] if files.is_text(t)}
    assert texts <= {t["content"] for t in small["added_tokens"]}


def test_the_frequent_tokens_are_gemma_s(gemma: Json) -> None:
    tokens = vocabularies.FREQUENT.read_text("utf-8").splitlines()
    assert len(tokens) == len(set(tokens)) == 30_000
    assert set(tokens) <= set(gemma["model"]["vocab"])
    assert not {t["content"] for t in gemma["added_tokens"]} & set(tokens)


def test_trimming_again_and_two_ways(gemma: Json, kept: list[int]) -> None:
    """A smaller vocabulary from a trimmed one is as good as from the full one."""
    small = vocabularies.trimmed(gemma, kept)
    less = vocabularies.select(small, 16_384)
    assert assert_same_tokens(small, less, list(SENTENCES)) > len(SENTENCES) // 2


# Which tokenizers are refused.


def of_words(tokenizer: Json) -> None:
    tokenizer["model"]["type"] = "WordPiece"


def without_bytes(tokenizer: Json) -> None:
    tokenizer["model"]["byte_fallback"] = False


def ignoring_merges(tokenizer: Json) -> None:
    tokenizer["model"]["ignore_merges"] = True


def with_prefix(tokenizer: Json) -> None:
    tokenizer["model"]["continuing_subword_prefix"] = "##"


def without_one_byte(tokenizer: Json) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["zz"] = vocabulary.pop("<0x41>")


def with_a_gap(tokenizer: Json) -> None:
    tokenizer["model"]["vocab"]["the"] = 999


def with_a_token_apart(tokenizer: Json) -> None:
    flags = dict(tokenizer["added_tokens"][0])
    tokenizer["added_tokens"].append({**flags, "id": 300, "content": "<mine>"})


def without_turns(tokenizer: Json) -> None:
    tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["id"] != 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (of_words, "has type 'WordPiece'; only 'BPE' can be trimmed"),
        (without_bytes, "has byte_fallback False; only True"),
        (ignoring_merges, "has ignore_merges True; only False"),
        (with_prefix, "has continuing_subword_prefix '##'; only None"),
        (without_one_byte, "has no token <0x41> to spell bytes with"),
        (with_a_gap, "ids are not one for each row"),
        (with_a_token_apart, "ids are not one for each row"),
        (without_turns, "does not declare <end_of_turn>"),
    ],
)
def test_refused(change: Callable[[Json], None], message: str) -> None:
    tokenizer = with_words(["th", "the"])
    change(tokenizer)
    with pytest.raises(TokenizerError, match=message):
        vocabularies.select(tokenizer, 299)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (300, "has 300 tokens already, not more than 300"),
        (1_000, "has 300 tokens already, not more than 1,000"),
        (12, "12 tokens are too few: 298 always stay. Ask for at least 298"),
    ],
)
def test_sizes_out_of_reach(size: int, message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        vocabularies.select(with_words(["th", "the"]), size)
