"""Stage 2, `convert`: a checkpoint becomes the model folder that the page and the terminal run.

    model.json  chat_template.jinja  tokenizer.json  graph.fp32.onnx  graph.int8.onnx  weights.bin

Optimum exports the layers, `ends` adds lookup and scoring, `wire` rounds and lays out the weights,
and nothing is kept unless `parity` finds that the graphs compute what the checkpoint computes.
`model.json` is the contract with every reader. It covers Gemma 3 text models; the checkpoint
folder comes from `checkpoint`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from transformers import Gemma3ForCausalLM

from offhand import weights
from offhand_export import parity, samples, sources
from offhand_export import tokenizer_files as tokenizers
from offhand_export import wire as wires
from offhand_export.balance import Balance, balance, measure
from offhand_export.body import Body, export_body
from offhand_export.checkpoint import STAMP
from offhand_export.ends import EMBEDDING, add_ends
from offhand_export.errors import ConvertError
from offhand_export.files import copy, fingerprint, replacing, sha256

FORMAT = 2
CONTEXT = 2048
TOP = 64
MODEL = "model.json"
WEIGHTS = "weights.bin"
INPUTS = ".inputs"
GRAPHS = {"fp32": "graph.fp32.onnx", "int8": "graph.int8.onnx"}
REVISED = (
    *("balance", "blocks", "body", "convert", "ends", "parity", "samples", "tokenizer_files"),
    "wire",
)
"""Modules that decide what is written."""

Progress = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What one conversion works on: the checkpoint's model, where to write, in which forms."""

    checkpoint: Path
    folder: Path
    name: str
    model: Gemma3ForCausalLM
    wire: str
    wire_embedding: str
    progress: Progress

    @property
    def width(self) -> int:
        """N, the size of a hidden state."""
        return int(self.model.config.hidden_size)

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding."""
        return int(self.model.config.vocab_size)

    @property
    def top(self) -> int:
        """How many best tokens a whole comparison returns."""
        return min(TOP, self.vocabulary)


def convert(
    checkpoint: str | Path,
    out: str | Path,
    name: str | None = None,
    wire: str = "int8",
    wire_embedding: str = "int8",
    progress: Progress = print,
) -> Path:
    """Write a model folder, unless `out` already holds this one.

    Args:
        checkpoint: a folder that `checkpoint` wrote.
        out: the folder to write; replaced as a whole, only when everything is done and checked.
        name: the model's name; the checkpoint folder's if None.
        wire: form of the layers in the wire file: "int8", "q6", "q5", "q4" or "fp32".
        wire_embedding: form of the embedding in it: "int8" or "q6".
        progress: told of each step in one line.

    Raises:
        CheckpointError: the checkpoint is damaged or of another kind.
        TokenizerError: its tokenizer cannot be served.
        ConvertError: it uses an option the graph does not implement, or parity fails.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    _check_form(wire, wires.FORMS)
    _check_form(wire_embedding, wires.EMBEDDING_FORMS)
    sources.check_config(checkpoint)
    name = name or checkpoint.resolve().name
    source = sources.locate(str(checkpoint))
    inputs = fingerprint([source.digest, name, wire, wire_embedding, _revision()])
    if _is_current(out, inputs):
        progress(f"convert: {out} is up to date")
        return out
    with replacing(out) as fresh:
        progress(f"convert: reading {checkpoint}")
        model = sources.load(source).float().eval()
        _write(Job(checkpoint, fresh, name, model, wire, wire_embedding, progress))
        (fresh / INPUTS).write_text(inputs + "\n", "utf-8")
    progress(f"convert: wrote {out}")
    return out


def _check_form(form: str, known: tuple[str, ...]) -> None:
    if form not in known:
        raise ConvertError(f"There is no wire precision {form!r}.", f"Use {', '.join(known)}.")


def _revision() -> str:
    """A digest of the code a model folder depends on, so that a changed graph is made again."""
    here = Path(__file__).parent
    paths = [here / f"{name}.py" for name in REVISED]
    return fingerprint([sha256(path) for path in (*paths, Path(weights.__file__))])


def _is_current(out: Path, inputs: str) -> bool:
    try:
        written = (out / INPUTS).read_text("utf-8").strip()
        files = json.loads((out / MODEL).read_text("utf-8"))["files"]
        sizes = {name: (out / name).stat().st_size for name in files}
    except (OSError, ValueError, KeyError):
        return False
    return written == inputs and all(sizes[name] == files[name]["size"] for name in files)


def _write(job: Job) -> None:
    control, ids = _write_texts(job)
    job.progress("convert: asking the checkpoint")
    prompts = samples.read(job.folder, control, ids)
    reference = parity.reference(job.model, prompts)
    job.progress("convert: exporting the layers with optimum")
    body_path = job.folder / "body.onnx"
    balanced = _export(job, prompts, body_path)
    layers = parity.check_layers(body_path, job.model, balanced.factor, reference, job.progress)
    figures = {"layers": layers}
    job.progress(f"convert: rounding to {job.wire}, the embedding to {job.wire_embedding}")
    layout, memory = _write_weights(job, onnx.load(body_path), balanced)
    for path in job.folder.glob("body.onnx*"):
        path.unlink()
    contract = _contract(job, control, ids)
    forms = {"layers": job.wire, "embedding": job.wire_embedding}
    contract["wire"] = {**forms, "bytes": wires.sizes(layout)}
    contract["weights"] = {"file": WEIGHTS, "tensors": [asdict(tensor) for tensor in layout]}
    contract["memory"] = memory
    contract["files"] = _files(job.folder)
    contract["parity"] = figures
    _write_contract(job, contract)
    for precision in GRAPHS:
        figures[precision] = parity.check_served(
            job.folder, precision, job.wire, reference, job.progress
        )
    _write_contract(job, contract)
    sizes = {name: entry["size"] / 1e6 for name, entry in contract["files"].items()}
    job.progress(f"convert: {sum(sizes.values()):,.1f} MB in all, weights {sizes[WEIGHTS]:,.1f} MB")


def _write_texts(job: Job) -> tuple[dict[str, int], list[int]]:
    """Write tokenizer and template; return the dialect's control tokens and all control ids."""
    full = tokenizers.read_json(job.checkpoint / "tokenizer.json")
    tokenizers.check(full, job.vocabulary)
    control, ids = tokenizers.control_tokens(full), tokenizers.control_ids(full)
    served = tokenizers.text_only(full)
    tokenizers.check_text_only(served, control, ids)
    (job.folder / "tokenizer.json").write_text(tokenizers.compact(served), "utf-8")
    template = job.checkpoint / "chat_template.jinja"
    if not template.is_file():
        raise ConvertError(
            f"{job.checkpoint} has no chat_template.jinja.",
            "Make the checkpoint with `offhand-export checkpoint`, which adds one.",
        )
    copy(template, job.folder / "chat_template.jinja")
    return control, ids


def _export(job: Job, prompts: samples.Prompts, path: Path) -> Balance:
    """Export the balanced layers; return what balancing did."""
    body = Body(job.model).eval()
    embedding = job.model.get_input_embeddings().weight
    done = balance(body, embedding, measure(job.model, prompts.measured))
    export_body(body, path)
    return done


def _write_weights(
    job: Job, body: onnx.ModelProto, balanced: Balance
) -> tuple[list[wires.Wire], dict[str, object]]:
    """Write weights.bin and both graphs; return the layout of the file and of the memories."""
    matrices = wires.layer_matrices(body.graph)
    stored = {tensor.name: tensor for tensor in body.graph.initializer}
    file = wires.WireFile()
    embedding = (job.model.get_input_embeddings().weight.detach() * balanced.factor).numpy()
    file.add(EMBEDDING, np.ascontiguousarray(embedding.T), job.wire_embedding, balanced.final)
    lookup = (job.width**0.5 / balanced.factor).numpy()
    for name in matrices:
        matrix = onnx.numpy_helper.to_array(stored[name])
        file.add(name, matrix, job.wire, balanced.matrices[name])
    file.write(job.folder / WEIGHTS)
    layout = file.tensors()
    memory: dict[str, object] = {}
    for precision in GRAPHS:
        held = wires.hold(layout, precision)
        graph = _strip(body, set(matrices))
        if precision == "int8":
            wires.to_integer(graph.graph, matrices)
        wires.refer(graph.graph, held)
        served = add_ends(graph, lookup, job.top)
        onnx.save(served, job.folder / GRAPHS[precision])
        memory[precision] = wires.memory(GRAPHS[precision], held)
    return layout, memory


def _strip(body: onnx.ModelProto, names: set[str]) -> onnx.ModelProto:
    """A copy of the graph without the matrices in `names`, which would be copied for nothing."""
    bare = onnx.ModelProto(ir_version=body.ir_version, opset_import=body.opset_import)
    bare.graph.name = "offhand"
    for field in ("node", "input", "output"):
        getattr(bare.graph, field).extend(getattr(body.graph, field))
    bare.graph.initializer.extend(t for t in body.graph.initializer if t.name not in names)
    return bare


def _contract(job: Job, control: dict[str, int], ids: list[int]) -> dict[str, Any]:
    config = job.model.config
    kv_heads, size, layers = config.num_key_value_heads, config.head_dim, config.num_hidden_layers
    path = job.checkpoint / STAMP
    stamp = json.loads(path.read_text("utf-8")) if path.is_file() else {"source": job.name}
    return {
        "format": FORMAT,
        "name": job.name,
        "architecture": sources.SUPPORTED,
        "source": stamp["source"],
        "tuned": not stamp.get("untuned", False),
        "config": {
            "vocabulary": job.vocabulary,
            "width": job.width,
            "layers": layers,
            "kv_heads": kv_heads,
            "head_size": size,
            "context": min(CONTEXT, config.max_position_embeddings),
        },
        "cache": {"channels": 2 * layers * kv_heads, "head_size": size},
        "top": job.top,
        "dialect": {"name": "functiongemma", "control": control},
        "control_ids": ids,
    }


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in folder.iterdir() if path.name != MODEL)
    return {path.name: {"size": path.stat().st_size, "sha256": sha256(path)} for path in paths}


def _write_contract(job: Job, contract: dict[str, Any]) -> None:
    (job.folder / MODEL).write_text(json.dumps(contract, ensure_ascii=False) + "\n", "utf-8")
