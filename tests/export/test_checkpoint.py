"""`checkpoint`: which sources are taken, which are refused and how, and what is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from gguf import GGUFWriter
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from peft import LoraConfig, get_peft_model
from requests import Response
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, Gemma3ForCausalLM

from offhand_export import sources, tokenizer_files
from offhand_export.checkpoint import STAMP, make_checkpoint
from offhand_export.errors import CheckpointError, TokenizerError
from tests.export import tiny_gemma

IDS = torch.tensor([[2, 20, 60, 100, 61, 22, 290, 299, 280, 270, 30, 40]])


def silent(_: str) -> None:
    """Progress nobody watches."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A local checkpoint of a tiny Gemma 3."""
    return tiny_gemma.write_source(tmp_path / "source")


def logits(model: torch.nn.Module) -> torch.Tensor:
    """Logits [S, V] for a fixed input."""
    with torch.no_grad():
        return model(input_ids=IDS).logits[0]


def load(folder: Path) -> Gemma3ForCausalLM:
    """A checkpoint as transformers reads it."""
    return Gemma3ForCausalLM.from_pretrained(folder, dtype="auto")


def write_adapter(
    folder: Path, base: Path | str, targets: Sequence[str] = ("q_proj", "down_proj"), heads: int = 1
) -> torch.Tensor:
    """A LoRA adapter that changes something; returns the tuned model's logits."""
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=list(targets), init_lora_weights=False)
    tuned = get_peft_model(tiny_gemma.model(heads), config)
    tuned.save_pretrained(folder, save_embedding_layers=False)
    settings = folder / "adapter_config.json"
    named = {**json.loads(settings.read_text("utf-8")), "base_model_name_or_path": str(base)}
    settings.write_text(json.dumps(named), "utf-8")
    return logits(tuned)


def test_local_folder(source: Path, tmp_path: Path) -> None:
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    written = {path.name for path in out.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= written
    assert {"tokenizer_config.json", "chat_template.jinja", STAMP} <= written
    assert torch.equal(logits(load(out)), logits(tiny_gemma.model()))
    assert "response" in (out / "chat_template.jinja").read_text("utf-8")
    assert not list(tmp_path.glob(".*"))


def test_keeps_the_precision_of_the_source(tmp_path: Path) -> None:
    source = tiny_gemma.write_source(tmp_path / "source")
    tiny_gemma.model().to(torch.bfloat16).save_pretrained(source)
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    with safe_open(out / "model.safetensors", "pt") as file:
        kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert kinds == {"BF16"}


def test_tokenizer_spells_the_dialect(source: Path, tmp_path: Path) -> None:
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    tokenizer = AutoTokenizer.from_pretrained(out)
    first = len(tiny_gemma.SPECIAL) + 2
    for position, name in enumerate(tokenizer_files.DIALECT):
        assert tokenizer.convert_tokens_to_ids(name) == first + position
        assert tokenizer(f"a{name}", add_special_tokens=False).input_ids[1:] == [first + position]
    assert len(tokenizer) == tiny_gemma.ROWS
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": "the"}], tools=[], add_generation_prompt=True, tokenize=False
    )
    assert rendered == "<bos><start_of_turn>user\nthe<end_of_turn>\n<start_of_turn>model\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat_template.jinja", "own {{ tools }}"),
        ("tokenizer_config.json", json.dumps({"chat_template": "own {{ tools }}"})),
        (
            "tokenizer_config.json",
            json.dumps(
                {
                    "chat_template": [
                        {"name": "default", "template": "other"},
                        {"name": "tool_use", "template": "own {{ tools }}"},
                    ]
                }
            ),
        ),
    ],
)
def test_keeps_a_chat_template(source: Path, tmp_path: Path, name: str, content: str) -> None:
    (source / name).write_text(content, "utf-8")
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    assert (out / "chat_template.jinja").read_text("utf-8") == "own {{ tools }}"


def test_done_work_is_not_redone(source: Path, tmp_path: Path) -> None:
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    before = (out / "model.safetensors").stat().st_mtime_ns
    lines: list[str] = []
    make_checkpoint(source, out, progress=lines.append)
    assert lines == [f"checkpoint: {out} is up to date"]
    assert (out / "model.safetensors").stat().st_mtime_ns == before
    tiny_gemma.model(seed=5).save_pretrained(source)
    make_checkpoint(source, out, progress=silent)
    assert torch.equal(logits(load(out)), logits(tiny_gemma.model(seed=5)))


def test_a_damaged_result_is_made_again(source: Path, tmp_path: Path) -> None:
    out = make_checkpoint(source, tmp_path / "out", progress=silent)
    (out / "model.safetensors").write_bytes(b"short")
    make_checkpoint(source, out, progress=silent)
    assert torch.equal(logits(load(out)), logits(tiny_gemma.model()))


def test_adapter_is_merged(source: Path, tmp_path: Path) -> None:
    tuned = write_adapter(tmp_path / "adapter", source)
    out = make_checkpoint(source, tmp_path / "out", tmp_path / "adapter", silent)
    assert torch.allclose(logits(load(out)), tuned, atol=1e-4)
    assert not torch.allclose(tuned, logits(tiny_gemma.model()), atol=1e-1)
    stamp = json.loads((out / STAMP).read_text("utf-8"))
    assert (stamp["source"], stamp["untuned"]) == ("source + adapter", False)


def test_a_folder_that_is_an_adapter_finds_its_base(source: Path, tmp_path: Path) -> None:
    tuned = write_adapter(tmp_path / "adapter", source)
    out = make_checkpoint(tmp_path / "adapter", tmp_path / "out", progress=silent)
    assert torch.allclose(logits(load(out)), tuned, atol=1e-4)


def test_adapter_of_another_base(source: Path, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter", "somewhere/else", ["k_proj"], heads=2)
    with pytest.raises(CheckpointError, match=r"trained on another base.*somewhere/else"):
        make_checkpoint(source, tmp_path / "out", tmp_path / "adapter", silent)
    assert not (tmp_path / "out").exists()


def rename(path: Path, old: str, new: str) -> None:
    """Rename tensors of a safetensors file."""
    save_file({name.replace(old, new): value for name, value in load_file(path).items()}, path)


def test_adapter_of_a_deeper_base(source: Path, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter", source)
    rename(tmp_path / "adapter" / "adapter_model.safetensors", "layers.1.", "layers.7.")
    with pytest.raises(CheckpointError, match=r"another base: .*layers\.7\..*does not exist"):
        make_checkpoint(source, tmp_path / "out", tmp_path / "adapter", silent)


def damage(source: Path, how: str) -> None:
    """One way in which a checkpoint folder can be wrong."""
    config = source / "config.json"
    weights = source / "model.safetensors"
    settings = json.loads(config.read_text("utf-8"))
    if how == "other model":
        config.write_text(json.dumps({**settings, "model_type": "llama"}), "utf-8")
    elif how == "multimodal":
        config.write_text(json.dumps({**settings, "model_type": "gemma3"}), "utf-8")
    elif how == "no config":
        config.unlink()
    elif how == "broken config":
        config.write_text("{", "utf-8")
    elif how == "no weights":
        weights.unlink()
    elif how == "truncated weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "missing weight":
        rename(weights, "layers.1.mlp.up_proj", "layers.1.mlp.other")
    else:
        config.write_text(json.dumps({**settings, "tie_word_embeddings": False}), "utf-8")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("other model", r"of type 'llama'; only 'gemma3_text' is supported"),
        ("multimodal", r"a multimodal Gemma 3; only 'gemma3_text' is supported"),
        ("no config", r"not a checkpoint: it has no config\.json"),
        ("broken config", r"config\.json cannot be read as JSON"),
        ("no weights", r"model\.safetensors is missing"),
        ("truncated weights", r"model\.safetensors is truncated or damaged"),
        ("missing weight", r"lacks 1 weights, first model\.layers\.1\.mlp\.up_proj\.weight"),
        ("own head", r"has an output head of its own"),
    ],
)
def test_refused_folders(source: Path, tmp_path: Path, how: str, message: str) -> None:
    damage(source, how)
    with pytest.raises(CheckpointError, match=message):
        make_checkpoint(source, tmp_path / "out", progress=silent)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


def refusal(kind: str) -> Exception:
    """What the hub's client raises."""
    response = Response()
    response.status_code = 403
    errors = {
        "gated": GatedRepoError("no", response=response),
        "unknown": RepositoryNotFoundError("no", response=response),
        "offline": ConnectionError("no route"),
    }
    return errors[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gated", "does not give out owner/model.*Accept its terms"),
        ("unknown", "has no model owner/model"),
        ("offline", "cannot be reached for owner/model.*Check the network"),
    ],
)
def test_hub_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, message: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise refusal(kind)

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match=message):
        make_checkpoint("owner/model", tmp_path / "out", progress=silent)


def test_hub_model(monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(source))
    out = make_checkpoint("owner/model", tmp_path / "out", progress=silent)
    assert torch.equal(logits(load(out)), logits(tiny_gemma.model()))
    assert json.loads((out / STAMP).read_text("utf-8"))["source"] == "owner/model"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no folder or GGUF file"):
        make_checkpoint(tmp_path / "nowhere", tmp_path / "out", progress=silent)


def test_package_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "GGUF_PACKAGE", "a-package-nobody-has")
    with pytest.raises(CheckpointError, match=r"a-package-nobody-has is not installed.*make setup"):
        make_checkpoint("gguf", tmp_path / "out", progress=silent)


def test_gguf_files_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(CheckpointError, match="of type 'llama'; only 'gemma3' is supported"):
        make_checkpoint(path, tmp_path / "out", progress=silent)
    path.write_bytes(b"GGUF")
    with pytest.raises(CheckpointError, match="truncated or no GGUF"):
        make_checkpoint(path, tmp_path / "out", progress=silent)


def test_tokenizer_from_npm(source: Path, tmp_path: Path) -> None:
    (source / "tokenizer.json").unlink()
    npm = tmp_path / "node_modules" / "tokenizer.json"
    with pytest.raises(TokenizerError, match="make setup"):
        make_checkpoint(source, tmp_path / "out", progress=silent, tokenizer=npm)
    tiny_gemma.write_tokenizer(npm)
    out = make_checkpoint(source, tmp_path / "out", progress=silent, tokenizer=npm)
    assert (out / "tokenizer.json").is_file()
