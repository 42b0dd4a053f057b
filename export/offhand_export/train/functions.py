"""The network's operations, with their gradients written out.

Autograd over the library's modules keeps more and computes more than a frozen base needs: weights
take no gradient, normalisation and rotation are cheap to undo, and conversations packed one after
the other need no mask as large as the batch. Each operation here keeps what its backward pass
reads, and works on any device in any floating type; sums that decide accuracy are in float32.

What the operations are composed to is `network`'s matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

ROWS = 128
"""Positions scored against the vocabulary at a time: enough for fast products, little memory."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive rows of a batch that attend to each other, and to the shared prefix if any.

    Attributes:
        start, length: its rows.
        prefix: how many rows at the start of the batch it attends to besides its own.
    """

    start: int
    length: int
    prefix: int

    def hidden(self, window: int | None, device: torch.device) -> Tensor:
        """Which keys (prefix, then own) each of its rows must not see: bool [length, keys].

        Args:
            window: how many positions back a row sees, itself included; None for all.
        """
        rows = torch.arange(self.prefix, self.prefix + self.length, device=device)[:, None]
        keys = torch.arange(self.prefix + self.length, device=device)[None, :]
        future = keys > rows
        return future if window is None else future | (keys <= rows - window)


class _Norm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
        wide = x.float()
        inverse = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        inverse = inverse.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (wide * inverse).mul_(weight).to(dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        unit = x.float() * inverse
        inner = grad.float() * weight
        mean = torch.linalg.vecdot(inner, unit).unsqueeze(-1).div_(x.shape[-1])
        return inner.addcmul_(unit, mean, value=-1).mul_(inverse).to(x.dtype), None, None, None


def norm(x: Tensor, weight: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
    """Root-mean-square normalisation of the last dimension, in float32, returned as `dtype`.

    Args:
        weight: what the normalised values are multiplied by, float32 (Gemma's weight plus one).
    """
    return _Norm.apply(x, weight, epsilon, dtype)


class _Rotate(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotated(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        cos, sin = ctx.saved_tensors
        return _rotated(grad, cos, -sin), None, None


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    out = torch.empty_like(x)
    half = first.shape[-1]
    torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=out[..., half:]).addcmul_(first, sin)
    return out


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of x [rows, heads, size]; cos and sin are [rows, 1, size / 2]."""
    return _Rotate.apply(x, cos, sin)


class _Attend(Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        segments: Sequence[Segment],
        hidden: Sequence[Tensor],
    ) -> Tensor:
        heads, size = query.shape[1:]
        group = heads // key.shape[1]
        out = torch.empty_like(query)
        shares = []
        for segment, mask in zip(segments, hidden, strict=True):
            rows = slice(segment.start, segment.start + segment.length)
            for head in range(key.shape[1]):
                own = slice(head * group, (head + 1) * group)
                asked = query[rows, own].reshape(-1, size)
                scores = (asked @ _seen(key, segment, head).T).float()
                scores.view(segment.length, group, -1).masked_fill_(mask[:, None], -torch.inf)
                share = scores.softmax(-1).to(query.dtype)
                read = share @ _seen(value, segment, head)
                out[rows, own] = read.view(segment.length, group, size)
                shares.append(share)
        ctx.save_for_backward(query, key, value, *shares)
        ctx.segments = segments
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        query, key, value, *shares = ctx.saved_tensors
        heads, size = query.shape[1:]
        group = heads // key.shape[1]
        to_query = torch.empty_like(query)
        to_key, to_value = (torch.zeros_like(x, dtype=torch.float32) for x in (key, value))
        waiting = iter(shares)
        for segment in ctx.segments:
            rows = slice(segment.start, segment.start + segment.length)
            for head in range(key.shape[1]):
                own = slice(head * group, (head + 1) * group)
                share = next(waiting)
                read = grad[rows, own].reshape(-1, size)
                seen = _seen(key, segment, head)
                wide = (read @ _seen(value, segment, head).T).float()
                part = share.float()
                wide.sub_(torch.linalg.vecdot(wide, part).unsqueeze(-1)).mul_(part)
                scores = wide.to(query.dtype)
                to_query[rows, own] = (scores @ seen).view(segment.length, group, size)
                _add(to_key, segment, head, scores.T @ query[rows, own].reshape(-1, size))
                _add(to_value, segment, head, share.T @ read)
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype), None, None


def _seen(x: Tensor, segment: Segment, head: int) -> Tensor:
    """The keys or values a segment sees: [prefix + length, size]."""
    own = x[segment.start : segment.start + segment.length, head]
    return torch.cat((x[: segment.prefix, head], own)) if segment.prefix else own


def _add(total: Tensor, segment: Segment, head: int, grad: Tensor) -> None:
    total[: segment.prefix, head] += grad[: segment.prefix]
    total[segment.start : segment.start + segment.length, head] += grad[segment.prefix :]


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    segments: Sequence[Segment],
    hidden: Sequence[Tensor],
) -> Tensor:
    """Attention within each segment and to the shared prefix.

    Args:
        query: [rows, heads, size], already scaled.
        key, value: [rows, key heads, size].
        segments: every row lies in one.
        hidden: for each segment, what its rows must not see (`Segment.hidden`).

    Returns:
        [rows, heads, size].
    """
    return _Attend.apply(query, key, value, segments, hidden)


class _Gate(Function):
    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        return F.gelu(gate, approximate="tanh").mul_(up)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        out = torch.empty_like(both)
        to_gate, to_up = out.chunk(2, dim=-1)
        torch.mul(grad, F.gelu(gate, approximate="tanh"), out=to_up)
        to_gate.copy_(torch.ops.aten.gelu_backward(grad * up, gate, approximate="tanh"))
        return out


def gate(both: Tensor) -> Tensor:
    """GELU (tanh form) of the first half of the last dimension, times the second half."""
    return _Gate.apply(both)


class _Score(Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, rows: Tensor, targets: Tensor, wanted: bool
    ) -> tuple[Tensor, Tensor]:
        loss = torch.zeros((), device=states.device)
        right = torch.empty(len(states), dtype=torch.bool, device=states.device)
        grad = torch.empty_like(states) if wanted else None
        for begin in range(0, len(states), ROWS):
            part = slice(begin, begin + ROWS)
            logits = (states[part] @ rows.T).float()
            gold = targets[part, None]
            right[part] = logits.argmax(-1) == targets[part]
            total = logits.logsumexp(-1, keepdim=True)
            loss += (total - logits.gather(1, gold)).sum()
            if grad is not None:
                shares = logits.sub_(total).exp_()
                shares.scatter_add_(1, gold, torch.full_like(total, -1.0))
                grad[part] = shares.to(rows.dtype) @ rows
        ctx.save_for_backward(grad)
        ctx.mark_non_differentiable(right)
        return loss, right

    @staticmethod
    def backward(ctx: Any, scale: Tensor, _: Tensor) -> Any:
        (grad,) = ctx.saved_tensors
        return (grad.float() * scale).to(grad.dtype), None, None, None


def score(states: Tensor, rows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of targets against the whole vocabulary, a few positions at a time.

    Args:
        states: [positions, width], after the last normalisation.
        rows: [vocabulary, width], the tied embedding; takes no gradient.
        targets: [positions], token ids.

    Returns:
        The summed loss in nats, and for each position whether its target is the likeliest token.
    """
    return _Score.apply(states, rows, targets, torch.is_grad_enabled())
