"""`convert`: a tiny Gemma 3 through the whole stage, held against transformers' own forward."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import Gemma3ForCausalLM

from offhand.engine import Run
from offhand.native import NativeModel
from offhand_export import blocks, body, parity
from offhand_export.checkpoint import make_checkpoint
from offhand_export.convert import convert
from offhand_export.errors import CheckpointError, ConvertError
from tests.export import tiny_gemma

LENGTH = 3 * tiny_gemma.WINDOW
EVERY = tuple(range(tiny_gemma.ROWS))


def silent(_: str) -> None:
    """Progress nobody watches."""


@pytest.fixture(scope="module", params=[1, 2], ids=["one-kv-head", "two-kv-heads"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Gemma3ForCausalLM, Path, Path]:
    """The model, its checkpoint folder, and the model folder made of it."""
    home = tmp_path_factory.mktemp("made")
    source = tiny_gemma.write_source(home / "source", kv_heads=request.param)
    checkpoint = make_checkpoint(source, home / "checkpoint", progress=silent)
    folder = convert(checkpoint, home / "model", name="tiny", progress=silent)
    return tiny_gemma.model(request.param), checkpoint, folder


def tokens(seed: int = 0) -> list[int]:
    """Random ids, longer than the sliding window."""
    return np.random.default_rng(seed).integers(0, tiny_gemma.ROWS, LENGTH).tolist()


def expected(model: Gemma3ForCausalLM, ids: list[int]) -> torch.Tensor:
    """Transformers' logits [S, V]."""
    with torch.no_grad():
        logits: torch.Tensor = model(input_ids=torch.tensor([ids])).logits[0]
    return logits


def test_contract(made: tuple[Gemma3ForCausalLM, Path, Path]) -> None:
    model, _, folder = made
    heads = model.config.num_key_value_heads
    contract = json.loads((folder / "model.json").read_text("utf-8"))
    assert contract["format"] == 2
    assert contract["name"] == "tiny"
    assert contract["architecture"] == "gemma3_text"
    assert contract["config"] == {
        "vocabulary": 300,
        "width": 32,
        "layers": 2,
        "kv_heads": heads,
        "head_size": 16,
        "context": 1024,
    }
    assert contract["cache"] == {"channels": 4 * heads, "head_size": 16}
    assert contract["dialect"]["control"]["<bos>"] == 2
    assert contract["dialect"]["control"]["<escape>"] == 14
    assert contract["control_ids"] == list(range(15))
    assert contract["parity"]["layers"]["agreement"] >= 0.99
    files = {path.name for path in folder.iterdir()}
    assert set(contract["files"]) == files - {"model.json", ".inputs"}
    for name, facts in contract["files"].items():
        content = (folder / name).read_bytes()
        assert facts == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_wire_layout(made: tuple[Gemma3ForCausalLM, Path, Path]) -> None:
    _, _, folder = made
    contract = json.loads((folder / "model.json").read_text("utf-8"))
    tensors = contract["weights"]["tensors"]
    assert len(tensors) == 2 * (1 + 2 * 4)
    end = 0
    for tensor in tensors:
        assert end <= tensor["offset"] < end + 64
        assert tensor["bytes"] == np.prod(tensor["shape"]) * np.dtype(tensor["dtype"]).itemsize
        end = tensor["offset"] + tensor["bytes"]
    assert contract["files"]["weights.bin"]["size"] == end
    by_name = {tensor["name"]: tensor for tensor in tensors}
    for tensor in tensors:
        if tensor["dtype"] == "int8":
            assert by_name[tensor["scale"]]["shape"] == [tensor["shape"][1]]
            assert by_name[tensor["scale"]]["offset"] < tensor["offset"]
    assert contract["wire"]["layers"] == contract["wire"]["embedding"] == "int8"
    assert sum(contract["wire"]["bytes"].values()) == sum(tensor["bytes"] for tensor in tensors)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_graph_refers_to_the_memory_table(
    made: tuple[Gemma3ForCausalLM, Path, Path], precision: str
) -> None:
    _, _, folder = made
    memory = json.loads((folder / "model.json").read_text("utf-8"))["memory"][precision]
    graph = onnx.load(folder / memory["graph"], load_external_data=False).graph
    outside = {}
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            assert entries["location"] == "weights"
            outside[tensor.name] = (int(entries["offset"]), int(entries["length"]))
        else:
            assert len(tensor.raw_data) <= 32 * 16 * 4
    assert outside == {
        tensor["name"]: (tensor["offset"], tensor["bytes"]) for tensor in memory["tensors"]
    }
    ends = sorted((tensor["offset"], tensor["bytes"]) for tensor in memory["tensors"])
    assert all(a + size <= b for (a, size), (b, _) in pairwise(ends))
    assert memory["bytes"] == sum(ends[-1])


@pytest.mark.parametrize("chunks", [[LENGTH], [1] * LENGTH, [5, 1, 11, 7], [LENGTH - 1, 1]])
@pytest.mark.parametrize(("precision", "spread"), [("fp32", 0.15), ("int8", 0.4)])
def test_scores_are_the_checkpoints(
    made: tuple[Gemma3ForCausalLM, Path, Path], precision: str, spread: float, chunks: list[int]
) -> None:
    model, _, folder = made
    engine = NativeModel.open(folder, precision, threads=1).engine
    ids = tokens()
    logits = expected(model, ids)
    start = 0
    for size in chunks:
        found = engine.run(Run(start, tuple(ids[start : start + size]), EVERY))
        start += size
        wanted = logits[start - 1].numpy()
        difference = np.abs(np.array(found.candidates) - wanted).max()
        assert difference < spread * wanted.std(), f"after {start} tokens"
    assert start == LENGTH


def test_chunks_make_no_difference(made: tuple[Gemma3ForCausalLM, Path, Path]) -> None:
    _, _, folder = made
    engine = NativeModel.open(folder, threads=1).engine
    ids = tuple(tokens(1))
    once = engine.run(Run(0, ids, EVERY))
    engine.run(Run(0, ids[:13], (5,)))
    engine.run(Run(13, (7, 7, 7), (5,)))  # thought better of: the next run keeps 13 only
    again = engine.run(Run(13, ids[13:], EVERY))
    assert np.abs(np.subtract(once.candidates, again.candidates)).max() < 1e-4


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_whole_vocabulary(made: tuple[Gemma3ForCausalLM, Path, Path], precision: str) -> None:
    _, _, folder = made
    engine = NativeModel.open(folder, precision, threads=1).engine
    for seed in range(5):
        found = engine.run(Run(0, tuple(tokens(seed)), EVERY, whole=True))
        scores = np.array(found.candidates)
        assert found.log_total == pytest.approx(np.log(np.exp(scores).sum()), abs=2e-3)
        assert len(set(found.top_ids)) == 64
        assert np.allclose(scores[list(found.top_ids)], -np.sort(-scores)[:64], atol=2e-3)
        assert np.allclose(found.top_scores, scores[list(found.top_ids)], atol=1e-5)
    assert engine.run(Run(0, (2, 3), (4,))).log_total is None


def test_text_cannot_become_a_control_token(
    made: tuple[Gemma3ForCausalLM, Path, Path],
) -> None:
    _, _, folder = made
    vocabulary = NativeModel.open(folder, threads=1).vocabulary
    for text in [*vocabulary.control, "<mask>[multimodal]<unk>", "the<escape>the"]:
        ids = vocabulary.encode(text)
        assert not vocabulary.control_ids & set(ids)
        assert vocabulary.decode(list(ids)) == text
    assert vocabulary.encode("<b>\n\n") == (16, 15)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A fresh checkpoint."""
    source = tiny_gemma.write_source(tmp_path / "source")
    return make_checkpoint(source, tmp_path / "checkpoint", progress=silent)


def broken_attention(self: body.Layer, *parts: torch.Tensor) -> torch.Tensor:
    """Attention that forgets the mask."""
    query, keys, values, mask = parts
    return ATTEND(self, query, keys, values, torch.zeros_like(mask))


ATTEND = body.Layer.attend


def test_broken_graph_is_never_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body.Layer, "attend", broken_attention)
    with pytest.raises(ConvertError, match="do not compute what the checkpoint does"):
        convert(checkpoint, tmp_path / "out", progress=silent)
    assert {path.name for path in tmp_path.iterdir()} == {"source", "checkpoint"}


def test_done_work_is_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = convert(checkpoint, tmp_path / "out", progress=silent)
    before = (out / "model.json").read_bytes()
    lines: list[str] = []
    convert(checkpoint, out, progress=lines.append)
    assert lines == [f"convert: {out} is up to date"]

    monkeypatch.setitem(parity.LEAST, "int8", {"fp32": 1.1, "int8": 0.0})
    with pytest.raises(ConvertError, match="agrees with the checkpoint on"):
        convert(checkpoint, out, name="changed", progress=silent)
    assert (out / "model.json").read_bytes() == before
    assert not list(tmp_path.glob(".*"))

    monkeypatch.undo()
    (out / "weights.bin").write_bytes(b"short")
    convert(checkpoint, out, progress=silent)
    assert (out / "model.json").read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
        ({"attn_logit_softcapping": 50.0}, "attn_logit_softcapping"),
        ({"hidden_activation": "relu"}, "hidden_activation=relu"),
        ({"use_bidirectional_attention": True}, "use_bidirectional_attention"),
    ],
)
def test_refused_options(tmp_path: Path, setting: dict[str, Any], name: str) -> None:
    source = tiny_gemma.write_source(tmp_path / "source", **setting)
    checkpoint = make_checkpoint(source, tmp_path / "checkpoint", progress=silent)
    with pytest.raises(ConvertError, match=name):
        convert(checkpoint, tmp_path / "out", progress=silent)
    assert not (tmp_path / "out").exists()


def rounded(model: Gemma3ForCausalLM, bits: int, whole: bool) -> Gemma3ForCausalLM:
    """The checkpoint with every layer's weights rounded to blocks; the embedding's, if `whole`."""
    names = [name for name, _ in model.named_parameters() if name.endswith("_proj.weight")]
    names += ["model.embed_tokens.weight"] if whole else []
    assert len(names) == 14 + whole
    with torch.no_grad():
        for name in names:
            weight = model.get_parameter(name)
            codes, scales = blocks.quantize(np.ascontiguousarray(weight.T.numpy()), bits)
            weight.copy_(torch.from_numpy(blocks.dequantize(codes, scales)).T)
    return model


@pytest.mark.parametrize(
    ("form", "embedding"), [("q6", "int8"), ("q5", "int8"), ("q4", "int8"), ("q6", "q6")]
)
def test_blocks_are_served(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, embedding: str
) -> None:
    """The graphs compute what the checkpoint would, had its weights been rounded in training."""
    # Random weights lose more to rounding than the trained ones the limits are made for.
    monkeypatch.setitem(parity.LEAST, form, {"fp32": 0.0, "int8": 0.0})
    folder = convert(checkpoint, tmp_path / "out", None, form, embedding, progress=silent)
    contract = json.loads((folder / "model.json").read_text("utf-8"))
    assert contract["wire"]["layers"] == form
    assert contract["wire"]["embedding"] == embedding
    model = rounded(tiny_gemma.model(), blocks.BITS[form], embedding == form)
    ids = tokens()
    wanted = expected(model, ids)[-1].numpy()
    plain = expected(tiny_gemma.model(), ids)[-1].numpy()
    for precision, spread in (("fp32", 0.15), ("int8", 0.4)):
        engine = NativeModel.open(folder, precision, threads=1).engine
        found = np.array(engine.run(Run(0, tuple(ids), EVERY)).candidates)
        assert np.abs(found - wanted).max() < spread * wanted.std()
        if precision == "fp32" and form != "q6":
            assert np.abs(found - plain).max() > 2 * np.abs(found - wanted).max()


def test_a_damaging_wire_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.LEAST, "q4", {"fp32": 1.0, "int8": 0.0})
    with pytest.raises(ConvertError, match=r"do not survive rounding to q4: try --wire int8"):
        convert(checkpoint, tmp_path / "out", wire="q4", progress=silent)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "embedding", "message"),
    [
        ("int3", "int8", r"no wire precision 'int3'\. Use int8, q6, q5, q4, fp32\."),
        ("q5", "q4", r"no wire precision 'q4'\. Use int8, q6\."),
    ],
)
def test_refused_wire(
    checkpoint: Path, tmp_path: Path, form: str, embedding: str, message: str
) -> None:
    with pytest.raises(ConvertError, match=message):
        convert(checkpoint, tmp_path / "out", None, form, embedding, progress=silent)


def test_refused_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        convert(tmp_path / "empty", tmp_path / "out", progress=silent)


def test_template_that_fails(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "chat_template.jinja").write_text("{{ raise_exception('no tools') }}", "utf-8")
    with pytest.raises(ConvertError, match=r"chat template cannot be served: .*no tools"):
        convert(checkpoint, tmp_path / "out", progress=silent)
