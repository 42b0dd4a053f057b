"""How `offhand-export synth --teacher openai` opens its teacher, and what it tells while it runs.

Covers opening the teacher from the options (`openai_options`), the estimate before, the progress
bar, and the bill after. Asking itself is `openai`'s concern.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from offhand.catalogs import Catalog
from offhand_export.synth.cache import AnswerCache
from offhand_export.synth.check import Support, no_opinion
from offhand_export.synth.endpoint import Address, Endpoint, TeacherError
from offhand_export.synth.openai import Ask, OpenAITeacher, Prices
from offhand_export.synth.openai_options import KEY

_PATH = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Purse:
    """Speaks of money where prices are known."""

    prices: Prices | None

    def of(self, tokens_in: int, tokens_out: int) -> str:
        """What so many tokens cost, for a reader."""
        if self.prices is None:
            return "cost unknown: give --price-in and --price-out"
        return f"cost {self.prices.of(tokens_in, tokens_out):.2f}"


def open_teacher(
    args: argparse.Namespace, catalog: Catalog, guide: str = "", support: Support = no_opinion
) -> OpenAITeacher:
    """The teacher that the options describe.

    Args:
        args: with the options of `openai_options`, and `seed`.
        catalog: what to make conversations for.
        guide: how to label, in words, for the model.
        support: the domain's word on what supports an argument.

    Raises:
        TeacherError: an option is missing or makes no sense, or the key is not there.
    """
    _check(args)
    address = Address(
        base_url=_base(args.base_url),
        key=_key(args.api_key_env),
        key_name=args.api_key_env or KEY,
        timeout=args.timeout,
    )
    ask = Ask(
        model=args.model,
        seed=args.seed,
        size=args.size,
        concurrency=args.concurrency,
        temperature=args.temperature,
        guide=guide,
    )
    # Another server may give the same name to another model.
    cache = AnswerCache(args.cache / urlsplit(address.base_url).netloc.replace(":", "_"))
    return OpenAITeacher(catalog, ask, Endpoint(address), cache, support)


def purse(args: argparse.Namespace) -> Purse:
    """The prices given, if both are."""
    known = args.price_in is not None and args.price_out is not None
    return Purse(Prices(args.price_in, args.price_out) if known else None)


def estimate_line(teacher: OpenAITeacher, count: int, money: Purse) -> str:
    """What a run is about to take, for a reader."""
    requests, tokens_in, tokens_out = teacher.estimate(count)
    return (
        f"about {requests} requests to send, {tokens_in:,} tokens in, {tokens_out:,} out, "
        f"{money.of(tokens_in, tokens_out)}"
    )


def bill_line(teacher: OpenAITeacher, money: Purse) -> str:
    """What a run took, for a reader."""
    bill = teacher.bill
    guessed = f" ({bill.guessed} answers without a count, guessed)" if bill.guessed else ""
    return (
        f"{bill.requests} answers asked for, {bill.cached} from the cache, {bill.tokens_in:,} "
        f"tokens in, {bill.tokens_out:,} out{guessed}, {money.of(bill.tokens_in, bill.tokens_out)}"
    )


@contextmanager
def shown(teacher: OpenAITeacher, count: int, money: Purse) -> Iterator[None]:
    """A progress bar on stderr while the block draws conversations from the teacher."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=count, unit=" conversations", file=sys.stderr, dynamic_ncols=True) as bar:

        def progress(made: int, teacher: OpenAITeacher) -> None:
            bill = teacher.bill
            bar.set_postfix_str(
                f"{bill.requests} asked, {bill.cached} cached, "
                f"{teacher.rejections.total()} turned down, "
                f"{money.of(bill.tokens_in, bill.tokens_out).partition(':')[0]}",
                refresh=False,
            )
            bar.update(made - bar.n)

        teacher.progress = progress
        yield


def _check(args: argparse.Namespace) -> None:
    for option in ("base_url", "model"):
        if not getattr(args, option):
            raise TeacherError(
                f"--teacher openai lacks --{option.replace('_', '-')}.",
                "Give an endpoint and a model, such as --base-url http://127.0.0.1:8080/v1 "
                "--model NAME.",
            )
    parts = urlsplit(args.base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        # Not repeated here: what stands before an @ is a secret.
        raise TeacherError(
            "--base-url is no plain address.",
            "Give one such as https://host/v1, and the key with --api-key-env.",
        )
    for option, least in (("concurrency", 1), ("size", 1), ("timeout", 1), ("temperature", 0)):
        value = getattr(args, option)
        if value is not None and value < least:
            raise TeacherError(f"--{option} is {value}.", f"Give at least {least}.")
    prices: Sequence[float | None] = (args.price_in, args.price_out)
    if (prices[0] is None) != (prices[1] is None) or any(price and price < 0 for price in prices):
        raise TeacherError(
            "--price-in and --price-out do not make a price.", "Give both, 0 or more."
        )


def _base(url: str) -> str:
    return url.rstrip("/").removesuffix(_PATH).rstrip("/")


def _key(variable: str | None) -> str:
    """The key; a variable that was named has to be there, the usual one need not."""
    key = os.environ.get(variable or KEY, "").strip()
    if variable and not key:
        raise TeacherError(
            f"The environment variable {variable} holds no key.",
            f"Set it (export {variable}=...), or leave out --api-key-env if none is needed.",
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise TeacherError(
            f"The environment variable {variable or KEY} holds something that is no key.",
            "Set it to the key alone: one word of ASCII characters.",
        )
    return key
