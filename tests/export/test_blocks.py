"""Rounding to blocks against a loop that follows the definition, and the packed layout."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand_export import blocks
from offhand_export.errors import ConvertError

BITS = sorted(blocks.BITS.values())


def by_hand(weight: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and scales of every block, a number at a time; `round` takes ties to even."""
    rows, columns = weight.shape
    half = 2 ** (bits - 1)
    codes = np.zeros((rows, columns), np.int8)
    scales = np.zeros((rows // 32, columns), np.float16)
    for column in range(columns):
        for block in range(rows // 32):
            values = [weight[32 * block + i, column] for i in range(32)]
            largest = values[0]
            for value in values:
                if abs(value) > abs(largest):
                    largest = value
            scale = np.float16(np.float32(largest) / np.float32(-half))
            scales[block, column] = scale
            for i, value in enumerate(values):
                code = round(float(value / np.float32(scale))) if scale else 0
                codes[32 * block + i, column] = min(max(code, -half), half - 1)
    return codes, scales


def matrices() -> dict[str, np.ndarray]:
    """Matrices that meet every rule of rounding."""
    random = np.random.default_rng(0)
    normal = random.standard_normal((96, 24)).astype(np.float32) * np.float32(0.05)
    heavy = normal * np.exp(2 * random.standard_normal((96, 24))).astype(np.float32)
    zeros = normal.copy()
    zeros[32:64, ::3] = 0
    tied = np.round(normal * 100).astype(np.float32) / 4  # many ties, also of the largest
    tied[0] = tied[:32].max(axis=0)
    tied[1] = -tied[0]
    return {
        "normal": normal,
        "heavy": heavy,
        "zeros": zeros,
        "tied": tied,
        "tiny": normal * np.float32(1e-6),  # scales of few bits, some of them zero
        "positive": np.abs(normal),
    }


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", matrices())
def test_rounding_follows_the_definition(name: str, bits: int) -> None:
    weight = matrices()[name]
    codes, scales = blocks.quantize(weight, bits)
    expected, expected_scales = by_hand(weight, bits)
    assert (str(codes.dtype), str(scales.dtype)) == ("int8", "float16")
    assert np.array_equal(scales, expected_scales)
    assert np.array_equal(codes, expected)
    values = blocks.dequantize(codes, scales)
    by_row = np.repeat(expected_scales.astype(np.float32), 32, axis=0)
    assert np.array_equal(values, expected * by_row)
    assert values.dtype == np.float32


@pytest.mark.parametrize("bits", BITS)
def test_rounding_errs_by_half_a_step(bits: int) -> None:
    """But where the code without a counterpart would be needed: there by one."""
    weight = matrices()["normal"]
    codes, scales = blocks.quantize(weight, bits)
    step = np.abs(np.repeat(scales.astype(np.float32), 32, axis=0))
    error = np.abs(blocks.dequantize(codes, scales) - weight) / step
    clipped = codes == 2 ** (bits - 1) - 1
    assert error[~clipped].max() < 0.51
    assert error[clipped].max() < 1.01


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(32, 1), (64, 3), (96, 40)])
def test_packing_comes_back(bits: int, shape: tuple[int, int]) -> None:
    half = 2 ** (bits - 1)
    codes = np.random.default_rng(1).integers(-half, half, shape).astype(np.int8)
    packed = blocks.pack(codes, bits)
    assert str(packed.dtype) == "uint8"
    assert packed.nbytes == math.prod(shape) * bits // 8
    assert np.array_equal(blocks.unpack(packed, shape, bits), codes)


@pytest.mark.parametrize(
    ("row", "bits", "code", "changed"),
    [
        (0, 4, -8 + 5, {0: 5}),
        (17, 4, -8 + 5, {1: 5 << 4}),
        (0, 5, -16 + 16, {16: 1}),
        (7, 5, -16 + 18, {7: 2, 19: 1 << 1}),
        (31, 6, -32 + 63, {15: 15 << 4, 19: 1 << 7, 23: 1 << 7}),
        (32, 6, -32 + 33, {24: 1, 24 + 20: 1}),
    ],
)
def test_where_a_code_lies(row: int, bits: int, code: int, changed: dict[int, int]) -> None:
    """Byte by byte for one column, as the layout is described."""
    codes = np.full((64, 1), -(2 ** (bits - 1)), np.int8)
    assert not blocks.pack(codes, bits).any()
    codes[row] = code
    packed = blocks.pack(codes, bits)
    assert {int(place): int(packed[place]) for place in packed.nonzero()[0]} == changed


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros((48, 4)), "48 inputs cannot be cut into blocks of 32"),
        (np.full((32, 4), np.nan), "not a number"),
        (np.full((32, 4), np.inf), "not a number"),
        (np.full((32, 4), 1e7), "too large"),
    ],
)
def test_what_cannot_be_rounded_is_refused(weight: np.ndarray, message: str) -> None:
    with pytest.raises(ConvertError, match=message):
        blocks.quantize(weight.astype(np.float32), 5)
