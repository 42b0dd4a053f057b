"""Rounding weights to the blocks they are shipped in, while the adapter is still learning.

The torch twin of `offhand_export.blocks`, which packs what this promises: along the input dimension
of each output, blocks of `group` weights share one float16 scale, the block's value of largest
magnitude divided by -(2 ** (bits - 1)), and each weight is a signed code of `bits` bits times it
(ggml's Q4_0 and Q5_0). Packing and files are not here.
"""

from __future__ import annotations

import torch
from torch import Tensor

BITS = (4, 5, 6)
"""Code widths there are."""


def rounded(weight: Tensor, bits: int, group: int = 32) -> Tensor:
    """The values that blocks of the weight stand for.

    Args:
        weight: [outputs, inputs], float32; `group` divides the inputs.
        bits: of a code, one of `BITS`.

    Returns:
        A new tensor of the same shape and type.
    """
    blocks = weight.view(-1, group)
    high, low = blocks.amax(1, keepdim=True), blocks.amin(1, keepdim=True)
    top = torch.where(high > -low, high, low)
    if bool((tied := (high == -low).squeeze(1)).any()):
        # The first of the largest counts, as in a scan from left to right.
        rows = blocks[tied]
        top[tied] = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    levels = 2 ** (bits - 1)
    scale = top.div_(-levels).half().float()
    codes = torch.div(blocks, scale).round_().clamp_(-levels, levels - 1)
    # A block of zeros, or one too small for a float16 scale, was divided by zero.
    return codes.masked_fill_(scale == 0, 0.0).mul_(scale).view_as(weight)
