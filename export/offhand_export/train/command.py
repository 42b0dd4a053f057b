"""`offhand-export train`: reads the experiment, opens the checkpoint, runs.

The same command again goes on where the run stopped. Under `accelerate launch` several processes
share the steps; a GPU is used where there is one.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offhand.prompt import Template
    from offhand.tokenizer import Vocabulary
    from offhand_export.train.batches import Examples
    from offhand_export.train.config import Config
    from offhand_export.train.loop import Base, Say
    from offhand_export.train.network import Network

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `offhand-export train` takes."""
    parser.add_argument("config", type=Path, help="the experiment, a TOML file")
    parser.add_argument(
        "--checkpoint", required=True, type=Path, help="checkpoint folder to train on"
    )
    parser.add_argument(
        "--out", required=True, type=Path, help="the run's folder; one that is there goes on"
    )
    parser.add_argument("--adapter", type=Path, help="adapter of an earlier run to begin from")


def train_command(args: argparse.Namespace) -> int:
    """Run `offhand-export train`; 130 when it was interrupted, its state saved."""

    def say(line: str) -> None:
        print(line, flush=True)

    finished = train(args.config, args.checkpoint, args.out, say, args.adapter)
    if not finished:
        say("train: interrupted; the state is saved, and the same command goes on from it")
    return 0 if finished else INTERRUPTED


def train(
    config_path: Path, checkpoint: Path, out: Path, say: Say, adapter: Path | None = None
) -> bool:
    """Train an adapter, or go on with it.

    Args:
        config_path: the experiment (`offhand_export.train.config`).
        checkpoint: folder that `offhand-export checkpoint` or `trim` wrote.
        out: the run's folder.
        say: told of progress, in lines.
        adapter: of an earlier run on the same checkpoint, to begin from.

    Returns:
        Whether the run has reached its last step.

    Raises:
        ExportError, OffhandError: the experiment, its data or the checkpoint cannot be used, or
            the folder holds another run.
    """
    from offhand_export.train.config import read_config

    config = read_config(config_path)

    import torch

    from offhand_export.train.batches import read_examples
    from offhand_export.train.loop import Trainer
    from offhand_export.train.processes import Launched
    from offhand_export.train.state import RunFolder

    processes = Launched()
    if processes.index:
        say = _silent
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    # Gradients fade out through numbers so small that the processor handles them in microcode.
    torch.set_flush_denormal(True)
    vocabulary, template = _open_text(checkpoint)
    limit = config.run.validate_conversations
    examples = [read_examples(data, vocabulary, template, limit) for data in config.data]
    _check(config, examples)
    for entry in examples:
        say(
            f"train: {entry.catalog}: {len(entry.train)} conversations, {entry.prefix} tokens of "
            f"declarations, {len(entry.valid)} conversations to validate on"
        )
    folder = RunFolder(out)
    with folder.alone() if processes.index == 0 else nullcontext():
        if processes.index == 0:
            folder.claim(_facts(config, checkpoint, examples, adapter))
        network, base = _open_model(config, checkpoint, processes.device, adapter)
        return Trainer(config, network, examples, base, folder, processes, say).run()


def _open_model(
    config: Config, checkpoint: Path, device: str, adapter: Path | None
) -> tuple[Network, Base]:
    """The checkpoint with fresh or given adapters, and what adapters say of it."""
    import torch

    from offhand_export import sources
    from offhand_export.train.adapter import base_fingerprint, base_name, load_adapter
    from offhand_export.train.loop import Base
    from offhand_export.train.network import Network

    model = sources.load(sources.Source(checkpoint.name, checkpoint, ""))
    network = Network(
        model,
        rank=config.lora.rank,
        scale=config.lora.alpha / config.lora.rank,
        dtype=torch.bfloat16 if config.run.precision == "bf16" else torch.float32,
        seed=config.seed,
        device=device,
    )
    base = Base(base_name(checkpoint), base_fingerprint(model))
    if adapter is not None:
        load_adapter(network, adapter, base.fingerprint)
    return network, base


def _check(config: Config, examples: list[Examples]) -> None:
    """Refuse what only shows once the data has been read."""
    from offhand_export.train.errors import TrainError

    names = [entry.catalog for entry in examples]
    for name in names:
        if names.count(name) > 1:
            raise TrainError(f"Catalog {name!r} has two [[data]] tables.", "Join their files.")
    for entry in examples:
        if entry.prefix >= config.steps.max_tokens:
            raise TrainError(
                f"The declarations of {entry.catalog} take {entry.prefix} tokens; `max_tokens` of "
                f"[steps] is {config.steps.max_tokens}.",
                "Raise it.",
            )


def _silent(line: str) -> None:
    """Say nothing: one of several processes speaks for all."""


def _open_text(checkpoint: Path) -> tuple[Vocabulary, Template]:
    """The checkpoint's tokenizer and template, as a session uses them."""
    from offhand.native import NativeText
    from offhand.prompt import Template
    from offhand.tokenizer import Vocabulary
    from offhand_export import tokenizer_files
    from offhand_export.errors import CheckpointError

    tokenizer = tokenizer_files.read_json(checkpoint / "tokenizer.json")
    template = checkpoint / "chat_template.jinja"
    if not template.is_file():
        raise CheckpointError(f"{checkpoint} has no {template.name}.", "Make the checkpoint again.")
    vocabulary = Vocabulary(
        NativeText(tokenizer_files.load(tokenizer_files.text_only(tokenizer))),
        tokenizer_files.control_tokens(tokenizer),
        tokenizer_files.control_ids(tokenizer),
    )
    return vocabulary, Template(template.read_text("utf-8"))


def _facts(
    config: Config, checkpoint: Path, examples: list[Examples], adapter: Path | None
) -> dict[str, Any]:
    """What a rerun must not have changed; how often to look and save may change."""
    import dataclasses

    from offhand_export.files import sha256
    from offhand_export.train.adapter import WEIGHTS

    names = ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja")
    files = {name: checkpoint / name for name in names}
    weights = adapter / WEIGHTS if adapter is not None else None
    begun = {"adapter": sha256(weights)} if weights and weights.is_file() else {}
    return {
        **begun,
        "config": {
            "seed": config.seed,
            "precision": config.run.precision,
            **{
                name: dataclasses.asdict(getattr(config, name))
                for name in ("lora", "optimizer", "steps", "quantize")
            },
        },
        "data": {entry.catalog: entry.digest for entry in examples},
        "checkpoint": {name: sha256(path) for name, path in files.items() if path.is_file()},
    }
