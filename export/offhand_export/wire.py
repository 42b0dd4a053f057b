"""What travels to the page: int8 matrices with one scale per output channel, in one file.

The same file serves two precisions in memory. `fp32` expands the layers on the way in and
multiplies in float32: closest to the trained model. `int8` keeps the bytes as they came and
quantizes activations at run time: less memory, faster prefill, less exact. The embedding stays int8
in both. Scales come first in the file, so that a reader expands every matrix as it arrives. The
layout of the file and of the int8 memory are one and the same, so that its reader copies nothing.

It covers the layout, rounding and the graph rewriting. It does not know the architecture: every
`MatMul` by a stored matrix is a linear layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, external_data_helper, helper

from offhand_export.ends import EMBEDDING

LOCATION = "weights"
ALIGNMENT = 64
_KINDS = {"int8": TensorProto.INT8, "float32": TensorProto.FLOAT}


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor of the wire file; `scale` names the float32 tensor that holds one value a column."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    bytes: int
    scale: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """Where a wire tensor lies once in memory, and as what."""

    name: str
    offset: int
    bytes: int
    dtype: str


def quantize(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a matrix [rows, columns] to int8 with one scale per column: value = q * scale."""
    most = np.abs(matrix).max(axis=0)
    scale = np.where(most > 0, most / 127.0, 1.0).astype(np.float32)
    return np.rint(matrix / scale).astype(np.int8), scale


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


class WireFile:
    """Collects quantized matrices, then writes them in the order of the contract."""

    def __init__(self) -> None:
        self._scales: dict[str, NDArray[Any]] = {}
        self._matrices: dict[str, NDArray[Any]] = {}

    def add(self, name: str, matrix: NDArray[np.float32]) -> None:
        """Quantize and keep `matrix` [rows, columns]."""
        self._matrices[name], self._scales[f"{name}.scale"] = quantize(matrix)

    def tensors(self) -> list[Wire]:
        """The layout: float32 first, then int8, in the order added, each aligned."""
        layout: list[Wire] = []
        offset = 0
        for name, data in (self._scales | self._matrices).items():
            offset = _aligned(offset)
            scale = f"{name}.scale" if name in self._matrices else None
            layout.append(Wire(name, str(data.dtype), data.shape, offset, data.nbytes, scale))
            offset += data.nbytes
        return layout

    def write(self, path: Path) -> None:
        """Write the file; the gaps that alignment leaves are zeros."""
        held = self._scales | self._matrices
        with path.open("wb") as file:
            for tensor in self.tensors():
                file.seek(tensor.offset)
                np.ascontiguousarray(held[tensor.name]).tofile(file)


def held_int8(layout: Iterable[Wire]) -> list[Held]:
    """Memory of the int8 graph: the wire file as it is."""
    return [Held(tensor.name, tensor.offset, tensor.bytes, tensor.dtype) for tensor in layout]


def held_fp32(layout: Iterable[Wire]) -> list[Held]:
    """Memory of the fp32 graph: layer matrices expanded, their scales left out."""
    held: list[Held] = []
    offset = 0
    for tensor in layout:
        ends = tensor.name.startswith(EMBEDDING)
        if tensor.dtype == "float32" and not ends:
            continue
        size, dtype = (tensor.bytes, tensor.dtype) if ends else (tensor.bytes * 4, "float32")
        offset = _aligned(offset)
        held.append(Held(tensor.name, offset, size, dtype))
        offset += size
    return held


def memory(graph: str, held: list[Held]) -> dict[str, object]:
    """The entry of `model.json` for one precision; `bytes` is the size of the expanded buffer."""
    total = max(tensor.offset + tensor.bytes for tensor in held)
    return {"graph": graph, "bytes": total, "tensors": [asdict(tensor) for tensor in held]}


def _external(tensor: Held, shape: tuple[int, ...]) -> TensorProto:
    """An initializer whose bytes the loader supplies at `tensor.offset` of the memory."""
    proto = TensorProto(name=tensor.name, data_type=_KINDS[tensor.dtype], dims=shape)
    proto.raw_data = b""
    external_data_helper.set_external_data(
        proto, LOCATION, offset=tensor.offset, length=tensor.bytes
    )
    proto.ClearField("raw_data")
    return proto


def layer_matrices(graph: onnx.GraphProto) -> list[str]:
    """Names of the stored matrices that some `MatMul` multiplies by, in the order of the graph."""
    stored = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    used = [node.input[1] for node in graph.node if node.op_type == "MatMul"]
    return [name for name in dict.fromkeys(used) if stored.get(name) == 2]


def refer(graph: onnx.GraphProto, held: list[Held], layout: list[Wire]) -> None:
    """Replace the initializers named in `held` by references to the memory, in place."""
    shapes = {tensor.name: tensor.shape for tensor in layout}
    names = set(shapes)
    kept = [tensor for tensor in graph.initializer if tensor.name not in names]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(_external(tensor, shapes[tensor.name]) for tensor in held)


def _dynamic(node: NodeProto, quantized: str) -> list[NodeProto]:
    """The integer form of one linear layer, in the pattern onnxruntime fuses at load."""
    name, matrix = node.output[0], node.input[1]
    rows, scale, zero = (f"{quantized}.{part}" for part in ("bytes", "scale", "zero"))

    def make(kind: str, inputs: list[str], output: str, **attributes: object) -> NodeProto:
        return helper.make_node(kind, inputs, [output], name=f"{node.name}/{kind}", **attributes)

    return [
        make("MatMulInteger", [rows, matrix, zero], f"{name}.integers"),
        make("Cast", [f"{name}.integers"], f"{name}.products", to=TensorProto.FLOAT),
        helper.make_node(
            "Mul", [scale, f"{matrix}.scale"], [f"{name}.factor"], name=f"{node.name}/factor"
        ),
        make("Mul", [f"{name}.products", f"{name}.factor"], name),
    ]


def to_integer(graph: onnx.GraphProto, matrices: Iterable[str]) -> None:
    """Turn every multiplication by one of `matrices` into its dynamic int8 form, in place."""
    wanted = set(matrices)
    nodes: list[NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in wanted:
            nodes.append(node)
            continue
        source = node.input[0]
        if source not in done:
            done.add(source)
            outputs = [f"{source}.{part}" for part in ("bytes", "scale", "zero")]
            nodes.append(
                helper.make_node(
                    "DynamicQuantizeLinear", [source], outputs, name=f"{node.name}/quantize"
                )
            )
        nodes += _dynamic(node, source)
    del graph.node[:]
    graph.node.extend(nodes)
