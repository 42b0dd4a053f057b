"""Stage `trim`: a checkpoint with a smaller vocabulary, for a page that downloads less.

    config.json  model.safetensors  tokenizer.json  tokenizer_config.json  chat_template.jinja

The result is a checkpoint folder like any other: `convert`, `evaluate` and training take it as it
is. Rows of the embedding are copied, not computed, in their own precision, and nothing else of the
weights changes; which rows, and what is promised of texts, is `trim_vocabulary`'s. An adapter that
leaves the embedding alone fits a trimmed base as well as the full one.

It covers checkpoints whose output head is their embedding. It does not train.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from offhand_export import sources
from offhand_export import tokenizer_files as tokenizers
from offhand_export import trim_vocabulary as vocabularies
from offhand_export.checkpoint import STAMP, is_current
from offhand_export.errors import CheckpointError
from offhand_export.files import copy, fingerprint, replacing, sha256

SIZE = 32_768
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
COPIED = ("chat_template.jinja", "generation_config.json")
REVISED = ("tokenizer_files", "trim", "trim_vocabulary")
"""Modules that decide what is written."""

Progress = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class _Job:
    """One trimming: where from, where to, and what to keep."""

    checkpoint: Path
    folder: Path
    size: int
    texts: Sequence[Path]
    progress: Progress


def trim(
    checkpoint: str | Path,
    out: str | Path,
    size: int = SIZE,
    texts: Sequence[Path] = (),
    progress: Progress = print,
) -> Path:
    """Write a checkpoint folder with `size` tokens, unless `out` already holds this one.

    Args:
        checkpoint: a folder that `checkpoint` wrote.
        out: the folder to write; replaced as a whole, only when everything is done.
        size: tokens to keep.
        texts: text files; every token they are encoded with is kept before any others.
        progress: told of each step in one line.

    Raises:
        CheckpointError: the checkpoint is damaged or of another kind, or a text cannot be read.
        TokenizerError: its tokenizer is of another kind, or has no more than `size` tokens.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    if out.resolve() == checkpoint.resolve():
        raise CheckpointError(f"{out} is the checkpoint itself.", "Name another folder with --out.")
    sources.check_config(checkpoint)
    sources.check_weights(checkpoint)
    inputs = fingerprint(
        [sources.locate(str(checkpoint)).digest, str(size), _revision(), *map(_digest, texts)]
    )
    if is_current(out, inputs):
        progress(f"trim: {out} is up to date")
        return out
    with replacing(out) as fresh:
        _write(_Job(checkpoint, fresh, size, texts, progress))
        files = {path.name: path.stat().st_size for path in sorted(fresh.iterdir())}
        stamp = _stamp(checkpoint / STAMP, checkpoint.resolve().name)
        stamp |= {"source": f"{stamp['source']}, {size:,} tokens", "inputs": inputs, "files": files}
        (fresh / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
    progress(f"trim: wrote {out}")
    return out


def _revision() -> str:
    here = Path(__file__).parent
    paths = [*(here / f"{name}.py" for name in REVISED), vocabularies.FREQUENT]
    return fingerprint([sha256(path) for path in paths])


def _digest(text: Path) -> str:
    if not text.is_file():
        raise CheckpointError(f"There is no text file {text}.", "Check the path.")
    return sha256(text)


def _stamp(path: Path, label: str) -> dict[str, Any]:
    """What the source says of itself; a folder made elsewhere says nothing, and counts as tuned."""
    found = tokenizers.read_json(path) if path.is_file() else {}
    return {"source": found.get("source", label), "untuned": found.get("untuned", False)}


def _write(job: _Job) -> None:
    full = tokenizers.read_json(job.checkpoint / "tokenizer.json")
    config = tokenizers.read_json(job.checkpoint / "config.json")
    rows = int(config.get("vocab_size", 0))
    tokenizers.check(full, rows)
    ids = vocabularies.select(full, job.size, _tokens(full, job.texts))
    small = vocabularies.trimmed(full, ids)
    tokenizers.check(small, job.size)
    (job.folder / "tokenizer.json").write_text(tokenizers.compact(small), "utf-8")
    settings = json.dumps(tokenizers.settings(), indent=1) + "\n"
    (job.folder / "tokenizer_config.json").write_text(settings, "utf-8")
    size = (job.folder / "tokenizer.json").stat().st_size
    job.progress(f"trim: {rows:,} tokens to {job.size:,}, tokenizer {size / 1e6:,.1f} MB")
    _write_weights(job, ids, rows)
    config["vocab_size"] = job.size
    (job.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    for name in COPIED:
        if (job.checkpoint / name).is_file():
            copy(job.checkpoint / name, job.folder / name)


def _tokens(tokenizer: vocabularies.Json, texts: Sequence[Path]) -> list[str]:
    """Every token that the texts are encoded with, each once."""
    if not texts:
        return []
    served = tokenizers.load(tokenizers.text_only(tokenizer))
    found: dict[str, None] = {}
    for path in texts:
        try:
            lines = path.read_text("utf-8").splitlines()
        except ValueError as error:
            raise CheckpointError(f"{path} is not UTF-8 text: {error}.", "Convert it.") from error
        for encoded in served.encode_batch(lines, add_special_tokens=False):
            found.update(dict.fromkeys(encoded.tokens))
    return list(found)


def _write_weights(job: _Job, ids: Sequence[int], rows: int) -> None:
    """Copy every tensor, of the embedding only the rows `ids`."""
    path = job.checkpoint / "model.safetensors"
    if not path.is_file():
        raise CheckpointError(
            f"The weights in {job.checkpoint} lie in several files.",
            "Make one checkpoint of them with `offhand-export checkpoint`.",
        )
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        if EMBEDDING not in names or HEAD in names:
            raise CheckpointError(
                f"The checkpoint in {job.checkpoint} has an output head of its own.",
                "Use a checkpoint whose output head is its embedding (tie_word_embeddings).",
            )
        tensors = {name: file.get_tensor(name) for name in sorted(names)}
    if tensors[EMBEDDING].shape[0] != rows:
        raise CheckpointError(
            f"The embedding in {path} has {tensors[EMBEDDING].shape[0]} rows, config.json {rows}.",
            "Copy the whole checkpoint again.",
        )
    tensors[EMBEDDING] = tensors[EMBEDDING][torch.tensor(ids)]
    save_file(tensors, job.folder / "model.safetensors", metadata={"format": "pt"})
    kept = tensors[EMBEDDING]
    job.progress(f"trim: embedding {kept.nbytes / 1e6:,.1f} MB, {kept.dtype}")
