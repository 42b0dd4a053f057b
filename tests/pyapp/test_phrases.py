"""What is said to the agent itself, and what only looks like it."""

from __future__ import annotations

import pytest

from offhand import phrases
from offhand.phrases import HELP, NEVER_MIND, NO, PERSON, UNDO, YES, corrects, meaning


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Yes", YES),
        ("  yes, please! ", YES),
        ("OK.", YES),
        ("That\u2019s right", YES),
        ("No.", NO),
        ("no,  thanks", NO),
        ("don\u2019t", NO),
        ("Neither", NO),
        ("Undo that, please", UNDO),
        ("take it back", UNDO),
        ("Never mind!", NEVER_MIND),
        ("nevermind", NEVER_MIND),
        ("?", HELP),
        ("What can you do?", HELP),
        ("Talk to a human.", PERSON),
        ("", None),
        ("...", None),
        ("yes, the kitchen", None),
        ("no, the kitchen", None),
        ("undo the kitchen light", None),
        ("help me lock the door", None),
        ("yesterday", None),
    ],
)
def test_meaning(text: str, meant: str | None) -> None:
    assert meaning(text) == meant


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("no, the garage", True),
        ("No - the garage", True),
        ("not the kitchen, the hall", True),
        ("I meant the hall", True),
        ("  actually the hall", True),
        ("oops, savings", True),
        ("make that 300", True),
        ("scratch that: 300", True),
        ("no", False),
        ("no.", False),
        ("no!!", False),
        ("the hall, not the kitchen", False),
        ("nothing else", False),
        ("waiting room lights on", False),
        ("make a folder", False),
        ("actually, the hall too", False),
        ("wait, also lock the back door", False),
        ("no, too warm", True),
        ("", False),
    ],
)
def test_corrects(text: str, does: bool) -> None:
    assert corrects(text) is does


def test_no_wording_means_two_things() -> None:
    listed = [
        " ".join(phrase.split())
        for wordings in phrases._PHRASES.values()
        for phrase in wordings.split("|")
    ]
    assert len(listed) == len(set(listed))
    assert all(meaning(phrase) for phrase in listed)
