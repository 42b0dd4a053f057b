"""Names much like another, and texts that end like sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from offhand_export.synth.domains.files_shapes import as_sentences, sibling, with_siblings


@pytest.mark.parametrize(
    ("name", "among"),
    [
        ("report.txt", {"reports.txt", "Report.txt", "report.txt.bak", "report", "report_v2.txt"}),
        ("data_v9.csv", {"data_v10.csv", "data_v9.json"}),
        ("src/a/IMG_0041.txt", {"src/a/IMG_0042.txt", "src/a/img_0041.txt"}),
        (".env", {".envs", ".env_old"}),
        ("notes", {"note", "Notes", "notes_final"}),
    ],
)
def test_siblings_differ_by_little(name: str, among: set[str]) -> None:
    made = {sibling(name, random.Random(seed)) for seed in range(600)}
    assert among <= made
    folder = name.rpartition("/")[0]
    assert all(one.rpartition("/")[0] == folder for one in made)


def test_a_sibling_is_of_the_same_conversation() -> None:
    names: Iterator[str] = iter(["first.txt", "other.txt", "third.txt"])
    draw = with_siblings(lambda rng: next(names), share=1.0)
    one, another = random.Random(1), random.Random(1)
    assert draw(one) == "first.txt"
    assert draw(another) == "other.txt"
    assert draw(one).lower().startswith("first")


@pytest.mark.parametrize(
    ("text", "changes"),
    [("sales rose 4 percent", True), ("hello", False), ("what a day!", False)],
)
def test_only_texts_of_several_words_get_a_mark(text: str, changes: bool) -> None:
    draw = as_sentences(lambda rng: text)
    made = {draw(random.Random(seed)) for seed in range(200)}
    ends = {"Sales rose 4 percent.", "Sales rose 4 percent!", "Sales rose 4 percent?"}
    assert made == ({text} | ends if changes else {text})
