"""The torch engine against one uncached forward pass, and opening a checkpoint folder."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from offhand.engine import Run, drive
from offhand.errors import EngineError
from offhand.session import Session
from offhand_export.errors import ExportError
from offhand_export.torch_engine import TOP, TorchEngine, TorchModel
from tests.tiny import CONTROL, TEMPLATE, catalog, tiny_tokenizer

VOCABULARY = 97
WINDOW = 4


def tiny_model(vocabulary: int = VOCABULARY) -> Gemma3ForCausalLM:
    """Two layers with a sliding window of four tokens around a global one, random weights."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=8,
        sliding_window=WINDOW,
        max_position_embeddings=512,
    )
    model = Gemma3ForCausalLM(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model


def uncached(model: Gemma3ForCausalLM, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
    return logits


def test_scores_equal_an_uncached_pass_however_far_the_cache_is_cut() -> None:
    model, chance = tiny_model(), random.Random(0)
    engine = TorchEngine(model)
    ids: list[int] = []
    for length in (1, 9, 30, 31, 12, 28, 3, 3, 40, 40, 22, 41):
        keep = min(len(ids), length - 1) // 2 if length < len(ids) else min(len(ids), length - 1)
        ids = ids[:keep] + [chance.randrange(VOCABULARY) for _ in range(length - keep)]
        scores = engine.run(Run(keep, tuple(ids[keep:]), (5, 90, 2)))
        expected = uncached(model, ids)
        assert torch.allclose(torch.tensor(scores.candidates), expected[[5, 90, 2]], atol=1e-4)


def test_whole_compares_with_every_token() -> None:
    model = tiny_model()
    scores = TorchEngine(model).run(Run(0, (3, 1, 4), (7,), whole=True))
    expected = uncached(model, [3, 1, 4])
    assert scores.log_total == pytest.approx(expected.logsumexp(0).item(), abs=1e-4)
    assert list(scores.top_ids) == expected.topk(TOP).indices.tolist()
    assert list(scores.top_scores) == pytest.approx(expected.topk(TOP).values.tolist(), abs=1e-4)
    assert list(scores.candidates) == pytest.approx([expected[7].item()], abs=1e-4)


def test_without_whole_only_candidates_are_scored() -> None:
    scores = TorchEngine(tiny_model()).run(Run(0, (3,), (7, 8)))
    assert (scores.log_total, scores.top_ids, scores.top_scores) == (None, (), ())


@pytest.mark.parametrize("run", [Run(5, (1,), (1,)), Run(0, (1,) * 17, (1,))])
def test_run_that_does_not_fit_is_refused_and_changes_nothing(run: Run) -> None:
    model = tiny_model()
    engine = TorchEngine(model, context=16)
    engine.run(Run(0, (1, 2), (1,)))
    with pytest.raises(EngineError, match="does not fit"):
        engine.run(run)
    scores = engine.run(Run(2, (3,), (1,)))
    assert scores.candidates[0] == pytest.approx(uncached(model, [1, 2, 3])[1].item(), abs=1e-4)


def test_run_that_fails_leaves_what_was_kept() -> None:
    model = tiny_model()
    engine = TorchEngine(model)
    engine.run(Run(0, (1, 2), (1,)))
    with pytest.raises(EngineError, match="failed to run"):
        engine.run(Run(2, (3,), (VOCABULARY,)))
    scores = engine.run(Run(2, (4,), (1,)))
    assert scores.candidates[0] == pytest.approx(uncached(model, [1, 2, 4])[1].item(), abs=1e-4)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = json.loads(tiny_tokenizer().to_str())
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer["added_tokens"] = [
        {"id": index, "content": name, "special": True, **flags}
        for index, name in enumerate(CONTROL)
    ]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    tiny_model(len(tokenizer["model"]["vocab"])).save_pretrained(folder)
    return folder


def test_opened_checkpoint_makes_a_call(checkpoint: Path) -> None:
    model = TorchModel.open(checkpoint)
    tiny = catalog()
    session = Session(model.vocabulary, model.template, tiny, model.engine.context)
    turn = drive(session.turn("kitchen lights on"), model.engine)
    assert turn.call.name in {tool.name for tool in tiny.tools}


def test_opened_checkpoint_keeps_control_tokens_out_of_text(checkpoint: Path) -> None:
    vocabulary = TorchModel.open(checkpoint).vocabulary
    assert vocabulary.control["<bos>"] == CONTROL.index("<bos>")
    assert not vocabulary.control_ids & set(vocabulary.encode("<bos><escape>"))


def test_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"tokenizer\.json"):
        TorchModel.open(tmp_path)


def test_checkpoint_without_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "chat_template.jinja", "config.json"):
        (tmp_path / name).write_bytes((checkpoint / name).read_bytes())
    with pytest.raises(ExportError, match="not a Gemma 3 text checkpoint"):
        TorchModel.open(tmp_path)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ExportError, match=r"has no chat_template\.jinja"):
        TorchModel.open(tmp_path)
