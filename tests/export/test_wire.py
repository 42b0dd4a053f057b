"""Rounding, the layout of the wire, and the rewriting of linear layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from offhand_export import wire


@pytest.mark.parametrize(
    ("column", "scale", "codes"),
    [
        ([127.0, -127.0, 1.0], 1.0, [127, -127, 1]),
        ([0.0, 0.0, 0.0], 1.0, [0, 0, 0]),
        ([1.0, 0.5, -0.25], 1 / 127, [127, 64, -32]),
        ([-3.0, 1.0, 0.0], 3 / 127, [-127, 42, 0]),
    ],
)
def test_quantize_a_column(column: list[float], scale: float, codes: list[int]) -> None:
    values, scales = wire.quantize(np.array([column, [1.0, 2.0, 3.0]], np.float32).T)
    assert scales.tolist() == pytest.approx([scale, 3 / 127])
    assert values[:, 0].tolist() == codes
    assert values.dtype == np.int8


def test_quantize_errs_by_half_a_step() -> None:
    matrix = np.random.default_rng(0).standard_normal((50, 20)).astype(np.float32)
    matrix[:, 3] *= 1000
    values, scales = wire.quantize(matrix)
    assert (np.abs(values * scales - matrix) <= scales / 2 * 1.001).all()


def test_file_holds_what_the_layout_says(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    file = wire.WireFile()
    matrices = {name: random.standard_normal((7, size)) for name, size in zip("ab", (5, 33))}  # noqa: B905
    for name, matrix in matrices.items():
        file.add(name, matrix.astype(np.float32))
    file.write(tmp_path / "weights.bin")
    content = (tmp_path / "weights.bin").read_bytes()
    layout = {tensor.name: tensor for tensor in file.tensors()}
    assert list(layout) == ["a.scale", "b.scale", "a", "b"]

    def read(name: str) -> np.ndarray:
        tensor = layout[name]
        raw = content[tensor.offset : tensor.offset + tensor.bytes]
        return np.frombuffer(raw, tensor.dtype).reshape(tensor.shape)

    for name, matrix in matrices.items():
        assert layout[name].scale == f"{name}.scale"
        assert np.abs(read(name) * read(f"{name}.scale") - matrix).max() < 0.02
    assert all(tensor.offset % wire.ALIGNMENT == 0 for tensor in layout.values())


def test_only_layers_are_expanded() -> None:
    file = wire.WireFile()
    for name in ("embedding", "layers.0.out"):
        file.add(name, np.ones((4, 6), np.float32))
    held = {tensor.name: tensor for tensor in wire.held_fp32(file.tensors())}
    assert {name: (tensor.dtype, tensor.bytes) for name, tensor in held.items()} == {
        "embedding.scale": ("float32", 24),
        "embedding": ("int8", 24),
        "layers.0.out": ("float32", 96),
    }
    assert [tensor.offset for tensor in wire.held_int8(file.tensors())] == [
        tensor.offset for tensor in file.tensors()
    ]


def test_layers_that_share_an_input_share_its_rounding() -> None:
    matrix = helper.make_tensor("m", TensorProto.FLOAT, [2, 2], np.eye(2).flatten())
    other = helper.make_tensor("n", TensorProto.FLOAT, [2, 2], np.eye(2).flatten())
    nodes = [
        helper.make_node("MatMul", ["x", "m"], ["y"], name="one"),
        helper.make_node("MatMul", ["x", "n"], ["z"], name="two"),
        helper.make_node("MatMul", ["y", "z"], ["w"], name="free"),
    ]
    graph = helper.make_graph(nodes, "g", [], [], [matrix, other])
    assert wire.layer_matrices(graph) == ["m", "n"]
    wire.to_integer(graph, ["m", "n"])
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("DynamicQuantizeLinear") == 1
    assert kinds.count("MatMulInteger") == 2
    assert kinds[-1] == "MatMul"
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
