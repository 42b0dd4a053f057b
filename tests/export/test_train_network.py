"""The packed network against transformers and peft: the same loss, the same gradients.

The reference runs every conversation alone and whole, in float32, with peft's own adapters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import Gemma3ForCausalLM

from offhand_export.errors import CheckpointError
from offhand_export.train.adapter import base_fingerprint, check_base, save_adapter
from offhand_export.train.batches import Tokens, as_batch
from offhand_export.train.lora import Rounding
from offhand_export.train.network import Network
from offhand_export.train.quantize import rounded
from tests.export.tiny_training import WINDOW, tiny_model

VOCABULARY = 90
RANK, SCALE = 4, 1.5
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CPU = torch.device("cpu")


def tokens(prefix: int, seed: int = 0) -> list[Tokens]:
    """Conversations that share their beginning, of one to three calls, longer than the window."""
    generator = torch.Generator().manual_seed(seed)

    def some(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(VOCABULARY, (count,), generator=generator).tolist())

    shared = some(prefix)
    shapes = [(20, [(9, 13)]), (31, [(5, 9), (20, 31)]), (3, [(1, 3)]), (26, [(25, 26)])]
    return [
        Tokens(shared + some(length), tuple((prefix + a, prefix + b) for a, b in calls))
        for length, calls in shapes
    ]


def network(model: Gemma3ForCausalLM, **options: Any) -> Network:
    """A network whose adapters are not zero."""
    made = Network(model, RANK, SCALE, options.pop("dtype", torch.float32), seed=5, **options)
    generator = torch.Generator().manual_seed(1)
    for fused in made.fused:
        fused.b.data.normal_(0, 0.2, generator=generator)
    made.merge()
    return made


def reference(model: Gemma3ForCausalLM, like: Network) -> Any:
    """The model with peft's adapters, set to the network's."""
    config = LoraConfig(r=RANK, lora_alpha=SCALE * RANK, target_modules=LAYERS)
    made = get_peft_model(model, config)
    pairs = {name: pair for fused in like.fused for name, pair in fused.pairs().items()}
    for name, (a, b) in pairs.items():
        layer = made.get_submodule(f"base_model.model.{name}")
        layer.lora_A["default"].weight.data.copy_(a)
        layer.lora_B["default"].weight.data.copy_(b)
    return made


def plain_loss(model: Any, sequences: list[Tokens]) -> tuple[Tensor, list[bool]]:
    """Summed loss, one whole conversation after another, and which targets are the likeliest."""
    total, right = torch.zeros(()), []
    for one in sequences:
        logits = model(torch.tensor([one.ids])).logits[0].float()
        for first, last in one.calls:
            gold = torch.tensor(one.ids[first:last])
            part = logits[first - 1 : last - 1]
            total = total + torch.nn.functional.cross_entropy(part, gold, reduction="sum")
            right += (part.argmax(-1) == gold).tolist()
    return total, right


@pytest.mark.parametrize("kv_heads", [1, 2])
@pytest.mark.parametrize("prefix", [0, 1, 7, 40])
def test_loss_and_gradients_are_those_of_unshared_conversations(prefix: int, kv_heads: int) -> None:
    assert prefix + 31 > WINDOW
    ours = network(tiny_model(VOCABULARY, kv_heads))
    theirs = reference(tiny_model(VOCABULARY, kv_heads), ours)
    sequences = tokens(max(prefix, 1) if prefix else 0)
    loss, right = ours(as_batch(sequences, prefix, CPU))
    expected, expected_right = plain_loss(theirs, sequences)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert right.tolist() == expected_right
    loss.backward()
    expected.backward()
    for fused in ours.fused:
        for name, (rows, below) in zip(fused.names, fused.parts(), strict=True):
            layer = theirs.get_submodule(f"base_model.model.{name}")
            a, b = layer.lora_A["default"].weight.grad, layer.lora_B["default"].weight.grad
            torch.testing.assert_close(fused.a.grad[below], a, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(fused.b.grad[rows], b, rtol=1e-4, atol=1e-4)


def test_window_is_honoured() -> None:
    """Were it not, a model that sees everything would agree too."""
    sequences = tokens(40)
    ours = network(tiny_model(VOCABULARY))
    wide = tiny_model(VOCABULARY)
    wide.config.sliding_window = 4096
    loss, _ = ours(as_batch(sequences, 40, CPU))
    other, _ = network(wide)(as_batch(sequences, 40, CPU))
    assert abs(loss.item() - other.item()) > 1e-2


def test_bfloat16_computes_about_the_same() -> None:
    sequences = tokens(7)
    batch = as_batch(sequences, 7, CPU)
    exact = network(tiny_model(VOCABULARY))
    rough = network(tiny_model(VOCABULARY), dtype=torch.bfloat16)
    losses = []
    for made in (exact, rough):
        loss, _ = made(batch)
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    pairs = zip(exact.parameters(), rough.parameters(), strict=True)
    one, other = (
        torch.cat([g.flatten() for g in side])
        for side in zip(*((a.grad, b.grad) for a, b in pairs), strict=True)
    )
    assert torch.cosine_similarity(one, other, dim=0) > 0.99


@pytest.mark.parametrize("bits", [4, 5, 6])
def test_rounded_weights_are_those_of_the_merged_model(bits: int) -> None:
    sequences = tokens(7)
    ours = network(tiny_model(VOCABULARY))
    merged = reference(tiny_model(VOCABULARY), ours).merge_and_unload()
    for name, module in merged.named_modules():
        if name.endswith("_proj"):
            module.weight.data = rounded(module.weight.data, bits)
    ours.merge(Rounding(bits, 32))
    loss, _ = ours(as_batch(sequences, 7, CPU))
    expected, _ = plain_loss(merged, sequences)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    # Straight through: the gradient is that of the product of A and B at the rounded weights.
    loss.backward()
    assert all(float(weight.grad.abs().sum()) > 0 for weight in ours.parameters())


def test_dropout_leaves_out_inputs_and_their_gradient() -> None:
    ours = network(tiny_model(VOCABULARY))
    kept = [torch.full((fused.a.shape[1],), 2.0) for fused in ours.fused]
    for factors in kept:
        factors[::2] = 0
    ours.merge(kept=kept)
    for fused, factors in zip(ours.fused, kept, strict=True):
        change = fused.merged - fused.frozen
        assert torch.all(change[:, ::2] == 0)
        assert torch.any(change[:, 1::2] != 0)
        expected = torch.cat(
            [SCALE * fused.b[rows] @ (fused.a[below] * factors) for rows, below in fused.parts()]
        )
        torch.testing.assert_close(change, expected, atol=1e-5, rtol=1e-4)
    loss, _ = ours(as_batch(tokens(7), 7, CPU))
    loss.backward()
    for fused in ours.fused:
        assert torch.all(fused.a.grad[:, ::2] == 0)
        assert torch.any(fused.a.grad[:, 1::2] != 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attn_logit_softcapping", 50.0),
        ("final_logit_softcapping", 30.0),
        ("rope_scaling", {"rope_type": "linear", "factor": 8.0}),
        ("attention_bias", True),
        ("use_bidirectional_attention", True),
        ("hidden_activation", "silu"),
    ],
)
def test_what_is_not_computed_is_refused_by_name(name: str, value: Any) -> None:
    model = tiny_model(VOCABULARY)
    setattr(model.config, name, value)
    with pytest.raises(CheckpointError, match=name):
        network(model)


# The adapter as a folder.


def test_saved_adapter_merges_to_what_was_computed(tmp_path: Path) -> None:
    from offhand_export.sources import merge

    ours = network(tiny_model(VOCABULARY))
    save_adapter(ours, tmp_path / "adapter", "gguf", base_fingerprint(tiny_model(VOCABULARY)))
    merged = merge(tiny_model(VOCABULARY), tmp_path / "adapter")
    ours.merge(saved=True)
    for fused in ours.fused:
        for name, rows in zip(fused.names, fused.rows, strict=True):
            torch.testing.assert_close(merged.get_submodule(name).weight.data, fused.merged[rows])


def test_adapter_of_other_weights_is_refused(tmp_path: Path) -> None:
    from offhand_export.sources import merge

    ours = network(tiny_model(VOCABULARY))
    save_adapter(ours, tmp_path / "adapter", "gguf", base_fingerprint(tiny_model(VOCABULARY)))
    with pytest.raises(CheckpointError, match=r"trained on other weights .* it names: gguf"):
        merge(tiny_model(VOCABULARY, seed=1), tmp_path / "adapter")
    (tmp_path / "adapter" / "offhand_base.json").write_text("[]")
    with pytest.raises(CheckpointError, match="damaged"):
        check_base(tmp_path / "adapter", tiny_model(VOCABULARY))


def test_fingerprint_is_of_the_linear_layers_alone() -> None:
    same = base_fingerprint(tiny_model(VOCABULARY))
    trimmed = tiny_model(VOCABULARY)
    trimmed.resize_token_embeddings(40, mean_resizing=False)
    assert base_fingerprint(trimmed) == same
    changed = tiny_model(VOCABULARY)
    changed.model.layers[2].mlp.down_proj.weight.data[3, 3] += 1e-3
    assert base_fingerprint(changed) != same
    half = tiny_model(VOCABULARY).bfloat16()
    assert base_fingerprint(half) == base_fingerprint(half.float())
