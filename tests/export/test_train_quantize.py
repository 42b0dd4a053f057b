"""Rounding to blocks against a slow loop, and against the stage that ships them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from offhand_export.blocks import dequantize, quantize
from offhand_export.train.quantize import BITS, rounded


def slowly(row: list[float], bits: int) -> list[float]:
    """One block of 32, as ggml's Q4_0 and Q5_0 say."""
    top = 0.0
    for value in row:
        if abs(value) > abs(top):
            top = value
    half = 2 ** (bits - 1)
    scale = np.float32(np.float16(np.float32(top) / np.float32(-half)))
    if scale == 0:
        return [0.0] * len(row)
    codes = [np.clip(np.rint(np.float32(value) / scale), -half, half - 1) for value in row]
    return [float(np.float32(code) * scale) for code in codes]


def weights() -> torch.Tensor:
    """Blocks of many magnitudes, of ties in both orders, of zeros, and too small for float16."""
    generator = torch.Generator().manual_seed(0)
    made = torch.randn(8, 128, generator=generator) * torch.logspace(-4, 2, 8)[:, None]
    made[0, :32] = 0
    made[1, 3], made[1, 5] = 900.0, -900.0
    made[2, 40], made[2, 50] = -900.0, 900.0
    made[3, 64:96] = 1e-9
    made[4, :32] = torch.linspace(-8, 7.5, 32)
    return made


@pytest.mark.parametrize("bits", BITS)
def test_blocks_are_rounded_as_the_loop_rounds_them(bits: int) -> None:
    weight = weights()
    expected = [
        [value for at in range(0, 128, 32) for value in slowly(row[at : at + 32], bits)]
        for row in weight.tolist()
    ]
    assert torch.equal(rounded(weight, bits), torch.tensor(expected))


@pytest.mark.parametrize("bits", BITS)
def test_rounding_is_that_of_the_shipped_blocks(bits: int) -> None:
    generator = torch.Generator().manual_seed(bits)
    for weight in (weights(), torch.randn(96, 640, generator=generator) * 0.03):
        codes, scales = quantize(weight.T.numpy().copy(), bits)
        expected = np.asarray(dequantize(codes, scales), dtype=np.float32)
        assert np.array_equal(rounded(weight, bits).numpy().T, expected)


@pytest.mark.parametrize("bits", BITS)
def test_rounding_twice_changes_nothing(bits: int) -> None:
    once = rounded(weights(), bits)
    assert torch.equal(rounded(once, bits), once)


def test_weights_that_are_not_finite_stay_so() -> None:
    weight = torch.ones(1, 64)
    weight[0, 5] = torch.nan
    assert torch.isnan(rounded(weight, 4)[0, 5])
    assert torch.equal(weight[0, 6:], torch.ones(58))
