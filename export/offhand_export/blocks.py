"""Rounds a matrix to 4, 5 or 6 bits in blocks: what a weight is once it travels.

A block is 32 neighbours along the inputs of one output channel. Its scale makes the weight of the
largest magnitude the code -2^(bits - 1), the one code without a counterpart, so that no step of the
range is lost; this is the convention of ggml's Q4_0 and Q5_0. Training that is aware of rounding
repeats this function to the bit, so what it covers is fixed: change it and tuned models lose.

It covers rounding and packing. Unpacking and multiplying out lie in `offhand.weights`, with every
reader's other needs; the layout of packed bytes is described there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offhand.weights import BITS, BLOCK, dequantize, unpack
from offhand_export.errors import ConvertError

__all__ = ["BITS", "BLOCK", "dequantize", "pack", "quantize", "unpack"]

Floats = NDArray[np.float32]
Codes = NDArray[np.int8]


def quantize(weight: Floats, bits: int) -> tuple[Codes, NDArray[np.float16]]:
    """Round a matrix in blocks of 32 rows.

    The scale is the block's value of largest magnitude (the first of equals), divided by
    -2^(bits - 1) and rounded to float16; the code is the weight divided by that scale in float32,
    rounded to the nearest integer, ties to even, and clipped. A scale of zero makes codes of zero.

    Args:
        weight: float32 [in, out], `in` a multiple of 32.
        bits: 4, 5 or 6.

    Returns:
        Codes int8 [in, out] and scales float16 [in / 32, out]; value = code * scale.

    Raises:
        ConvertError: `in` is not a multiple of 32, or a weight is not finite or beyond float16.
    """
    rows, columns = weight.shape
    if rows % BLOCK:
        raise ConvertError(
            f"A matrix with {rows} inputs cannot be cut into blocks of {BLOCK}.",
            "Use --wire int8 for this model.",
        )
    half = 1 << (bits - 1)
    blocks = weight.reshape(-1, BLOCK, columns)
    first = np.abs(blocks).argmax(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        scales = (np.take_along_axis(blocks, first, axis=1) / np.float32(-half)).astype(np.float16)
    if not np.isfinite(scales).all():
        raise ConvertError(
            "A weight is not a number, or too large for the float16 scale of its block.",
            "The checkpoint is damaged or diverged in training: use another one.",
        )
    steps = scales.astype(np.float32)
    ratio = np.divide(blocks, steps, out=np.zeros_like(blocks), where=steps != 0)
    codes = np.clip(np.rint(ratio, out=ratio), -half, half - 1).astype(np.int8)
    return codes.reshape(weight.shape), scales[:, 0]


def pack(codes: Codes, bits: int) -> NDArray[np.uint8]:
    """Pack codes [in, out] into bytes: the inverse of `unpack`."""
    columns = codes.shape[1]
    shifted = (codes + (1 << (bits - 1))).astype(np.uint8).reshape(-1, BLOCK, columns)
    low = np.bitwise_and(shifted, np.uint8(15))
    planes = [np.bitwise_or(low[:, :16], np.left_shift(low[:, 16:], 4, dtype=np.uint8))]
    eights = shifted.reshape(-1, 8, 4, columns)
    for extra in range(4, bits):
        plane = np.zeros(eights[:, 0].shape, np.uint8)
        for place in range(8):
            plane |= ((eights[:, place] >> extra) & 1) << place
        planes.append(plane)
    return np.concatenate(planes, axis=1).reshape(-1)
