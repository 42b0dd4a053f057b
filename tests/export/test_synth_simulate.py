"""The dialogue simulator: labels that follow from rules, seeds, voices; and our own material."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from offhand import catalogs
from offhand_export.synth import command, domains, material, values
from offhand_export.synth.check import check
from offhand_export.synth.filters import LeakFilter, Sieve, digests, held_out, is_formula, normal
from offhand_export.synth.grammar import Span
from offhand_export.synth.noise import Writer, writers
from offhand_export.synth.sample import Sample, gold
from offhand_export.synth.simulate import Habits, Simulator

HOME = catalogs.load("smart_home")
DATA = Path(__file__).parents[1] / "data"
PLAIN = Writer("lower", False, True, True, 0.0, ())
SLOTS = "== slot room\nkitchen = kitchen\noffice = study\nbedroom = bedroom\n"


def simulator(folder: Path, text: str, seed: int = 1, **habits: object) -> Simulator:
    (folder / "a.txt").write_text(SLOTS + text, "utf-8")
    kinds = {"temperature": values.temperature()}
    read = material.read(folder, HOME, list(kinds))
    settings: dict[str, object] = {"script": 0.0, "follow": 1.0, "back": 0.0, "complete": 1.0}
    chosen = Habits(**{**settings, **habits})  # type: ignore[arg-type]
    return Simulator(HOME, read, kinds, chosen, lambda rng: PLAIN, seed)


def turns(sample: Sample) -> list[tuple[str, str, dict[str, object]]]:
    return [(e.text, gold(e).name, dict(gold(e).arguments)) for e in sample.exchanges]


def test_a_follow_up_keeps_what_it_does_not_change(tmp_path: Path) -> None:
    teacher = simulator(
        tmp_path,
        "== toggle_lights room={room} state=on\n{room} on\n"
        "== toggle_lights ... -> toggle_lights ... room={room}\n{room} too\n",
        turns=(0, 1),
    )
    for sample in teacher.samples(30):
        (_, _, first), (text, name, second) = turns(sample)
        assert name == "toggle_lights"
        assert second["state"] == "on"
        assert second["room"] != first["room"]
        spoken = {"office": "study"}.get(str(second["room"]), second["room"])
        assert text == f"{spoken} too"


def test_an_open_slot_is_filled_and_a_full_one_is_not_filled_again(tmp_path: Path) -> None:
    teacher = simulator(
        tmp_path,
        "== set_thermostat\nheating\n"
        "== set_thermostat ... -> set_thermostat ... temperature={temperature} @fill\n"
        "{temperature}\n",
        turns=(0, 0, 1),
    )
    for sample in teacher.samples(20):
        first, second, third = (arguments for _, _, arguments in turns(sample))
        assert first == {}
        assert 60 <= int(str(second["temperature"])) <= 80
        assert third == {}, "with nothing open, the next matter begins"


def test_a_return_finds_the_earlier_call(tmp_path: Path) -> None:
    teacher = simulator(
        tmp_path,
        "== set_thermostat temperature={temperature}\n{temperature}\n"
        "== set_thermostat ... -> toggle_lights state=off\nlights out\n"
        "== earlier set_thermostat ... -> set_thermostat ... mode=heat\nback to the heat\n",
        turns=(0, 0, 1),
        back=1.0,
        openings={"set_thermostat": 1.0},
    )
    for sample in teacher.samples(10):
        first, _, third = (arguments for _, _, arguments in turns(sample))
        assert third == {**first, "mode": "heat"}


def test_first_openings_come_first(tmp_path: Path) -> None:
    teacher = simulator(
        tmp_path,
        "== toggle_lights @first\nturn it on\n== toggle_lights state=on\nlights on\n",
        turns=(0, 0, 1),
    )
    texts = [text for s in teacher.samples(40) for text, _, _ in turns(s)[1:]]
    assert set(texts) == {"lights on"}


def test_scripts_are_played(tmp_path: Path) -> None:
    teacher = simulator(
        tmp_path,
        "== set_scene\nscene\n== dialogue @tale\nU: {room}?\nC: toggle_lights room={room}\n"
        "U: no, {room2}, not {room}\nC: toggle_lights room={room2}\n",
        turns=(0, 1),
        script=1.0,
    )
    for sample in teacher.samples(20):
        (_, _, first), (text, _, second) = turns(sample)
        assert first["room"] != second["room"]
        assert text.startswith("no, ")
        assert "tale" in sample.phenomena


def test_a_domain_without_a_way_on_is_reported(tmp_path: Path) -> None:
    teacher = simulator(tmp_path, "== toggle_lights room={room}\n[the {room}]\n", seed=3)
    assert all("the" in text for text, _, _ in turns(teacher.sample(0)))


@pytest.mark.parametrize("name", domains.OWN)
def test_a_seed_gives_the_same_conversations_again(name: str) -> None:
    catalog = catalogs.load(name)
    once = list(command.built_in(catalog, 5).samples(20))
    assert once == list(command.built_in(catalog, 5).samples(20))
    assert once[7] == command.built_in(catalog, 5).sample(7)
    assert once != list(command.built_in(catalog, 6).samples(20))


@pytest.mark.parametrize("name", domains.OWN)
def test_own_material_makes_valid_and_various_conversations(name: str) -> None:
    catalog = catalogs.load(name)
    samples = list(command.built_in(catalog, 11).samples(500))
    support = domains.load(name).support
    reasons = Counter(check(sample, catalog, support) for sample in samples)
    assert reasons[None] >= 480, reasons
    called = {gold(e).name for sample in samples for e in sample.exchanges}
    assert called == {tool.name for tool in catalog.tools}
    texts = {normal(e.text) for sample in samples for e in sample.exchanges}
    assert len(texts) > 0.6 * sum(len(sample.exchanges) for sample in samples)


@pytest.mark.parametrize("name", domains.OWN)
def test_nothing_held_out_is_trained_on(name: str, tmp_path: Path) -> None:
    catalog = catalogs.load(name)
    sieve = Sieve(LeakFilter.read([command.HELD_OUT]))
    made = command.built_in(catalog, 1).samples
    command.synthesize(lambda n: made(8 * n), catalog, (600, 50), sieve, tmp_path)
    tested = {normal(text) for path in DATA.glob("*.jsonl") for text in held_out(path)}
    assert len(tested) > 500
    trained = {
        normal(text)
        for path in tmp_path.glob("*.jsonl")
        for text in held_out(path)
        if not is_formula(text)
    }
    leaked = {text for text in tested & trained if text.count(" ") or not is_formula(text)}
    assert leaked == set()


def test_every_utterance_of_our_test_sets_is_held_out() -> None:
    known = LeakFilter.read([command.HELD_OUT]).known
    for path in sorted(DATA.glob("*.jsonl")):
        for text in held_out(path):
            assert is_formula(text) or digests(text) <= known, f"{text!r} of {path.name}"


def test_writers_spare_what_is_copied() -> None:
    spans = [Span("show "), Span("READ me.TXT", "file:file"), Span(" what's in it")]
    for seed in range(50):
        rng = random.Random(seed)
        assert "READ me.TXT" in writers({"file"})(rng)(spans, rng)


def test_writers_differ() -> None:
    spans = [Span("what's on in the kitchen, i wonder?")]
    texts = {writers(())(random.Random(seed))(spans, random.Random(seed)) for seed in range(200)}
    assert "What's on in the kitchen, I wonder?" in texts
    assert "whats on in the kitchen, i wonder" in texts
    assert len(texts) > 12


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (72, "seventy two"),
        (100, "one hundred"),
        (342, "three hundred forty two"),
        (1500, "one thousand five hundred"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert values.in_words(number) == words
