"""The command `offhand-export synth`: which teacher, how many, where to.

    <out>/<catalog>.train.jsonl  <catalog>.valid.jsonl  <catalog>.report.json  <catalog>.report.md

Whatever the teacher, every conversation is checked (see `check`), kept apart from the test sets and
from its like (see `filters`), and counted (see `balance_report`). The built-in teacher makes the
same files from the same seed in seconds, so an interrupted run is run again; the language model's
answers are kept on disk.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from offhand import catalogs
from offhand.catalogs import Catalog
from offhand_export.errors import ExportError
from offhand_export.synth import balance_report, domains, material, openai_options
from offhand_export.synth.check import Support, check, no_opinion
from offhand_export.synth.filters import LeakFilter, Sieve, write_hashes
from offhand_export.synth.sample import Sample, gold
from offhand_export.synth.simulate import Simulator
from offhand_export.synth.writer import replace_text, write_samples

MATERIAL = Path(__file__).parents[1] / "material"
"""The built-in teacher's hand-written language."""

HELD_OUT = Path(__file__).parent / "held_out.txt"
"""Hashes of the utterances models are tested on: of our own test sets, of the public conversations
they are measured with, and of the Berkeley leaderboard's multi-turn tasks."""

GUIDE = MATERIAL / "LABELLING.md"
"""The labelling guide, which a language model is given to follow."""

PATIENCE = 8
"""Conversations the built-in teacher makes for each one wanted before it counts as exhausted."""


def built_in(catalog: Catalog, seed: int, folder: Path = MATERIAL) -> Simulator:
    """The built-in teacher of a catalog.

    Raises:
        ExportError: it has no material for this catalog, or the material is faulty.
    """
    if catalog.name not in domains.OWN:
        raise ExportError(
            f"The built-in teacher has no material for {catalog.name!r}.",
            f"Use --teacher openai, or one of {', '.join(domains.OWN)}.",
        )
    domain = domains.load(catalog.name)
    read = material.read(folder / catalog.name, catalog, list(domain.kinds))
    return Simulator(catalog, read, domain.kinds, domain.habits, domain.voice, seed)


def kept(
    samples: Iterable[Sample], catalog: Catalog, sieve: Sieve, rejections: Counter[str]
) -> Iterator[Sample]:
    """Those conversations that are right and new; the others are counted by reason."""
    support = _support(catalog)
    for sample in samples:
        reason = check(sample, catalog, support) or sieve.reason(sample)
        if reason is None:
            yield sample
        else:
            rejections[reason] += 1


def _support(catalog: Catalog) -> Support:
    return domains.load(catalog.name).support if catalog.name in domains.OWN else no_opinion


def show(sample: Sample) -> str:
    """A conversation for people to read."""
    lines = []
    for exchange in sample.exchanges:
        call = gold(exchange)
        words = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
        lines += [f"  U {exchange.text}", f"      {call.name}({words})"]
    return "\n".join([f"[{' '.join(sample.phenomena)}]", *lines])


def check_material(
    catalog: Catalog, seed: int, count: int, say: Callable[[str], Any] = print
) -> None:
    """Read the material, make a few hundred conversations, and print some.

    Raises:
        ExportError: the material is faulty.
    """
    made = list(built_in(catalog, seed).samples(max(count, 300)))
    for sample in itertools.islice(made, count):
        say(show(sample))
    rejections: Counter[str] = Counter()
    fine = list(kept(made, catalog, Sieve(), rejections))
    say(f"{len(made)} conversations made, {len(fine)} kept; turned down: {dict(rejections)}")


def synthesize(
    teacher: Callable[[int], Iterable[Sample]],
    catalog: Catalog,
    sizes: tuple[int, int],
    sieve: Sieve,
    out: Path,
    rejections: Counter[str] | None = None,
) -> balance_report.Balance:
    """Write the training and validation conversations of one catalog, and their reports.

    Args:
        teacher: makes conversations, given how many are wanted; some more, as not all are kept.
        catalog: whose conversations these are.
        sizes: conversations to train on and to validate on.
        sieve: what to keep out.
        out: folder to write to.
        rejections: those the teacher itself turned down.

    Raises:
        ExportError: the teacher ran out, or the files cannot be written.
    """
    counts = rejections if rejections is not None else Counter()
    wanted = sum(sizes)
    samples = list(itertools.islice(kept(teacher(wanted), catalog, sieve, counts), wanted))
    if len(samples) < wanted:
        raise ExportError(
            f"The teacher gave {len(samples)} conversations of {wanted}; the others were turned "
            f"down: {dict(counts)}.",
            "Ask for fewer, or give it more material.",
        )
    report = balance_report.balance(samples, catalog, counts)
    write_samples(samples[sizes[1] :], out / f"{catalog.name}.train.jsonl")
    write_samples(samples[: sizes[1]], out / f"{catalog.name}.valid.jsonl")
    as_json = json.dumps(balance_report.as_json(report), indent=1, ensure_ascii=False)
    replace_text(out / f"{catalog.name}.report.json", as_json + "\n")
    replace_text(out / f"{catalog.name}.report.md", balance_report.as_markdown(report))
    return report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `synth` takes."""
    parser.add_argument("--catalog", action="append", help="catalog; all of our own if not given")
    parser.add_argument("--teacher", choices=("built-in", "openai"), default="built-in")
    parser.add_argument("--count", type=int, default=4000, help="conversations a catalog")
    parser.add_argument("--valid", type=int, default=100, help="more of them, for validation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/data"), help="folder to write")
    parser.add_argument(
        "--held-out",
        type=Path,
        action="append",
        default=[],
        help="more test data (or hashes of it) to keep out",
    )
    parser.add_argument("--check", action="store_true", help="check the material, print samples")
    parser.add_argument(
        "--hash-held-out", type=Path, help="only write the hashes of the --held-out files here"
    )
    openai_options.add_arguments(parser)


def synth_command(args: argparse.Namespace) -> int:
    """Run `synth`.

    Raises:
        ExportError, OffhandError: an option makes no sense, a catalog or the material cannot be
            used, the teacher ran out, or the files cannot be written.
    """
    _check_options(args)
    if args.hash_held_out:
        print(f"{write_hashes(args.held_out, args.hash_held_out)} hashes")
        return 0
    for name in args.catalog or domains.OWN:
        catalog = catalogs.load(name)
        if args.check:
            check_material(catalog, args.seed, args.count)
            continue
        print(f"synth: {_make(args, catalog)}", flush=True)
    return 0


def _check_options(args: argparse.Namespace) -> None:
    for option, least in (("count", 1), ("valid", 0)):
        value = getattr(args, option)
        if value < least:
            raise ExportError(f"--{option} is {value}.", f"Give at least {least}.")
    if args.hash_held_out and not args.held_out:
        raise ExportError("There is nothing to hash.", "Name test data with --held-out.")


def _make(args: argparse.Namespace, catalog: Catalog) -> str:
    sieve = Sieve(LeakFilter.read([HELD_OUT, *args.held_out]))
    sizes = (args.count, args.valid)
    if args.teacher == "built-in":
        made = built_in(catalog, args.seed).samples
        report = synthesize(lambda wanted: made(wanted * PATIENCE), catalog, sizes, sieve, args.out)
    else:
        report = _ask(args, catalog, sizes, sieve)
    turned = sum(report.rejections.values())
    return (
        f"{report.conversations} conversations of {catalog.name}, {report.turns} turns, "
        f"{report.distinct_texts} different messages, {turned} turned down, in {args.out}"
    )


def _ask(
    args: argparse.Namespace, catalog: Catalog, sizes: tuple[int, int], sieve: Sieve
) -> balance_report.Balance:
    from offhand_export.synth import openai_command

    guide = GUIDE.read_text("utf-8")
    teacher = openai_command.open_teacher(args, catalog, guide, _support(catalog))
    money = openai_command.purse(args)
    print(f"synth: {openai_command.estimate_line(teacher, sum(sizes), money)}", flush=True)
    try:
        with openai_command.shown(teacher, sum(sizes), money):
            # A quarter more than wanted: some are duplicates, and every one is paid for.
            return synthesize(
                lambda wanted: teacher.samples(wanted + wanted // 4),
                catalog,
                sizes,
                sieve,
                args.out,
                teacher.rejections,
            )
    finally:
        print(f"synth: {openai_command.bill_line(teacher, money)}", flush=True)
