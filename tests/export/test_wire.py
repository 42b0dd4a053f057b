"""Rounding, the layout of the wire, and the rewriting of linear layers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from offhand.errors import ModelError
from offhand.weights import WireFile, to_int8
from offhand_export import blocks, wire
from offhand_export.balance import Exponents


@pytest.mark.parametrize(
    ("column", "scale", "codes"),
    [
        ([127.0, -127.0, 1.0], 1.0, [127, -127, 1]),
        ([0.0, 0.0, 0.0], 1.0, [0, 0, 0]),
        ([1.0, 0.5, -0.25], 1 / 127, [127, 64, -32]),
        ([-3.0, 1.0, 0.0], 3 / 127, [-127, 42, 0]),
    ],
)
def test_int8_of_a_column(column: list[float], scale: float, codes: list[int]) -> None:
    values, scales = to_int8(np.array([column, [1.0, 2.0, 3.0]], np.float32).T)
    assert scales.tolist() == pytest.approx([scale, 3 / 127])
    assert values[:, 0].tolist() == codes
    assert values.dtype == np.int8


def test_int8_errs_by_half_a_step() -> None:
    matrix = np.random.default_rng(0).standard_normal((50, 20)).astype(np.float32)
    matrix[:, 3] *= 1000
    values, scales = to_int8(matrix)
    assert (np.abs(values * scales - matrix) <= scales / 2 * 1.001).all()


def trained(shape: tuple[int, int] = (64, 33)) -> np.ndarray:
    """A weight as training leaves it."""
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32) * np.float32(0.02)


def powers(length: int) -> Tensor:
    """Exponents from -9 to 9."""
    return torch.arange(length).mul(7).remainder(19).sub(9).to(torch.int8)


BALANCED = Exponents(powers(64), powers(33))


def balanced(weight: np.ndarray) -> np.ndarray:
    """`weight` as the graph multiplies by it."""
    rows, columns = 2.0 ** powers(64).numpy(), 2.0 ** powers(33).numpy()
    return (weight * rows[:, np.newaxis] * columns).astype(np.float32)


def opened(file: wire.WireFile, path: Path) -> WireFile:
    """The file written, and opened by its reader."""
    file.write(path / "weights.bin")
    return WireFile(path / "weights.bin", [asdict(tensor) for tensor in file.tensors()])


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("int8", ["m.scale", "m"]),
        ("fp32", ["m"]),
        ("q4", ["m.rows", "m.columns", "m.blocks", "m"]),
    ],
)
def test_what_a_matrix_needs_lies_before_it(form: str, names: list[str]) -> None:
    file = wire.WireFile()
    file.add("m", balanced(trained()), form, BALANCED)
    layout = file.tensors()
    assert [tensor.name for tensor in layout] == names
    assert all(tensor.offset % wire.ALIGNMENT == 0 for tensor in layout)
    assert all(tensor.scale is None for tensor in layout[:-1])
    assert layout[-1].scale == "m.scale"
    assert layout[-1].shape == (64, 33)


def test_bytes_lie_where_the_layout_says(tmp_path: Path) -> None:
    file = wire.WireFile()
    matrices = {name: trained((7, size)) for name, size in (("a", 5), ("b", 33))}
    for name, matrix in matrices.items():
        file.add(name, matrix)
    file.write(tmp_path / "weights.bin")
    content = (tmp_path / "weights.bin").read_bytes()
    layout = {tensor.name: tensor for tensor in file.tensors()}
    assert len(content) == layout["b"].offset + layout["b"].bytes

    def read(name: str) -> np.ndarray:
        tensor = layout[name]
        raw = content[tensor.offset : tensor.offset + tensor.bytes]
        return np.frombuffer(raw, tensor.dtype).reshape(tensor.shape)

    for name, matrix in matrices.items():
        assert np.abs(read(name) * read(f"{name}.scale") - matrix).max() < 0.001


@pytest.mark.parametrize("form", sorted(blocks.BITS))
def test_blocks_hold_the_trained_weight(tmp_path: Path, form: str) -> None:
    """Rounded before balancing: the graph multiplies by exactly the rounded weight, balanced."""
    weight = trained()
    file = wire.WireFile()
    file.add("m", balanced(weight), form, BALANCED)
    layout = file.tensors()
    reader = opened(file, tmp_path)
    expected = balanced(blocks.dequantize(*blocks.quantize(weight, blocks.BITS[form])))
    fp32 = dict(reader.expand([asdict(held) for held in wire.hold(layout, "fp32")]))
    assert list(fp32) == ["m"]
    assert np.array_equal(fp32["m"], expected)
    int8 = dict(reader.expand([asdict(held) for held in wire.hold(layout, "int8")]))
    codes, scales = to_int8(expected)
    assert np.array_equal(int8["m"], codes)
    assert np.array_equal(int8["m.scale"], scales)


@pytest.mark.parametrize("form", wire.FORMS)
def test_memory_holds_matrices_and_the_scales_of_int8(tmp_path: Path, form: str) -> None:
    file = wire.WireFile()
    for name, kind in (("embedding", "int8"), ("layers.0.out", form)):
        file.add(name, trained((32, 6)), kind, Exponents(powers(32)))
    layout = file.tensors()
    layer = ("layers.0.out", "float32", 4 * 32 * 6)
    ends = [("embedding.scale", "float32", 24), ("embedding", "int8", 192)]
    layers = [("layers.0.out.scale", "float32", 24), ("layers.0.out", "int8", 192)]
    reader = opened(file, tmp_path)
    for precision, expected in (("fp32", [*ends, layer]), ("int8", ends + layers)):
        held = wire.hold(layout, precision)
        assert [(tensor.name, tensor.dtype, tensor.bytes) for tensor in held] == expected
        assert all(tensor.offset % wire.ALIGNMENT == 0 for tensor in held)
        found = dict(reader.expand([asdict(tensor) for tensor in held]))
        assert {name: (value.shape, str(value.dtype)) for name, value in found.items()} == {
            tensor.name: (tensor.shape, tensor.dtype) for tensor in held
        }
    total = sum(tensor.bytes for tensor in layout)
    assert wire.sizes(layout) == {"embedding": 216, "layers": total - 216}


def test_an_int8_file_is_its_memory() -> None:
    file = wire.WireFile()
    for name in ("embedding", "layers.0.out"):
        file.add(name, trained())
    held = wire.hold(file.tensors(), "int8")
    places = [(tensor.name, tensor.offset, tensor.bytes) for tensor in file.tensors()]
    assert [(tensor.name, tensor.offset, tensor.bytes) for tensor in held] == places


@pytest.mark.parametrize(
    ("form", "bits"), [("int8", 8), ("q6", 6.5), ("q5", 5.5), ("q4", 4.5), ("fp32", 32)]
)
def test_bits_of_a_weight(form: str, bits: float) -> None:
    file = wire.WireFile()
    file.add("m", trained((640, 512)), form)
    vectors = 4 * 512 if form == "int8" else 0
    assert sum(tensor.bytes for tensor in file.tensors()) == 640 * 512 * bits / 8 + vectors


def test_a_reader_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    tensor = {"name": "m", "dtype": "q3", "shape": [32, 2], "offset": 0, "bytes": 24}
    with pytest.raises(ModelError, match=r"a form not known here: q3\. .*newer version"):
        WireFile(tmp_path / "weights.bin", [tensor])


@pytest.mark.parametrize("missing", ["m", "other"])
def test_a_reader_misses_what_is_not_there(tmp_path: Path, missing: str) -> None:
    file = wire.WireFile()
    file.add("n", trained(), "q5")
    reader = opened(file, tmp_path)
    with pytest.raises(ModelError, match=f"lack {missing}, "):
        list(reader.expand([{"name": missing, "dtype": "float32"}]))


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
