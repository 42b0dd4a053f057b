"""A checkpoint, a catalog and conversations small enough to train on in a test."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from tests.tiny import CONTROL, HEAT, LIGHTS, NOTE, STOP, TEMPLATE, tiny_tokenizer

WINDOW = 12

CALLS: Sequence[tuple[str, str, dict[str, Any]]] = (
    ("lights on in the kitchen", "lights", {"room": "kitchen", "state": "on"}),
    ("living room off", "lights", {"room": "living_room", "state": "off"}),
    ("make it 21", "heat", {"temperature": 21}),
    ("quiet, minus 4", "heat", {"quiet": True, "temperature": -4}),
    ("note café, 2.5", "note", {"number": 2.5, "text": "café"}),
    ("stop", "stop", {}),
)


def tiny_model(vocabulary: int, kv_heads: int = 1, seed: int = 0) -> Gemma3ForCausalLM:
    """Three layers, two of which see twelve positions, random weights, float32."""
    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=16,
        query_pre_attn_scalar=20,
        sliding_window=WINDOW,
        max_position_embeddings=2048,
        rope_theta=1e4,
        rope_local_base_freq=1e2,
    )
    model = Gemma3ForCausalLM(config).eval()
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, std=0.2 if "norm" in name else weight.shape[-1] ** -0.5)
    return model


def write_checkpoint(folder: Path, seed: int = 0) -> Path:
    """A checkpoint folder of the tiny model, the tiny tokenizer and the minimal template."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads(tiny_tokenizer().to_str())
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer["added_tokens"] = [
        {"id": index, "content": name, "special": True, **flags}
        for index, name in enumerate(CONTROL)
    ]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    tiny_model(len(tokenizer["model"]["vocab"]), seed=seed).save_pretrained(folder)
    return folder


def write_catalog(path: Path, name: str = "tiny") -> Path:
    """The tiny catalog as a file."""
    fields = {
        "name": name,
        "title": "Tiny",
        "description": "A catalog for tests.",
        "instructions": "Call.",
        "tools": [LIGHTS, HEAT, NOTE, STOP],
        "examples": [],
    }
    path.write_text(json.dumps(fields), "utf-8")
    return path


def conversation(turns: Sequence[tuple[str, str, dict[str, Any]]]) -> str:
    """One line of the evaluation format."""
    messages: list[dict[str, Any]] = []
    for text, name, arguments in turns:
        messages.append({"role": "user", "content": text})
        function = {"name": name, "arguments": arguments}
        messages.append({"role": "assistant", "tool_calls": [{"function": function}]})
    _, name, arguments = turns[-1]
    answer = {"name": name, "parameters": arguments}
    return json.dumps({"question": messages[:-1], "answer": answer}, ensure_ascii=False)


def write_data(path: Path, count: int, seed: int = 0) -> Path:
    """Random conversations of one to four turns."""
    chance = random.Random(seed)
    lines = [conversation(chance.choices(CALLS, k=chance.randint(1, 4))) for _ in range(count)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


EXPERIMENT = """
seed = 3
[[data]]
catalog = "./tiny.json"
train = "train.jsonl"
valid = "valid.jsonl"
[lora]
rank = 4
alpha = 8
[optimizer]
learning_rate = 0.02
warmup_steps = 2
[steps]
total = 8
conversations = 3
max_tokens = 200
[quantize]
bits = 5
start = 0.6
[run]
precision = "fp32"
validate_every = 3
validate_conversations = 4
"""


def write_experiment(folder: Path, text: str = EXPERIMENT) -> Path:
    """An experiment with its catalog and data beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_catalog(folder / "tiny.json")
    write_data(folder / "train.jsonl", 8)
    write_data(folder / "valid.jsonl", 5, seed=1)
    path = folder / "experiment.toml"
    path.write_text(text, "utf-8")
    return path
