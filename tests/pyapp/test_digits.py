"""Digit by digit, exactly the canonical numbers within bounds can be spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhand.dialect import number_text
from offhand.digits import magnitudes, may_stop, next_characters
from offhand.schema import Number


def spelled(low: int, high: int, decimals: int, limit: int) -> set[str]:
    """Every number of at most `limit` characters that the rules let one spell."""
    found, open_ends = set(), [""]
    while open_ends:
        text = open_ends.pop()
        if may_stop(text, low, high, decimals):
            found.add(text)
        if len(text) < limit:
            open_ends += [text + c for c in next_characters(text, low, high, decimals)]
    return found


@given(st.integers(0, 1200), st.integers(0, 300))
def test_integers(low: int, width: int) -> None:
    assert spelled(low, low + width, 0, 4) == {str(n) for n in range(low, low + width + 1)}


@given(st.integers(0, 1200), st.integers(0, 300))
def test_decimals(low: int, width: int) -> None:
    expected = {number_text(n / 100) for n in range(low, low + width + 1)}
    assert spelled(low, low + width, 2, 6) == expected


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.text("0123456789.", max_size=8))
def test_no_dead_ends(low: int, width: int, wish: str) -> None:
    """Whatever allowed characters one takes, the number can be finished."""
    text = ""
    for step in range(12):
        options = next_characters(text, low, low + width, 2)
        if not options:
            break
        text += wish[step] if step < len(wish) and wish[step] in options else options[0]
    assert may_stop(text, low, low + width, 2) or next_characters(text, low, low + width, 2)


@pytest.mark.parametrize(
    ("number", "negative", "expected"),
    [
        (Number(60, 80, 0), False, (60, 80)),
        (Number(60, 80, 0), True, None),
        (Number(-5, 80, 0), False, (0, 80)),
        (Number(-5, 80, 0), True, (1, 5)),
        (Number(-9, -3, 0), False, None),
        (Number(-9, -3, 0), True, (3, 9)),
        (Number(0, None, 0), False, (0, 10**15 - 1)),
        (Number(0, 0, 0), True, None),
    ],
)
def test_magnitudes(number: Number, negative: bool, expected: tuple[int, int] | None) -> None:
    assert magnitudes(number, negative) == expected
