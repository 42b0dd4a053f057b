"""Stage 1, `checkpoint`: any source of weights becomes one Hugging Face checkpoint folder.

    config.json  model.safetensors  tokenizer.json  tokenizer_config.json  chat_template.jinja

Training and `convert` read this folder and nothing else. Weights that arithmetic has touched
(dequantized from the GGUF, merged with an adapter) are kept in float32, because rounding the
GGUF's blocks to bfloat16 errs by up to half a step of the 8-bit ones; weights copied from a
checkpoint keep their own precision. A source's own chat template and tokenizer travel with it; a
base model gets ours, and the dialect's control tokens on the rows FunctionGemma uses.

It covers assembling and checking. It does not train, and does not quantize.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from offhand_export import sources
from offhand_export import tokenizer_files as tokenizers
from offhand_export.errors import CheckpointError
from offhand_export.files import fingerprint, replacing, sha256

STAMP = "offhand.json"
TEMPLATE = Path(__file__).parent / "templates" / "chat_template.jinja"
REVISION = "2"
"""Raised when this stage would write something else from the same inputs."""

Progress = Callable[[str], Any]


def make_checkpoint(
    source: str | Path,
    out: str | Path,
    adapter: str | Path | None = None,
    progress: Progress = print,
    *,
    tokenizer: Path = tokenizers.PUBLISHED,
) -> Path:
    """Write a checkpoint folder, unless `out` already holds this one.

    Args:
        source: "gguf", a local checkpoint or adapter folder, or a hub id.
        out: the folder to write; replaced as a whole, only when everything is done.
        adapter: a peft LoRA folder to merge.
        progress: told of each step in one line.
        tokenizer: Gemma 3's `tokenizer.json`, for sources that bring none.

    Raises:
        CheckpointError: the source cannot be reached or read, is damaged or of another kind.
        TokenizerError: tokenizer files are missing or do not fit.
    """
    out = Path(out)
    base, adapters = _chain(str(source), Path(adapter) if adapter else None)
    found = sources.locate(base)
    inputs = _inputs(found, adapters, tokenizer)
    if is_current(out, inputs):
        progress(f"checkpoint: {out} is up to date")
        return out
    folders = [*reversed(adapters), *([found.folder] if found.folder else [])]
    with replacing(out) as fresh:
        _write_weights(found, adapters, fresh, progress)
        rows = json.loads((fresh / "config.json").read_text("utf-8"))["vocab_size"]
        _write_tokenizer(folders, tokenizer, rows, fresh, progress)
        _write_template(folders, fresh, progress)
        label = " + ".join([found.label, *(path.resolve().name for path in adapters)])
        files = {path.name: path.stat().st_size for path in sorted(fresh.iterdir())}
        untuned = base == sources.GGUF and not adapters
        stamp = {"source": label, "untuned": untuned, "inputs": inputs, "files": files}
        (fresh / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
    progress(f"checkpoint: wrote {out}")
    return out


def _chain(source: str, adapter: Path | None) -> tuple[str, list[Path]]:
    """Follow adapters down to the model they were trained on: its name, then adapters in order."""
    adapters = [adapter] if adapter else []
    while sources.is_adapter(Path(source)):
        folder = Path(source)
        adapters.insert(0, folder)
        source = sources.adapter_base(folder)
        if Path(source) in adapters:
            raise CheckpointError(f"The adapter in {folder} names itself as base.", "Mend it.")
    return source, adapters


def _inputs(found: sources.Source, adapters: Sequence[Path], tokenizer: Path) -> str:
    facts = [REVISION, found.digest, sha256(TEMPLATE)]
    for path in adapters:
        if not path.is_dir():
            raise CheckpointError(f"There is no adapter folder {path}.", "Check the path.")
        facts += [sha256(file) for file in sorted(path.iterdir()) if file.is_file()]
    if tokenizer.is_file():
        facts.append(sha256(tokenizer))
    return fingerprint(facts)


def is_current(out: Path, inputs: str) -> bool:
    """Whether `out` is a whole checkpoint folder whose stamp says it was made of `inputs`."""
    try:
        stamp = json.loads((out / STAMP).read_text("utf-8"))
        sizes = {name: (out / name).stat().st_size for name in stamp["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(stamp.get("inputs") == inputs and sizes == stamp["files"])


def _write_weights(
    found: sources.Source, adapters: Sequence[Path], folder: Path, progress: Progress
) -> None:
    progress(f"checkpoint: reading {found.label}")
    model = sources.load(found)
    for path in adapters:
        progress(f"checkpoint: merging {path}")
        model = sources.merge(model, path)
    model.save_pretrained(folder, max_shard_size="1000GB")
    size = (folder / "model.safetensors").stat().st_size
    progress(f"checkpoint: {model.num_parameters():,} weights, {size / 1e6:,.0f} MB, {model.dtype}")


def _write_tokenizer(
    folders: Sequence[Path], published: Path, rows: int, out: Path, progress: Progress
) -> None:
    own = next((path for folder in folders if (path := folder / "tokenizer.json").is_file()), None)
    source = tokenizers.read_json(own) if own else tokenizers.published(published)
    made = tokenizers.with_dialect(source, rows)
    tokenizers.check(made, rows)
    (out / "tokenizer.json").write_text(tokenizers.compact(made), "utf-8")
    settings = tokenizers.settings()
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
    progress(f"checkpoint: tokenizer {'of the source' if own else 'of Gemma 3'}, {rows:,} tokens")


def own_template(folders: Sequence[Path]) -> str | None:
    """The first chat template among `folders`, as a file or in tokenizer_config.json."""
    for folder in folders:
        path = folder / "chat_template.jinja"
        if path.is_file():
            return path.read_text("utf-8")
        settings = folder / "tokenizer_config.json"
        template = (
            tokenizers.read_json(settings).get("chat_template") if settings.is_file() else None
        )
        if isinstance(template, list):
            named = {entry["name"]: entry["template"] for entry in template}
            template = named.get("tool_use", named.get("default"))
        if isinstance(template, str):
            return template
    return None


def _write_template(folders: Sequence[Path], out: Path, progress: Progress) -> None:
    own = own_template(folders)
    (out / "chat_template.jinja").write_text(own or TEMPLATE.read_text("utf-8"), "utf-8")
    progress(f"checkpoint: chat template {'of the source' if own else 'of Offhand'}")
    if own and "tools" not in own:
        progress("checkpoint: warning: this chat template declares no tools")
