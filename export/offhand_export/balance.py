"""Moving magnitude between neighbouring operators, so that rounding to 8 bits costs less.

A matrix is rounded with one scale per output channel and its input with one scale a run, so a few
large rows or input channels spend the whole range and leave the rest with a few steps. Gemma's
norms amplify some channels a hundred times. Whatever multiplies a row of a matrix can be divided
out of what feeds it: out of the norm before it, out of the columns of the matrix before it, out of
the final norm for the output head. The sum is the same and the graph not one operator longer.

Factors are powers of two, so that balancing a float32 weight rounds nothing: a wire that holds the
weights as they were trained adds the exponents, and the product is the balanced weight to the bit.
Evening out to within the square root of two costs the graph no accuracy that could be measured.

How large inputs are is measured on a short text and a short conversation. It covers the layers of
`Body` and the embedding; the idea is that of SmoothQuant (Xiao et al., 2023) and AWQ (Lin et al.,
2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Gemma3ForCausalLM

from offhand_export.body import Body

INPUT, WEIGHT = 0.3, 0.3
"""How much of an input's and of a row's magnitude is evened out; 0 leaves it, 1 evens it wholly."""

LARGEST = 9
"""Largest exponent of a factor, either way."""

FINAL = "final"
LINEARS = {
    "qkv": "self_attn.q_proj",
    "out": "self_attn.o_proj",
    "gate_up": "mlp.gate_proj",
    "down": "mlp.down_proj",
}
"""The matrices of a layer and the modules of transformers that share their inputs."""


@dataclass(frozen=True, slots=True)
class Exponents:
    """What a matrix was multiplied by: 2 to the power of `rows` [in] and of `columns` [out], int8.

    None stands for zeros.
    """

    rows: Tensor | None
    columns: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What balancing did.

    Attributes:
        factor: powers of two [N] that `hidden` of the body is now divided by: the embedding's
            columns must be multiplied by them wherever it scores, and divided again wherever it is
            looked up.
        matrices: exponents by name of the body's matrix, `layers.I.MATRIX`.
        final: exponents of `factor`, as rows of the transposed embedding [N, V].
    """

    factor: Tensor
    matrices: Mapping[str, Exponents]
    final: Exponents


def measure(model: Gemma3ForCausalLM, samples: Iterable[Sequence[int]]) -> dict[str, Tensor]:
    """Root mean square of every input channel of every linear layer, and of the final states.

    The first token of a sample is left out: it holds no text and swamps every channel.

    Returns:
        float32 [in] by `layers.I.MATRIX`, and [N] by `FINAL`.
    """
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def note(name: str, states: Tensor) -> None:
        seen = states.detach().reshape(-1, states.shape[-1])[1:]
        sums[name] = sums.get(name, torch.zeros(seen.shape[1])) + seen.pow(2).sum(0)
        counts[name] = counts.get(name, 0) + len(seen)

    hooks = [
        model.get_submodule(f"model.layers.{index}.{path}").register_forward_pre_hook(
            lambda _, inputs, name=f"layers.{index}.{matrix}": note(name, inputs[0])
        )
        for index in range(model.config.num_hidden_layers)
        for matrix, path in LINEARS.items()
    ]
    try:
        with torch.no_grad():
            for ids in samples:
                states = model.model(input_ids=torch.tensor([list(ids)]), use_cache=False)
                note(FINAL, states.last_hidden_state)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: (sums[name] / counts[name]).sqrt() for name in sums}


def factors(inputs: Tensor, rows: Tensor) -> Tensor:
    """Powers of two to multiply rows by, [in], given the sizes of inputs and rows; 1 on average."""
    raw = inputs.clamp(min=1e-6).log2() * INPUT - rows.clamp(min=1e-6).log2() * WEIGHT
    return (raw - raw.mean()).round().clamp(-LARGEST, LARGEST).exp2()


def exponents(factor: Tensor) -> Tensor:
    """Exponents of powers of two, int8."""
    return factor.log2().round().to(torch.int8)


def _row_sizes(matrix: Tensor) -> Tensor:
    return matrix.abs().amax(1)


def _after(columns: int, factor: Tensor) -> Tensor:
    """Exponents [columns] of a matrix whose last columns were divided by `factor`."""
    found = torch.zeros(columns, dtype=torch.int8)
    found[columns - factor.numel() :] = -exponents(factor)
    return found


def _balance_layer(layer: Any, sizes: Mapping[str, Tensor]) -> dict[str, Exponents]:
    """Balance one layer in place: what it computes stays the same."""
    hidden = layer.gate_up.shape[1] // 2
    down = factors(sizes["down"], _row_sizes(layer.down))
    layer.down.mul_(down.unsqueeze(1))
    layer.gate_up[:, hidden:].div_(down)

    # Heads of a group mix the same values, so their rows share a factor.
    shape = (layer.kv_heads, layer.heads // layer.kv_heads, layer.size)
    inputs = sizes["out"].reshape(shape).pow(2).mean(1).sqrt()
    out = factors(inputs, _row_sizes(layer.out).reshape(shape).amax(1)).unsqueeze(1)
    rows = out.expand(shape).flatten()
    layer.out.mul_(rows.unsqueeze(1))
    layer.qkv[:, -out.numel() :].div_(out.flatten())

    found = {"down": Exponents(exponents(down)), "out": Exponents(exponents(rows))}
    for norm, matrix, name, after in (
        (layer.before_attention, layer.qkv, "qkv", out.flatten()),
        (layer.before_mlp, layer.gate_up, "gate_up", down),
    ):
        factor = factors(sizes[name], _row_sizes(matrix))
        matrix.mul_(factor.unsqueeze(1))
        norm.div_(factor)
        found[name] = Exponents(exponents(factor), _after(matrix.shape[1], after))
    return found


def balance(body: Body, embedding: Tensor, sizes: Mapping[str, Tensor]) -> Balance:
    """Balance all layers and the final norm in place.

    Args:
        body: as built from a checkpoint.
        embedding: the tied embedding [V, N], which is left as it is.
        sizes: what `measure` found.
    """
    matrices: dict[str, Exponents] = {}
    with torch.no_grad():
        for index, layer in enumerate(body.layers):
            own = {name: sizes[f"layers.{index}.{name}"] for name in LINEARS}
            for name, done in _balance_layer(layer, own).items():
                matrices[f"layers.{index}.{name}"] = done
        channels = embedding.pow(2).mean(0).sqrt()
        factor = factors(sizes[FINAL], channels)
        body.norm.div_(factor)
    return Balance(factor, matrices, Exponents(exponents(factor)))
