"""Gemma 3 over packed conversations: one pass for many, the declarations run once for all.

A batch is one row of tokens: the declarations, then the conversations after one another, each at
the positions it would have right after the declarations. Linear layers see no padding and no
conversation runs the declarations again, with gradients exact through both.

It covers the text models of the Gemma 3 family as trained here: frozen but for adapters on every
linear layer. It generates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import Gemma3ForCausalLM

from offhand_export.errors import CheckpointError
from offhand_export.train.functions import Segment, attend, gate, norm, rotate, score
from offhand_export.train.lora import Fused, Rounding


@dataclass(frozen=True, slots=True)
class Batch:
    """Packed tokens.

    Attributes:
        ids: [rows] token ids.
        positions: [rows], each counted from its conversation's beginning.
        segments: the declarations if they are shared, and each conversation.
        scored: [targets] rows whose next token is scored.
        targets: [targets] those tokens.
        turns: [targets] which turn of the batch each belongs to, counted from 0.
    """

    ids: Tensor
    positions: Tensor
    segments: tuple[Segment, ...]
    scored: Tensor
    targets: Tensor
    turns: Tensor


@dataclass(frozen=True, slots=True)
class _Layer:
    window: int | None
    attention: Fused
    output: Fused
    expand: Fused
    contract: Fused
    norms: Mapping[str, Tensor]


class Network:
    """A frozen Gemma 3 with adapters.

    Args:
        model: the base; its weights are read, not changed.
        rank, scale: of the adapters.
        dtype: to compute in; adapters, normalisation and the residual stream are float32.
        seed: of the initial adapters.

    Raises:
        CheckpointError: the model uses a feature that is not supported here.
    """

    def __init__(
        self,
        model: Gemma3ForCausalLM,
        rank: int,
        scale: float,
        dtype: torch.dtype,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        _check(model)
        config = model.config
        self.dtype, self.device = dtype, torch.device(device)
        self._epsilon = config.rms_norm_eps
        self._heads = (config.num_attention_heads, config.num_key_value_heads, config.head_dim)
        self._query_scale = config.query_pre_attn_scalar**-0.5
        self._width_scale = config.hidden_size**0.5
        self._bases = {
            None: config.rope_theta,
            config.sliding_window: config.rope_local_base_freq,
        }
        self._embedding = model.model.embed_tokens.weight.detach().to(self.device, dtype)
        self._last = self._gain(model.model.norm)
        generator = torch.Generator().manual_seed(seed)

        def fused(number: int, *names: str) -> Fused:
            paths = [f"model.layers.{number}.{name}" for name in names]
            weights = [model.get_submodule(path).weight.to(self.device) for path in paths]
            return Fused(paths, weights, rank, scale, dtype, generator)

        self._layers = [
            _Layer(
                window=config.sliding_window if kind == "sliding_attention" else None,
                attention=fused(i, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                output=fused(i, "self_attn.o_proj"),
                expand=fused(i, "mlp.gate_proj", "mlp.up_proj"),
                contract=fused(i, "mlp.down_proj"),
                norms={
                    name: self._gain(module)
                    for name, module in model.model.layers[i].named_modules()
                    if name.endswith("norm")
                },
            )
            for i, kind in enumerate(config.layer_types)
        ]

    def _gain(self, module: torch.nn.Module) -> Tensor:
        return 1.0 + module.weight.detach().float().to(self.device)

    @property
    def fused(self) -> list[Fused]:
        """All linear layers, in order."""
        return [
            fused
            for layer in self._layers
            for fused in (layer.attention, layer.output, layer.expand, layer.contract)
        ]

    def parameters(self) -> list[Tensor]:
        """What is learned, in order."""
        return [weight for fused in self.fused for weight in (fused.a, fused.b)]

    def merge(
        self,
        rounding: Rounding | None = None,
        kept: Sequence[Tensor] | None = None,
        saved: bool = False,
    ) -> None:
        """Bring all merged weights up to date (`Fused.merge`)."""
        for i, fused in enumerate(self.fused):
            fused.merge(rounding, kept[i] if kept else None, saved)

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The summed loss of a batch, and for each target whether it is the likeliest token."""
        hidden = {
            window: [segment.hidden(window, self.device) for segment in batch.segments]
            for window in self._bases
        }
        turned = {
            window: self._angles(batch.positions, base) for window, base in self._bases.items()
        }
        x = self._embedding[batch.ids].float() * self._width_scale
        for layer in self._layers:
            x = self._attention(layer, x, batch, turned[layer.window], hidden[layer.window])
            x = self._feed_forward(layer, x)
        states = norm(x[batch.scored], self._last, self._epsilon, self.dtype)
        return score(states, self._embedding, batch.targets)

    def _angles(self, positions: Tensor, base: float) -> tuple[Tensor, Tensor]:
        """Cosines and sines of each position: [rows, 1, head size / 2]."""
        size = self._heads[2]
        exponents = torch.arange(0, size, 2, device=self.device, dtype=torch.float32) / size
        angles = positions[:, None, None].float() * base**-exponents
        return angles.cos(), angles.sin()

    def _attention(
        self,
        layer: _Layer,
        x: Tensor,
        batch: Batch,
        turned: tuple[Tensor, Tensor],
        hidden: Sequence[Tensor],
    ) -> Tensor:
        heads, key_heads, size = self._heads
        wide, rows = torch.float32, len(x)
        given = norm(x, layer.norms["input_layernorm"], self._epsilon, self.dtype)
        made = layer.attention(given).view(rows, heads + 2 * key_heads, size)
        query, key, value = made.split((heads, key_heads, key_heads), dim=1)
        query = norm(query, layer.norms["self_attn.q_norm"], self._epsilon, wide)
        key = norm(key, layer.norms["self_attn.k_norm"], self._epsilon, wide)
        query = (rotate(query, *turned) * self._query_scale).to(self.dtype)
        key = rotate(key, *turned).to(self.dtype)
        read = attend(query, key, value, batch.segments, hidden).view(rows, heads * size)
        after = layer.norms["post_attention_layernorm"]
        return x + norm(layer.output(read), after, self._epsilon, wide)

    def _feed_forward(self, layer: _Layer, x: Tensor) -> Tensor:
        before = layer.norms["pre_feedforward_layernorm"]
        given = norm(x, before, self._epsilon, self.dtype)
        made = layer.contract(gate(layer.expand(given)))
        after = layer.norms["post_feedforward_layernorm"]
        return x + norm(made, after, self._epsilon, torch.float32)


def _check(model: Gemma3ForCausalLM) -> None:
    for name in _unsupported(model.config):
        raise CheckpointError(
            f"The model sets {name}, which training does not support.",
            "Use a text-only Gemma 3 such as gemma-3-270m.",
        )


def _unsupported(config: object) -> Iterator[str]:
    names = ("attn_logit_softcapping", "final_logit_softcapping", "rope_scaling")
    yield from (name for name in (*names, "attention_bias") if getattr(config, name, None))
    if getattr(config, "use_bidirectional_attention", False):
        yield "use_bidirectional_attention"
    if getattr(config, "hidden_activation", "") != "gelu_pytorch_tanh":
        yield "hidden_activation"
