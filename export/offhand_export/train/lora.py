"""Low-rank adapters: learned beside frozen weights, merged into them at every step, saved for peft.

Each linear layer computes with `W0 + scale * B @ A`, merged once a step from float32 and rounded
to the computing type, or to shipped blocks first: what the forward pass computes is what merging
the saved adapter gives. Gradients of A and B are exact for that product and pass rounding straight
through; the frozen weights have none.

Layers that read the same input (query, key and value; gate and up) are one matrix here. A saved
adapter knows nothing of it: it is a peft folder with one pair of matrices a layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from offhand_export.train.quantize import rounded


@dataclass(frozen=True, slots=True)
class Rounding:
    """How weights are rounded before they are used."""

    bits: int
    group: int


class Fused:
    """Frozen linear layers over one input, each with its own adapter.

    Args:
        names: of the layers, as peft calls them.
        weights: [outputs, inputs] of each, float32.
        rank: of the adapters.
        scale: what B @ A is multiplied by.
        dtype: to compute in.
        generator: for the initial A; B begins at zero.

    Attributes:
        a: [layers * rank, inputs], float32, learned.
        b: [all outputs, rank], float32, learned.
        merged: [all outputs, inputs] in the computing type, as of the last `merge`.
    """

    def __init__(
        self,
        names: Sequence[str],
        weights: Sequence[Tensor],
        rank: int,
        scale: float,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> None:
        self.names, self.rank, self.scale = tuple(names), rank, scale
        self.frozen = torch.cat([weight.detach().float() for weight in weights])
        ends = torch.tensor([0, *(len(weight) for weight in weights)]).cumsum(0).tolist()
        self.rows = [slice(*pair) for pair in pairwise(ends)]
        inputs = self.frozen.shape[1]
        self.a = torch.empty(len(names) * rank, inputs)
        self.a.uniform_(-1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)
        self.a = self.a.to(self.frozen.device).requires_grad_()
        self.b = torch.zeros(ends[-1], rank, device=self.frozen.device, requires_grad=True)
        self.merged = self.frozen.to(dtype, copy=True)
        self._small: tuple[Tensor, Tensor] = (self.a.detach().to(dtype), self.b.detach().to(dtype))
        self._kept: Tensor | None = None

    def merge(
        self, rounding: Rounding | None, kept: Tensor | None = None, saved: bool = False
    ) -> None:
        """Bring the merged weights up to date with the adapter.

        Args:
            rounding: to blocks; None leaves the weights as they are.
            kept: [inputs] factors on A's columns, for dropout; None for none.
            saved: take A and B in the bfloat16 in which they are saved.
        """
        with torch.no_grad():
            a, b = self.a, self.b
            if saved:
                a, b = (weight.to(torch.bfloat16).float() for weight in (a, b))
            if kept is not None:
                a = a * kept
            for rows, below in self.parts():
                full = torch.addmm(self.frozen[rows], b[rows], a[below], alpha=self.scale)
                if rounding is not None:
                    full = rounded(full, rounding.bits, rounding.group)
                self.merged[rows].copy_(full)
            self._kept = kept
            self._small = (a.to(self.merged.dtype), b.to(self.merged.dtype))

    def pairs(self) -> dict[str, tuple[Tensor, Tensor]]:
        """A [rank, inputs] and B [outputs, rank] of each layer, by name."""
        parts = zip(self.names, self.parts(), strict=True)
        return {
            name: (self.a.detach()[below], self.b.detach()[rows]) for name, (rows, below) in parts
        }

    def parts(self) -> list[tuple[slice, slice]]:
        """For each layer its rows of the outputs, and its rows of A."""
        rank = self.rank
        return [(rows, slice(i * rank, (i + 1) * rank)) for i, rows in enumerate(self.rows)]

    def __call__(self, x: Tensor) -> Tensor:
        """The layers' outputs side by side, for x [rows, inputs] in the computing type."""
        return _Linear.apply(x, self.a, self.b, self)

    def gradients(self, x: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of A and B for an input and the gradient of the output."""
        small_a, small_b = self._small
        inner = x @ small_a.T
        outer = torch.empty_like(inner)
        to_b = torch.empty_like(self.b)
        for rows, below in self.parts():
            part = grad[:, rows]
            to_b[rows] = part.T @ inner[:, below]
            outer[:, below] = part @ small_b[rows]
        to_a = (outer.T @ x).float().mul_(self.scale)
        return to_a if self._kept is None else to_a.mul_(self._kept), to_b.mul_(self.scale)


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor, fused: Fused) -> Tensor:
        ctx.save_for_backward(x)
        ctx.fused = fused
        return F.linear(x, fused.merged)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        to_x = grad @ ctx.fused.merged if ctx.needs_input_grad[0] else None
        return to_x, *ctx.fused.gradients(x, grad), None
