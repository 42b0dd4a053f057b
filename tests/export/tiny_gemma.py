"""A Gemma 3 of a few thousand random weights, with a tokenizer in Gemma's shape, made in a second.

The vocabulary is odd on purpose (300 rows, an image token beyond them), the window short, and the
weights large, so that a mask or a rotation that is wrong shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

ROWS = 300
"""Rows of the embedding: as many as the tokenizer has tokens, but for the image token."""

WINDOW = 8
LETTERS = "▁etaoinshrdlucmfwypvbgk{}"
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
PLAIN = ("<mask>", "[multimodal]", *(f"<unused{number}>" for number in range(40, 47)))
TEXT = ("\n\n", "<b>")


def tokenizer_json() -> dict[str, Any]:
    """A base model's `tokenizer.json`: the dialect's tokens are still unused rows."""
    names = [
        *SPECIAL,
        *PLAIN,
        *TEXT,
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *LETTERS,
        "th",
        "the",
    ]
    vocabulary = {name: row for row, name in enumerate(names)}
    added = [(name, True) for name in SPECIAL] + [(name, False) for name in (*PLAIN, *TEXT)]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokens = [
        {"id": vocabulary[name], "content": name, **flags, "special": special}
        for name, special in added
    ]
    tokens.append({"id": ROWS, "content": "<image_soft_token>", **flags, "special": True})
    bos = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
    whole = {"Sequence": {"id": "A", "type_id": 0}}
    ids = {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": tokens,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [bos, whole],
            "pair": [bos, whole, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": ids,
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": [["t", "h"], ["th", "e"]],
        },
    }


def model(kv_heads: int = 1, seed: int = 0, **options: Any) -> Gemma3ForCausalLM:
    """Two layers, one sliding and one global, of random weights in float32."""
    config = Gemma3TextConfig(
        vocab_size=ROWS,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention"],
        max_position_embeddings=1024,
        rope_theta=1e4,
        rope_local_base_freq=1e2,
        **options,
    )
    generator = torch.Generator().manual_seed(seed)
    made = Gemma3ForCausalLM(config).eval()
    with torch.no_grad():
        for name, weight in made.named_parameters():
            spread = 0.3 if "norm" in name else weight.shape[-1] ** -0.5
            weight.normal_(0, spread, generator=generator)
    return made


def write_tokenizer(path: Path) -> Path:
    """Write the base model's tokenizer where npm would have put Gemma's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tokenizer_json()), "utf-8")
    return path


def write_source(folder: Path, kv_heads: int = 1, seed: int = 0, **options: Any) -> Path:
    """A checkpoint folder as somebody else would bring it: weights and tokenizer, no template."""
    model(kv_heads, seed, **options).save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json")
    return folder
