"""`trim`: what is written into the checkpoint folder, what is refused, and what is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Gemma3ForCausalLM

from offhand_export import cli
from offhand_export import tokenizer_files as files
from offhand_export import trim_vocabulary as vocabularies
from offhand_export.checkpoint import STAMP, make_checkpoint
from offhand_export.errors import CheckpointError, ExportError, TokenizerError
from offhand_export.trim import EMBEDDING, HEAD, trim
from tests.export import tiny_gemma


def silent(_: str) -> None:
    """Progress nobody watches."""


def dialect() -> dict[str, Any]:
    """The tiny tokenizer of a checkpoint, its token "the" in the middle of the rows."""
    made = files.with_dialect(tiny_gemma.tokenizer_json(), tiny_gemma.ROWS)
    vocabulary = made["model"]["vocab"]
    vocabulary["the"], vocabulary["e"] = vocabulary["e"], vocabulary["the"]
    return made


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A tiny checkpoint, "the" in the middle of its rows."""
    source = tiny_gemma.write_source(tmp_path / "source")
    (source / "tokenizer.json").write_text(json.dumps(dialect()), "utf-8")
    return make_checkpoint(source, tmp_path / "checkpoint", progress=silent)


def logits(folder: Path, ids: list[int]) -> torch.Tensor:
    """Logits [S, V] of a checkpoint as transformers reads it."""
    model = Gemma3ForCausalLM.from_pretrained(folder, dtype="auto").eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0]


def test_only_rows_go(checkpoint: Path, tmp_path: Path) -> None:
    out = trim(checkpoint, tmp_path / "out", 298, progress=silent)
    full = files.read_json(checkpoint / "tokenizer.json")
    ids = vocabularies.select(full, 298)
    gone = sorted(set(range(300)) - set(ids))
    names = {row: name for name, row in full["model"]["vocab"].items()}
    assert {names[row] for row in gone} == {"th", "the"}
    assert gone[0] < 290  # so rows after it have moved
    before = load_file(checkpoint / "model.safetensors")
    after = load_file(out / "model.safetensors")
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        expected = tensor[ids] if name == EMBEDDING else tensor
        assert torch.equal(after[name], expected), name
        assert after[name].dtype == tensor.dtype
    text = "a door in the hall"
    rows = files.load(full).encode(text).ids
    small = files.load(files.read_json(out / "tokenizer.json"))
    spelled = [ids.index(row) for token in rows for row in ([token] if token in ids else [])]
    assert len(small.encode(text).ids) == len(rows) + 2  # "the" from letters
    assert torch.equal(
        logits(out, spelled), logits(checkpoint, [ids[row] for row in spelled])[:, ids]
    )


def test_texts_are_kept(checkpoint: Path, tmp_path: Path) -> None:
    text = tmp_path / "turns.txt"
    text.write_text("the\n", "utf-8")
    with pytest.raises(TokenizerError, match="299 tokens are too few: 300 always stay"):
        trim(checkpoint, tmp_path / "out", 299, [text], progress=silent)
    text.write_text("th a\n", "utf-8")
    out = trim(checkpoint, tmp_path / "out", 299, [text], progress=silent)
    vocabulary = files.read_json(out / "tokenizer.json")["model"]["vocab"]
    assert "th" in vocabulary
    assert "the" not in vocabulary


def test_the_folder_is_a_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    stamp = json.loads((checkpoint / STAMP).read_text("utf-8"))
    (checkpoint / STAMP).write_text(json.dumps({**stamp, "untuned": True}), "utf-8")
    out = trim(checkpoint, tmp_path / "out", 298, progress=silent)
    names = {path.name for path in checkpoint.iterdir()}
    assert {path.name for path in out.iterdir()} == names
    written = json.loads((out / STAMP).read_text("utf-8"))
    assert written["untuned"] is True
    assert written["source"] == "source, 298 tokens"
    assert json.loads((out / "config.json").read_text("utf-8"))["vocab_size"] == 298
    template = "chat_template.jinja"
    assert (out / template).read_bytes() == (checkpoint / template).read_bytes()
    again = make_checkpoint(out, tmp_path / "again", progress=silent)
    assert torch.equal(logits(again, [2, 20, 60]), logits(out, [2, 20, 60]))


def test_a_foreign_folder_counts_as_tuned(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / STAMP).unlink()
    out = trim(checkpoint, tmp_path / "out", 298, progress=silent)
    assert json.loads((out / STAMP).read_text("utf-8"))["untuned"] is False


def test_precision_stays(checkpoint: Path, tmp_path: Path) -> None:
    path = checkpoint / "model.safetensors"
    tensors = {name: tensor.bfloat16() for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    out = trim(checkpoint, tmp_path / "out", 298, progress=silent)
    after = load_file(out / "model.safetensors")
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}


def test_what_is_done_is_not_done_again(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said: list[str] = []
    trim(checkpoint, out, 298, progress=silent)
    trim(checkpoint, out, 298, progress=said.append)
    assert said == [f"trim: {out} is up to date"]
    (out / "model.safetensors").write_bytes(b"half")
    trim(checkpoint, out, 298, progress=said.append)
    trim(checkpoint, out, 299, progress=said.append)
    assert said.count(f"trim: wrote {out}") == 2
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    (checkpoint / "config.json").write_text(json.dumps({**config, "note": 1}), "utf-8")
    trim(checkpoint, out, 299, progress=said.append)
    assert said.count(f"trim: wrote {out}") == 3


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def with_a_head(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, HEAD: tensors[EMBEDDING].clone()}, path)


def with_short_embedding(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, EMBEDDING: tensors[EMBEDDING][:280].clone()}, path)


def in_pieces(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    index = {"weight_map": {EMBEDDING: "model-1.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")


def with_other_rows(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 301}), "utf-8")


def of_another_kind(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}), "utf-8")


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncated, "is truncated or damaged"),
        (with_a_head, "has an output head of its own"),
        (with_short_embedding, r"has 280 rows, config\.json 300"),
        (in_pieces, "lie in several files"),
        (with_other_rows, "The tokenizer has 300 tokens up to id 299, the embedding 301 rows"),
        (of_another_kind, "is of type 'llama'"),
        (without_tokenizer, r"tokenizer\.json cannot be read"),
    ],
)
def test_damaged(
    damage: Callable[[Path], None], message: str, checkpoint: Path, tmp_path: Path
) -> None:
    damage(checkpoint)
    with pytest.raises(ExportError, match=message):
        trim(checkpoint, tmp_path / "out", 298, progress=silent)
    assert {path.name for path in tmp_path.iterdir()} == {"source", "checkpoint"}


@pytest.mark.parametrize(
    ("content", "message"), [(None, "There is no text file"), (b"\xff\xfe", "is not UTF-8 text")]
)
def test_texts_that_cannot_be_read(
    content: bytes | None, message: str, checkpoint: Path, tmp_path: Path
) -> None:
    text = tmp_path / "turns.txt"
    if content is not None:
        text.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        trim(checkpoint, tmp_path / "out", 298, [text], progress=silent)
    assert not (tmp_path / "out").exists()


def test_not_onto_itself(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="is the checkpoint itself"):
        trim(checkpoint, checkpoint, 298, progress=silent)


def test_on_the_command_line(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["trim", str(checkpoint), "--out", str(out), "--size", "298"]) == 0
    assert "300 tokens to 298" in capsys.readouterr().out
    assert cli.main(["trim", str(checkpoint), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("offhand-export trim: The vocabulary has 300 tokens already")
    assert (out / "model.safetensors").is_file()
