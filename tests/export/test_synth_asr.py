"""The recognizer channel: how much it garbles, and what it never may."""

import random
import re
from pathlib import Path

import pytest

from offhand_export.errors import ExportError
from offhand_export.synth import asr
from offhand_export.synth.asr_words import (
    LISTED,
    NUMBERS,
    distance,
    near_in_sound,
    read_confusions,
    respelt,
    safe,
    sound,
)
from offhand_export.synth.grammar import Span

CONFUSIONS = read_confusions(asr.BANKING)

SENTENCES = (
    "i need to transfer two hundred and fifty dollars from my savings account to checking",
    "cancel my debit card ending in 4532 please someone stole it yesterday",
    "what's the balance on my credit card right now",
    "could you activate the new card the last four are nine three four eight",
    "there is a fraudulent charge of 89.50 on my statement for last month",
    "I would like to pay Verizon 120 dollars from my checking account",
    "let me speak to a representative about a mortgage please",
    "I forgot my PIN can you reset it for the card ending in 7711",
)


def spans(*parts: str) -> list[Span]:
    """Spans from texts; `slot=text` gives one a slot."""
    found = (part.partition("=") for part in parts)
    return [Span(text, f"{slot}:{slot}") if sign else Span(slot) for slot, sign, text in found]


def heavy(**changes: object) -> asr.Recognizer:
    """A recognizer that mishears whatever it can."""
    settings: dict = {
        "rate": 0.9, "filler": 0.6, "restart": 0.5, "dropped": 0.3, "spelled": 0.0,
        "stops": False, "capital": False,
    }  # fmt: skip
    return asr.Recognizer(CONFUSIONS, ("payee",), **(settings | changes))


def heard(voice: asr.Recognizer, message: list[Span], times: int = 400) -> list[str]:
    rng = random.Random(7)
    return [voice(message, rng) for _ in range(times)]


def rate(one: str, other: str) -> float:
    """The word error rate of `other` against `one`."""
    words = one.lower().split()
    return distance(words, other.lower().split()) / len(words)


@pytest.mark.parametrize("wer", [0.0, 0.05, 0.1, 0.2, 0.35])
def test_corrupt_comes_to_the_rate_asked_for(wer: float) -> None:
    rng = random.Random(3)
    made = [(text, asr.corrupt(text, wer, rng)) for text in SENTENCES * 60]
    errors = sum(rate(one, other) * len(one.split()) for one, other in made)
    words = sum(len(one.split()) for one, _ in made)
    assert errors / words == pytest.approx(wer, abs=0.01 + 0.08 * wer)


def test_corrupt_spares_numbers_names_and_what_must_be_kept() -> None:
    rng = random.Random(5)
    for text in SENTENCES * 30:
        out = asr.corrupt(text, 0.35, rng, keep=("mortgage",))
        for said in re.findall(r"\d\S*|Verizon|mortgage|two hundred and fifty|three four", text):
            assert f" {said} " in f" {out} ", out


def test_corrupt_is_reproducible_and_refuses_silly_rates() -> None:
    text = SENTENCES[0]
    assert asr.corrupt(text, 0.2, random.Random(1)) == asr.corrupt(text, 0.2, random.Random(1))
    with pytest.raises(ValueError, match=r"outside 0 to 0\.5"):
        asr.corrupt(text, 0.9, random.Random(1))


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("account=checking account", {"savings", "saving", "credit", "debit"}),
        ("account=savings", {"checking", "credit", "debit"}),
        ("card=credit card", {"debit", "checking", "savings"}),
        ("card=debit card", {"credit", "checking", "savings"}),
        ("reason=stolen", {"lost", "damaged"}),
        ("reason=lost", {"stolen", "damaged"}),
    ],
)
def test_one_listed_value_never_becomes_another(said: str, others: set[str]) -> None:
    made = heard(heavy(), spans("it is my ", said, " please"))
    assert not [text for text in made if others & set(text.split())]
    assert len(set(made)) > 50, "the same word must be misheard in many ways"


def test_the_table_is_wide_and_never_trades_a_deciding_word() -> None:
    assert len(CONFUSIONS.table) >= 400
    assert sum(len(texts) for texts, _ in CONFUSIONS.table.values()) >= 1500
    for phrase, (texts, weights) in CONFUSIONS.table.items():
        assert len(weights) == len(texts)
        assert min(weights) > 0
        assert all(safe(phrase, text.split()) for text in texts)
    assert not set(CONFUSIONS.vocabulary) & (set(LISTED) | NUMBERS)


def test_copied_spans_and_numbers_come_through() -> None:
    said = spans(
        "please pay ", "payee=Con Edison", ", ", "amount=one hundred and fifty two", " now"
    )
    said += spans(" from the card ending in ", "digits=double five one two")
    for text in heard(heavy(), said):
        assert "Con Edison" in text
        assert "one hundred and fifty two" in text
        assert "double five one two" in text
        left = re.sub("one hundred and fifty two|double five one two", "#", text).split()
        for at, word in enumerate(left[:-1]):
            assert not (word in NUMBERS and left[at + 1] == "#"), text
            assert not (word == "#" and left[at + 1] in NUMBERS), text


def test_a_sum_may_be_followed_by_two_for_to_but_seldom() -> None:
    said = spans("pay ", "amount=hundred and fifty", " to ", "payee=Verizon")
    voice = heavy(rate=0.0, filler=0.0, restart=0.0, dropped=0.0)
    made = heard(voice, said, 2000)
    twos = made.count("pay hundred and fifty two Verizon")
    assert set(made) == {
        "pay hundred and fifty two Verizon",
        "pay hundred and fifty to Verizon",
    }
    assert 0.03 < twos / 2000 < 0.07


def test_digits_are_spelled_as_what_they_are() -> None:
    voice = heavy(rate=0.0, filler=0.0, restart=0.0, dropped=0.0, spelled=1.0)
    said = spans("", "amount=250", " or ", "amount=$1,200", " on ", "digits=0452", "?")[1:]
    assert voice(said, random.Random(1)) == (
        "two hundred fifty or 1200 dollars on zero four five two"
    )


def test_punctuation_is_lost_or_kept_and_capitals_follow() -> None:
    quiet = {"rate": 0.0, "filler": 0.0, "restart": 0.0, "dropped": 0.0}
    said = spans("Sorry, can i pay ", "payee=xfinity", ", please?")
    assert heavy(**quiet)(said, random.Random(1)) == "sorry can i pay xfinity please"
    kept = heavy(**quiet, stops=True, capital=True)(said, random.Random(1))
    assert kept == "Sorry, can I pay xfinity, please?"


def test_cents_keep_their_dollars_and_a_card_called_one_keeps_its_digits() -> None:
    sums = heard(heavy(), spans("send ", "amount=sixty dollars and ten cents", " over"))
    assert all("sixty dollars and ten cents" in text for text in sums)
    card = heard(heavy(spelled=1.0, rate=0.0), spans("the ", "digits=4532", " one"))
    assert all("4532" in text for text in card)


def test_bills_named_in_plain_words_are_spared() -> None:
    made = heard(heavy(), spans("my rent's late pay the landlord"))
    assert all("rent's" in text and "landlord" in text for text in made)


def test_four_is_misheard_only_where_it_counts_digits() -> None:
    made = heard(
        heavy(filler=0.0, restart=0.0), spans("my last four are ", "digits=four four one two")
    )
    assert any("last for" in text for text in made)
    assert all(text.endswith("four four one two") for text in made)


def test_voices_are_clean_mild_and_heavy_in_proportion() -> None:
    draw = asr.recognizers(("payee",))
    rng = random.Random(2)
    voices = [draw(rng) for _ in range(3000)]
    called = [voice for voice in voices if isinstance(voice, asr.Recognizer)]
    heavies = [voice for voice in called if voice.rate >= 0.19]
    assert len(called) / 3000 == pytest.approx(0.6, abs=0.03)
    assert len(heavies) / 3000 == pytest.approx(0.25, abs=0.03)
    mild = [voice.filler for voice in called if voice.rate < 0.19]
    assert sum(mild) / len(mild) < sum(v.filler for v in heavies) / len(heavies)


def test_a_message_never_comes_out_empty() -> None:
    for message in ("a", "the", "um", "no", "my"):
        assert all(heard(heavy(), [Span(message)], 100))


def test_sound_and_distance() -> None:
    assert sound("knight") == sound("nite")
    assert sound("savings") != sound("checking")
    assert sound("bad") == sound("pat")
    assert distance(["trans", "fur", "now"], ["transfer", "now"]) == 2
    assert distance("", "abc") == 3
    assert near_in_sound("bale", ("bail", "ball", "house")) == ("bail", "ball")


def test_respelling_never_writes_a_number_or_a_deciding_word() -> None:
    rng = random.Random(4)
    for word in ("fore", "twoo", "dabit", "lest", "moving", "somewhere", "payments"):
        for _ in range(200):
            parts = respelt(word, rng) or []
            assert parts != [word]
            assert not set(parts) & (NUMBERS | set(LISTED))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("checking checkin", "line 1: write a word, a tab"),
        ("checking\tcheckin | ", "line 1: write a word, a tab"),
        ("debit\tdead it | credit", "'credit' stands for another value than 'debit'"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "asr_confusions.tsv").write_text(line + "\n", "utf-8")
    (tmp_path / "asr_vocabulary.tsv").write_text("bail\n", "utf-8")
    with pytest.raises(ExportError, match=message):
        read_confusions(tmp_path)
