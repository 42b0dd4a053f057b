"""The decoder layers of a Gemma 3 text model, written as the graph the page should run.

Transformers' own forward exports well but serves badly: it repeats keys and values for every query
head, rebuilds masks in every layer, scores every position and hides the cache in objects. `Body`
runs the same weights with plain operators only, each chosen because onnxruntime's WebAssembly build
has a fast kernel for it or fuses it at load:

- one matrix for query, key and value, one for gate and up, all stored [in, out] so that nothing is
  transposed at load or at run;
- queries of a group are rows of one multiplication, so keys and values are never repeated;
- masks and rotary tables are built once a run from the shapes of the inputs;
- the last layer computes keys and values for every token but everything else for the last one only,
  because only the last position is scored.

It covers `gemma3_text` of any size. It does not cover embedding or scoring (see `ends`), nor
soft-capped logits, nor attention biases, which it refuses by name.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import torch
from optimum.exporters.onnx import export
from optimum.exporters.onnx.base import OnnxConfig
from optimum.utils import NormalizedTextConfig
from optimum.utils.input_generators import DummyInputGenerator
from torch import Tensor, nn
from transformers import Gemma3ForCausalLM

from offhand_export.errors import ConvertError

OPSET = 20
_UNSEEN = torch.finfo(torch.float32).min


def refuse_unsupported(config: Any) -> None:
    """Raise `ConvertError` for the options of the architecture that `Body` does not implement."""
    found = [
        name
        for name in (
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "attention_bias",
            "use_bidirectional_attention",
        )
        if getattr(config, name, None)
    ]
    if config.hidden_activation != "gelu_pytorch_tanh":
        found.append(f"hidden_activation={config.hidden_activation}")
    if found:
        raise ConvertError(
            f"The checkpoint uses {', '.join(found)}, which the served graph does not implement.",
            "Use a Gemma 3 text checkpoint without these options.",
        )


def normalize(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """Root-mean-square norm over the last axis, in the form onnxruntime fuses into one kernel."""
    return x / torch.sqrt(torch.mean(x.pow(2), -1, keepdim=True) + epsilon) * weight


class Layer(nn.Module):
    """One decoder layer; matrices are [in, out], norm vectors already hold `1 + weight`."""

    def __init__(self, source: Any, config: Any) -> None:
        super().__init__()
        attention, mlp = source.self_attn, source.mlp
        self.sliding: bool = attention.is_sliding
        self.epsilon: float = config.rms_norm_eps
        self.heads: int = config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads
        self.size: int = config.head_dim

        def matrix(*linears: nn.Linear) -> nn.Parameter:
            stacked = torch.cat([linear.weight.detach().float() for linear in linears])
            return nn.Parameter(stacked.T.contiguous(), requires_grad=False)

        def vector(norm: Any) -> nn.Parameter:
            return nn.Parameter(1.0 + norm.weight.detach().float(), requires_grad=False)

        self.qkv = matrix(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out = matrix(attention.o_proj)
        self.gate_up = matrix(mlp.gate_proj, mlp.up_proj)
        self.down = matrix(mlp.down_proj)
        self.before_attention = vector(source.input_layernorm)
        self.after_attention = vector(source.post_attention_layernorm)
        self.before_mlp = vector(source.pre_feedforward_layernorm)
        self.after_mlp = vector(source.post_feedforward_layernorm)
        # The query's norm also carries the attention scale: rotation is linear, so it commutes.
        query = vector(attention.q_norm).data * attention.scaling
        rows = [query] * self.heads + [vector(attention.k_norm).data] * self.kv_heads
        self.heads_norm = nn.Parameter(torch.stack(rows), requires_grad=False)
        self.unit = nn.Parameter(torch.ones(self.size), requires_grad=False)

    def attend(self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Mix values: query [R, heads, D], keys, values [T, H, D], mask [R*G, T]: [R, heads*D]."""
        group = self.heads // self.kv_heads
        if self.kv_heads == 1:
            query = query.reshape(-1, self.size)
            keys, values = keys.reshape(-1, self.size), values.reshape(-1, self.size)
            weights = torch.softmax(query @ keys.transpose(0, 1) + mask, dim=-1)
            return (weights @ values).reshape(-1, self.heads * self.size)
        query = query.reshape(-1, self.kv_heads, group, self.size).transpose(0, 1)
        query = query.reshape(self.kv_heads, -1, self.size)
        weights = torch.softmax(query @ keys.permute(1, 2, 0) + mask, dim=-1)
        mixed = (weights @ values.transpose(0, 1)).reshape(self.kv_heads, -1, group, self.size)
        return mixed.transpose(0, 1).reshape(-1, self.heads * self.size)

    def forward(
        self,
        x: Tensor,
        past: tuple[Tensor, Tensor],
        turn: tuple[Tensor, Tensor],
        mask: Tensor,
        last: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the layer: x [S, N] -> x [S or 1, N], new keys [S, H, D], new values [S, H, D]."""
        width = self.heads + self.kv_heads
        joined = normalize(x, self.before_attention, self.epsilon) @ self.qkv
        joined = joined.reshape(-1, width + self.kv_heads, self.size)
        turned, value = joined.split([width, self.kv_heads], dim=1)
        turned = normalize(turned, self.unit, self.epsilon) * self.heads_norm
        left, right = turned.split(self.size // 2, dim=-1)
        turned = turned * turn[0] + torch.cat([right, left], dim=-1) * turn[1]
        query, key = turned.split([self.heads, self.kv_heads], dim=1)
        if last:
            x, query = x[-1:], query[-1:]
        keys, values = torch.cat([past[0], key]), torch.cat([past[1], value])
        mixed = self.attend(query, keys, values, mask) @ self.out
        x = x + normalize(mixed, self.after_attention, self.epsilon)
        wide = normalize(x, self.before_mlp, self.epsilon) @ self.gate_up
        gate, up = wide.split(self.gate_up.shape[1] // 2, dim=-1)
        narrow = (nn.functional.gelu(gate, approximate="tanh") * up) @ self.down
        return x + normalize(narrow, self.after_mlp, self.epsilon), key, value


class Body(nn.Module):
    """All layers and the final norm.

    Inputs: `embeds` float32 [1, S, N], scaled by the square root of the width; `past` float32
    [P, C, D], C = 2 * layers * kv_heads, token-major, keys after rotation (channel = layer * 2H,
    plus H for values, plus the head). Outputs: `hidden` [1, N] of the last token after the final
    norm, `present` [S, C, D].
    """

    def __init__(self, model: Gemma3ForCausalLM) -> None:
        super().__init__()
        refuse_unsupported(model.config)
        self.config = model.config
        self.layers = nn.ModuleList(Layer(layer, model.config) for layer in model.model.layers)
        self.norm = nn.Parameter(
            1.0 + model.model.norm.weight.detach().float(), requires_grad=False
        )
        self.window: int = model.config.sliding_window
        self.group: int = model.config.num_attention_heads // model.config.num_key_value_heads
        rotary = {False: model.model.rotary_emb, True: model.model.rotary_emb_local}
        self.scaling = {sliding: module.attention_scaling for sliding, module in rotary.items()}
        self.register_buffer("global_frequency", rotary[False].inv_freq.detach().float())
        self.register_buffer("local_frequency", rotary[True].inv_freq.detach().float())

    def turns(self, positions: Tensor, sliding: bool) -> tuple[Tensor, Tensor]:
        """Rotary tables [S, 1, D]; the sine carries the sign of the swapped halves."""
        frequency = self.local_frequency if sliding else self.global_frequency
        angles = positions.float().unsqueeze(1) * frequency
        cosine, sine = torch.cos(angles), torch.sin(angles)
        scale = self.scaling[sliding]
        if scale != 1.0:
            cosine, sine = cosine * scale, sine * scale
        tables = torch.cat([cosine, cosine], dim=-1), torch.cat([-sine, sine], dim=-1)
        return tables[0].unsqueeze(1), tables[1].unsqueeze(1)

    def masks(self, positions: Tensor, length: Any) -> dict[bool, Tensor]:
        """Additive masks [S * group, T] for global (False) and sliding (True) layers."""
        behind = positions.unsqueeze(1) - torch.arange(length).unsqueeze(0)
        shown = {False: behind >= 0, True: (behind >= 0) & (behind < self.window)}

        def additive(seen: Tensor) -> Tensor:
            mask = torch.where(seen, 0.0, _UNSEEN).unsqueeze(1)
            return mask.expand(-1, self.group, -1).reshape(-1, length)

        return {sliding: additive(seen) for sliding, seen in shown.items()}

    def forward(self, embeds: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        kv_heads = self.config.num_key_value_heads
        length = past.shape[0] + embeds.shape[1]
        positions = torch.arange(embeds.shape[1]) + past.shape[0]
        masks = self.masks(positions, length)
        turns = {sliding: self.turns(positions, sliding) for sliding in (False, True)}
        stored = past.split(kv_heads, dim=1)
        x = embeds.squeeze(0)
        present: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            last = index == len(self.layers) - 1
            mask = masks[layer.sliding]
            x, key, value = layer(
                x,
                (stored[2 * index], stored[2 * index + 1]),
                turns[layer.sliding],
                mask[-self.group :] if last else mask,
                last,
            )
            present += [key, value]
        return normalize(x, self.norm, self.config.rms_norm_eps), torch.cat(present, dim=1)


class _Dummies(DummyInputGenerator):  # type: ignore[misc]
    """Example inputs for tracing: three new tokens after two remembered ones."""

    SUPPORTED_INPUT_NAMES = ("embeds", "past")

    def __init__(self, task: str, config: Any, **_: Any) -> None:
        channels = 2 * config.num_layers * config.config.num_key_value_heads
        self.shapes = {
            "embeds": (1, 3, config.hidden_size),
            "past": (2, channels, config.config.head_dim),
        }

    def generate(self, input_name: str, framework: str = "pt", **_: Any) -> Any:
        return self.random_float_tensor(list(self.shapes[input_name]), framework=framework)


class BodyOnnxConfig(OnnxConfig):  # type: ignore[misc]
    """Tells optimum the names, the free axes and the example inputs of `Body`."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig
    DUMMY_INPUT_GENERATOR_CLASSES = (_Dummies,)
    DEFAULT_ONNX_OPSET = OPSET
    VARIANTS: ClassVar[dict[str, str]] = {"default": "one token log as the cache"}

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        return OrderedDict({"embeds": {1: "new"}, "past": {0: "old"}})

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        return OrderedDict({"hidden": {}, "present": {0: "new"}})


def export_body(body: Body, path: Path) -> None:
    """Write `body` to `path` with optimum (weights inside the file, or beside it above 2 GB)."""
    config = BodyOnnxConfig(body.config, task="feature-extraction")
    with warnings.catch_warnings():
        # Tracing warns of every shape it fixes and of its own age; parity checks what it made.
        warnings.simplefilter("ignore")
        export(body, config, path, opset=OPSET, do_constant_folding=True)
