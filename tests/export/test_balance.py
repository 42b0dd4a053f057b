"""Balancing changes no answer, and makes rounding cost less where channels are uneven."""

from __future__ import annotations

import pytest
import torch
from transformers import Gemma3ForCausalLM

from offhand.weights import to_int8
from offhand_export.balance import FINAL, LINEARS, balance, exponents, factors, measure
from offhand_export.body import Body
from tests.export import tiny_gemma

IDS = [2, 20, 60, 100, 61, 22, 290, 299, 280, 270, 30, 40]


def uneven(kv_heads: int) -> Gemma3ForCausalLM:
    """A tiny Gemma with a few channels far louder than the rest, as trained ones have."""
    model = tiny_gemma.model(kv_heads)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.input_layernorm.weight[3] = 60.0
            layer.pre_feedforward_layernorm.weight[5] = 80.0
            layer.mlp.up_proj.weight[7] *= 50
        model.model.embed_tokens.weight[:, 4] *= 20
    return model


def logits(body: Body, embedding: torch.Tensor) -> torch.Tensor:
    """Logits [V] after `IDS`, with the embedding [V, N] as the output head."""
    empty = torch.zeros(0, 4 * body.config.num_key_value_heads, 16)
    embeds = body_embeds(body, embedding)
    with torch.no_grad():
        return body(embeds, empty)[0][0] @ embedding.T


def body_embeds(body: Body, embedding: torch.Tensor) -> torch.Tensor:
    """What the layers start from."""
    return embedding[IDS].unsqueeze(0) * body.config.hidden_size**0.5


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_answers_stay(kv_heads: int) -> None:
    model = uneven(kv_heads)
    body = Body(model).eval()
    embedding = model.get_input_embeddings().weight.detach()
    before = logits(body, embedding)
    done = balance(body, embedding, measure(model, [IDS]))
    empty = torch.zeros(0, 4 * kv_heads, 16)
    with torch.no_grad():
        after = body(body_embeds(body, embedding), empty)[0][0] @ (embedding * done.factor).T
    assert not torch.equal(body.layers[0].qkv, Body(model).layers[0].qkv)
    assert torch.allclose(before, after, atol=1e-3 * float(before.std()))


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_exponents_undo_the_balance(kv_heads: int) -> None:
    """To the bit: what travels is the weight as it was trained."""
    model = uneven(kv_heads)
    body, before = Body(model).eval(), Body(model).eval()
    done = balance(body, model.get_input_embeddings().weight.detach(), measure(model, [IDS]))
    moved = set()
    for index in range(2):
        for name in LINEARS:
            found = done.matrices[f"layers.{index}.{name}"]
            matrix = getattr(body.layers[index], name)
            assert found.rows is not None
            matrix = torch.ldexp(matrix, -found.rows.unsqueeze(1).int())
            moved.add((name, "rows", bool(found.rows.any())))
            if found.columns is not None:
                matrix = torch.ldexp(matrix, -found.columns.int())
                moved.add((name, "columns", bool(found.columns.any())))
            assert torch.equal(matrix, getattr(before.layers[index], name)), name
    assert moved >= {(name, "rows", True) for name in LINEARS}
    assert moved >= {(name, "columns", True) for name in ("qkv", "gate_up")}
    assert done.final.rows is not None
    assert torch.equal(torch.ldexp(torch.ones(32), done.final.rows.int()), done.factor)


def test_factors_are_powers_of_two() -> None:
    sizes = torch.rand(200, generator=torch.Generator().manual_seed(0)).mul(40).exp()
    found = factors(sizes, sizes.flip(0))
    assert torch.equal(torch.ldexp(torch.ones(200), exponents(found).int()), found)
    assert exponents(found).abs().max() == 9


@pytest.mark.parametrize("loud", [10.0, 100.0])
def test_rounding_costs_less(loud: float) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 32, generator=generator)
    matrix = torch.randn(32, 48, generator=generator)
    inputs[:, 3] *= loud
    matrix[5] *= loud

    def error(factor: torch.Tensor) -> float:
        values, scales = to_int8((matrix * factor.unsqueeze(1)).numpy())
        rounded = torch.from_numpy(values * scales)
        return float(((inputs / factor) @ rounded - inputs @ matrix).pow(2).mean())

    factor = factors(inputs.pow(2).mean(0).sqrt(), matrix.abs().amax(1))
    assert error(factor) < 0.25 * error(torch.ones(32))


def test_measure_leaves_the_first_token_out() -> None:
    model = tiny_gemma.model()
    sizes = measure(model, [IDS])
    assert set(sizes) == {FINAL} | {
        f"layers.{index}.{name}" for index in range(2) for name in ("qkv", "out", "gate_up", "down")
    }
    with torch.no_grad():
        states = model.model(input_ids=torch.tensor([IDS])).last_hidden_state[0, 1:]
    assert torch.allclose(sizes[FINAL], states.pow(2).mean(0).sqrt(), atol=1e-5)
    assert not model.model.layers[0].self_attn.q_proj._forward_pre_hooks


@pytest.mark.parametrize(
    ("inputs", "rows"), [([1.0, 1.0], [1.0, 1.0]), ([5.0, 5.0], [0.1, 0.1]), ([0.0, 0.0], [0, 0])]
)
def test_even_channels_are_left_alone(inputs: list[float], rows: list[float]) -> None:
    assert factors(torch.tensor(inputs), torch.tensor(rows)).tolist() == pytest.approx([1.0, 1.0])
