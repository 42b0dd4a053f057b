"""The page expands weights as the native reader does, bit for bit, however the bytes arrive."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from offhand.weights import WireFile
from offhand_export import wire
from offhand_export.balance import Exponents
from tools.web import require_node

SOURCE = Path(__file__).parents[2] / "web" / "src"
SHAPES = {"embedding": (64, 77), "layers.0.qkv": (96, 40), "layers.0.out": (32, 129)}
EXPAND = """
import fs from "node:fs";
import { pathToFileURL } from "node:url";
const [source, folder, ...sizes] = process.argv.slice(2);
const { Expander } = await import(pathToFileURL(`${source}/expand.js`).href);
const { tensors, memory, bytes } = JSON.parse(fs.readFileSync(`${folder}/tables.json`, "utf8"));
const wire = fs.readFileSync(`${folder}/weights.bin`);
try {
  const expander = new Expander(tensors, memory, bytes);
  for (let start = 0, turn = 0; start < wire.length; turn += 1) {
    const end = start + Number(sizes[turn % sizes.length]);
    expander.write(new Uint8Array(wire.subarray(start, end)));
    start = end;
  }
  fs.writeFileSync(`${folder}/memory.bin`, expander.finish());
} catch (error) {
  console.log(JSON.stringify([error.kind ?? String(error), error.message, error.fix]));
}
"""

Tables = dict[str, Any]


def written(folder: Path, form: str, embedding: str, precision: str) -> Tables:
    """A wire file in `folder`, and the tables its readers are given."""
    random = np.random.default_rng(7)
    file = wire.WireFile()
    for name, shape in SHAPES.items():
        matrix = random.standard_normal(shape) * np.exp(random.standard_normal(shape)) * 0.05
        matrix[:, 5] = 0
        matrix[:32, 6] *= 1e-6  # a scale among the smallest of float16
        rows = torch.from_numpy(random.integers(-9, 10, shape[0], dtype=np.int8))
        columns = torch.from_numpy(random.integers(-9, 10, shape[1], dtype=np.int8))
        balanced = Exponents(rows, columns if name.endswith("qkv") else None)
        kind = embedding if name == "embedding" else form
        file.add(name, matrix.astype(np.float32), kind, balanced)
    file.write(folder / "weights.bin")
    layout = file.tensors()
    memory = wire.memory("graph", wire.hold(layout, precision))
    return {
        "tensors": [asdict(tensor) for tensor in layout],
        "memory": memory["tensors"],
        "bytes": memory["bytes"],
    }


def run_page(folder: Path, tables: Tables, *sizes: int) -> list[str] | None:
    """Expand in Node as the page does; returns what was refused: kind, message and fix."""
    (folder / "tables.json").write_text(json.dumps(tables))
    (folder / "expand.mjs").write_text(EXPAND)
    node, _ = require_node()
    command = [node, str(folder / "expand.mjs"), str(SOURCE), str(folder)]
    command += [str(size) for size in sizes or (1 << 20,)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def native(folder: Path, tables: Tables) -> bytes:
    """The memory as the native reader fills it."""
    places = {tensor["name"]: tensor for tensor in tables["memory"]}
    memory = bytearray(tables["bytes"])
    for name, value in WireFile(folder / "weights.bin", tables["tensors"]).expand(tables["memory"]):
        place = places[name]
        assert value.nbytes == place["bytes"]
        memory[place["offset"] : place["offset"] + place["bytes"]] = value.tobytes()
    return bytes(memory)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize(
    ("form", "embedding"),
    [("int8", "int8"), ("q6", "int8"), ("q5", "q6"), ("q4", "int8"), ("fp32", "int8")],
)
def test_the_page_expands_alike(tmp_path: Path, form: str, embedding: str, precision: str) -> None:
    tables = written(tmp_path, form, embedding, precision)
    expected = native(tmp_path, tables)
    for sizes in ((1 << 20,), (1000, 1, 63, 4097), (7,)):
        assert run_page(tmp_path, tables, *sizes) is None
        assert (tmp_path / "memory.bin").read_bytes() == expected, sizes


def change(table: str, name: str, **values: Any) -> Callable[[Tables], None]:
    """Values of one tensor of one of the tables, set."""

    def apply(tables: Tables) -> None:
        next(tensor for tensor in tables[table] if tensor["name"] == name).update(values)

    return apply


def drop(table: str, name: str) -> Callable[[Tables], None]:
    """One tensor of one of the tables, taken out."""

    def apply(tables: Tables) -> None:
        tables[table] = [tensor for tensor in tables[table] if tensor["name"] != name]

    return apply


QKV = "layers.0.qkv"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change("tensors", QKV, dtype="q3"), 'a form unknown here, "q3"'),
        (change("tensors", QKV, bytes=7), f"{QKV} is 2400 bytes, not 7"),
        (change("tensors", QKV, offset=0), f"{QKV} overlaps the tensor before it"),
        (change("tensors", QKV, shape=[48, 80]), f"{QKV} cannot be in blocks"),
        (change("tensors", QKV, blocks=None), f"{QKV} has no block scale before it"),
        (change("tensors", QKV, blocks="layers.0.out.blocks"), "no block scale before it"),
        (change("tensors", QKV, rows="nowhere"), f"{QKV} has no row factor before it"),
        (change("tensors", QKV, rows=f"{QKV}.columns"), "has a row factor of another size"),
        (change("tensors", QKV, columns=f"{QKV}.blocks"), "has no column factor before it"),
        (drop("tensors", QKV), f"{QKV}.scale is not on the wire"),
        (drop("memory", f"{QKV}.scale"), f"{QKV} has no place for its scale"),
        (change("memory", QKV, bytes=7), f"{QKV} is 3840 bytes, not 7"),
        (change("memory", QKV, offset=1 << 30), f"{QKV} does not fit its buffer"),
        (change("memory", f"{QKV}.scale", offset=6), f"{QKV}.scale is not aligned"),
        (lambda tables: tables["tensors"].append(
            {**tables["tensors"][-1], "name": "more", "offset": 1 << 20}), "inside more"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_are_refused(
    tmp_path: Path, damage: Callable[[Tables], None], message: str
) -> None:
    tables = written(tmp_path, "q5", "int8", "int8")
    damage(tables)
    refused = run_page(tmp_path, tables)
    assert refused is not None
    assert refused[0] == "manifest"
    assert message in refused[1]
    assert "newer version" in refused[2] if "unknown" in message else "bundle again" in refused[2]
