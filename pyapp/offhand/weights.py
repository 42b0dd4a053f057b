"""Reads the wire file: expands the weights as they travel into what the graph multiplies by.

A matrix [in, out] travels as float32, as int8 with one scale a column, or in blocks (`q4`, `q5`,
`q6`): 4 to 6 bits a weight and one float16 scale for 32 neighbours of a column. In memory it is
float32, or int8 with one scale a column. A matrix in blocks holds the weights as they were trained;
`rows` and `columns` are powers of two (as exponents) that the graph's neighbouring operators expect
multiplied in, so that int8 arithmetic costs less. All products here are exact in float32 but for
the rounding to int8, so the page (web/src/blocks.js) gets the same bits.

Blocks lie in ascending order of their rows. A block is a plane of low bits, then a plane for the
fifth bit and one for the sixth. In the first, a byte holds rows r and r + 16 of a column in its low
and high half; in the others, bit i of a byte belongs to row r + 4 * i. Codes are shifted to be
positive. One matrix is expanded at a time. Writing the file is the business of `offhand_export`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhand.errors import ModelError

Floats = NDArray[np.float32]
Codes = NDArray[np.int8]

BLOCK = 32
"""Rows that share a scale, in every column."""

BITS: Mapping[str, int] = {"q4": 4, "q5": 5, "q6": 6}
"""Bits of a weight's code in the block formats."""

PLAIN = frozenset({"float16", "float32", "int8"})
"""Forms a tensor travels in as it is."""

STEPS = np.float32(127)
"""The largest int8 code; -128 is not used."""


def unpack(data: NDArray[np.uint8], shape: tuple[int, int], bits: int) -> Codes:
    """The codes of a matrix in blocks.

    Args:
        data: the planes, uint8 [in / 32 * 4 * bits * out].
        shape: [in, out].
        bits: 4, 5 or 6.

    Returns:
        int8 [in, out], from -2^(bits - 1) to 2^(bits - 1) - 1.
    """
    planes = data.reshape(-1, 4 * bits, shape[1])
    low, high = planes[:, :16], planes[:, 16:]
    codes = np.empty((len(planes), BLOCK, shape[1]), np.uint8)
    np.bitwise_and(low, 15, out=codes[:, :16])
    np.right_shift(low, 4, out=codes[:, 16:])
    eights = codes.reshape(len(planes), 8, 4, shape[1])
    for extra in range(bits - 4):
        plane = high[:, 4 * extra : 4 * extra + 4]
        for place in range(8):
            eights[:, place] |= ((plane >> place) & 1) << (4 + extra)
    codes -= 1 << (bits - 1)
    return codes.view(np.int8).reshape(shape)


def dequantize(codes: Codes, scales: NDArray[Any]) -> Floats:
    """Multiply codes [in, out] by the scales [in / 32, out] of their blocks; exact in float32."""
    blocks = codes.reshape(-1, BLOCK, codes.shape[1])
    line = scales.astype(np.float32)[:, np.newaxis]
    return np.multiply(blocks, line, dtype=np.float32).reshape(codes.shape)


def to_int8(matrix: Floats) -> tuple[Codes, Floats]:
    """Round a matrix [in, out] to int8 with one scale a column [out]: value = code * scale.

    It multiplies by the inverse of the scale, as the page does.
    """
    most = np.maximum(matrix.max(axis=0), -matrix.min(axis=0))
    some = most > 0
    scale = np.where(some, most / STEPS, np.float32(1))
    inverse = np.divide(STEPS, most, out=np.ones_like(most), where=some)
    codes = matrix * inverse
    return np.rint(codes, out=codes).astype(np.int8), scale


class WireFile:
    """A wire file, opened for reading.

    Args:
        path: the file; its content is mapped, not read.
        tensors: `weights.tensors` of model.json.

    Raises:
        ModelError: a tensor has a form unknown here.
    """

    def __init__(self, path: Path, tensors: Sequence[Mapping[str, Any]]) -> None:
        unknown = sorted({tensor["dtype"] for tensor in tensors} - PLAIN - BITS.keys())
        if unknown:
            raise ModelError(
                f"The weights of {path.parent} are in a form not known here: {', '.join(unknown)}.",
                "They were made by a newer version: use that one, or convert the model again.",
            )
        self._data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        self._tensors = {tensor["name"]: tensor for tensor in tensors}

    def expand(self, targets: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Name and content of every tensor of a memory layout, `memory.PRECISION.tensors`.

        A scale that does not travel comes with the matrix it is made from.

        Raises:
            ModelError: the layout asks for what the file cannot give.
        """
        wanted = {target["name"]: target["dtype"] for target in targets}
        for name, dtype in wanted.items():
            tensor = self._tensors.get(name)
            if tensor is None:
                continue
            if tensor["dtype"] == dtype:
                yield name, np.ascontiguousarray(self._read(name))
            elif dtype == "float32":
                yield name, self._floats(tensor)
            else:
                codes, scale = to_int8(self._floats(tensor))
                yield name, codes
                yield tensor["scale"], scale
        made = {tensor["scale"] for tensor in self._tensors.values() if tensor["name"] in wanted}
        if missing := sorted(wanted.keys() - self._tensors.keys() - made):
            raise ModelError(
                f"The weights lack {', '.join(missing)}, which the graph reads.",
                "Convert the model again.",
            )

    def _read(self, name: str) -> NDArray[Any]:
        """A tensor as it travels; a matrix in blocks as bytes."""
        tensor = self._tensors[name]
        raw = self._data[tensor["offset"] : tensor["offset"] + tensor["bytes"]]
        if tensor["dtype"] in BITS:
            return raw
        values: NDArray[Any] = raw.view(tensor["dtype"]).reshape(tensor["shape"])
        return values

    def _floats(self, tensor: Mapping[str, Any]) -> Floats:
        """The float32 matrix [in, out] that a graph multiplies by."""
        data = self._read(tensor["name"])
        bits = BITS.get(tensor["dtype"])
        if bits is None:
            scale = self._read(tensor["scale"]) if tensor["dtype"] == "int8" else np.float32(1)
            plain: Floats = np.multiply(data, scale, dtype=np.float32)
            return plain
        scales = self._read(tensor["blocks"]).astype(np.float32)
        if tensor["columns"] is not None:
            np.ldexp(scales, self._read(tensor["columns"]), out=scales)
        matrix = dequantize(unpack(data, tuple(tensor["shape"]), bits), scales)
        if tensor["rows"] is not None:
            matrix *= np.exp2(self._read(tensor["rows"]).astype(np.float32))[:, np.newaxis]
        return matrix
