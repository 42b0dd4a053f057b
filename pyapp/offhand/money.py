"""Dollars, exactly: numbers as calls give them, and sums as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def amount_of(value: Any) -> Decimal:
    """A call's number as written, not as binary rounding has it, with two decimals at least.

    Raises:
        ValueError: it is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no amount")
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return amount + ZERO


def is_whole_cents(amount: Decimal) -> bool:
    """Whether the sum has no more than two decimals."""
    numerator, denominator = amount.as_integer_ratio()
    return numerator * 100 % denominator == 0


def plain(amount: Decimal) -> str:
    """A sum in dollars without the sign of the currency: "-1,234.50"."""
    return f"{amount:,.2f}"


def dollars(amount: Decimal) -> str:
    """A sum in dollars as prose has it: "$1,234.50", "-$5.00"; fractions of a cent are shown."""
    shown = plain(abs(amount)) if is_whole_cents(amount) else f"{abs(amount):f}"
    return f"{'-' if amount < 0 else ''}${shown}"


def read_cents(text: Any) -> Decimal:
    """A sum that was saved as text.

    Raises:
        ValueError: it is no sum in whole cents.
    """
    sign, _, rest = text.rpartition("-") if isinstance(text, str) else ("", "", "")
    whole, point, cents = rest.partition(".")
    digits = whole.isdecimal() and whole.isascii() and cents.isdecimal() and cents.isascii()
    if sign or not (digits and point and len(cents) == 2):
        raise ValueError(f"{text!r} is no sum in dollars and cents")
    return Decimal(text)
