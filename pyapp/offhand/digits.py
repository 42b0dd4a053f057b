"""Which digit may come next: canonical decimal numbers within bounds, one character at a time.

Canonical means no leading zero, no trailing zero after the point, no exponent, no plus sign. Bounds
and values are whole numbers of units of 10**-decimals, so that no float rounding enters. The sign
is not a digit: a negative number is the digits of its magnitude, with the bounds mirrored.
"""

from __future__ import annotations

from offhand.schema import MAX_DIGITS, Number


def magnitudes(number: Number, negative: bool) -> tuple[int, int] | None:
    """Least and greatest magnitude of one sign in units, or None when that sign cannot occur."""
    limit = 10 ** (MAX_DIGITS + number.decimals) - 1
    low = -limit if number.low is None else number.low
    high = limit if number.high is None else number.high
    least, greatest = (max(1, -high), -low) if negative else (max(0, low), high)
    return (least, greatest) if least <= greatest else None


def may_stop(text: str, low: int, high: int, decimals: int) -> bool:
    """Whether `text` is a whole canonical number within [low, high] units."""
    if not text or text.endswith(".") or ("." in text and text.endswith("0")):
        return False
    return low <= _units(text, decimals) <= high


def next_characters(text: str, low: int, high: int, decimals: int) -> str:
    """The characters of "0123456789." after which some canonical number can still be reached."""
    options = "0123456789"
    if decimals and text and "." not in text:
        options += "."
    return "".join(c for c in options if _reachable(text + c, low, high, decimals))


def _units(text: str, decimals: int) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(decimals, "0"))


def _reachable(text: str, low: int, high: int, decimals: int) -> bool:
    whole, point, fraction = text.partition(".")
    if len(whole) > 1 and whole[0] == "0":
        return False
    start = _units(text, decimals)
    if point:
        if len(fraction) > decimals:
            return False
        # A text that ends in 0 or the point still needs a non-zero digit to be canonical.
        first = start if fraction and fraction[-1] != "0" else start + 1
        room: int = 10 ** (decimals - len(fraction))
        return max(low, first) <= min(high, start + room - 1)
    more = 0 if whole == "0" else MAX_DIGITS - len(whole)
    unit = 10**decimals
    return any(
        max(low, start * 10**k) <= min(high, (start + unit) * 10**k - 1) for k in range(more + 1)
    )
