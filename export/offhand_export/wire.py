"""What travels to the page: the matrices in one file, in a form chosen when it is made.

    int8          one scale per output channel: nothing lost that a trained model would miss
    q6 q5 q4      blocks of 32 inputs that share a scale: 6.5, 5.5 and 4.5 bits a weight
    fp32          as trained: the yardstick of the others, no form for a page

The same file serves two precisions in memory. `fp32` expands the layers on the way in and
multiplies in float32: closest to the trained model. `int8` holds them as int8 with one scale per
output channel and quantizes activations at run time: less memory, faster prefill, less exact. The
embedding is int8 in both. What a matrix needs to be expanded lies right before it, so that a reader
expands every matrix as it arrives.

It covers the layout and the graph rewriting. Rounding to blocks lies in `blocks`, expanding and
rounding to int8 in `offhand.weights`. It does not know the architecture: every `MatMul` by a stored
matrix is a linear layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, external_data_helper, helper

from offhand.weights import to_int8
from offhand_export import blocks
from offhand_export.balance import Exponents
from offhand_export.ends import EMBEDDING

LOCATION = "weights"
ALIGNMENT = 64
FORMS = ("int8", "q6", "q5", "q4", "fp32")
"""Forms of the layers' matrices."""

EMBEDDING_FORMS = ("int8", "q6")
"""Forms of the embedding, of which less survives rounding."""

_KINDS = {"int8": TensorProto.INT8, "float32": TensorProto.FLOAT}
_SIZES = {"int8": 1, "float32": 4}


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor of the wire file; the last four are None but for a matrix [in, out].

    Attributes:
        name: as the graph names it.
        dtype: "float32", "float16", "int8", or a block format.
        shape: of the tensor expanded.
        offset: into the file, bytes.
        bytes: size in the file.
        scale: names the float32 scales [out] of the matrix as int8; they travel if it does.
        blocks: names the float16 scales [in / 32, out] of a matrix in blocks.
        rows: names exponents of two, int8 [in], to multiply a matrix in blocks by.
        columns: the same, int8 [out].
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    bytes: int
    scale: str | None = None
    blocks: str | None = None
    rows: str | None = None
    columns: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Where a tensor lies once in memory, and as what."""

    name: str
    offset: int
    bytes: int
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A tensor before it has a place: its content, and its description."""

    data: NDArray[Any]
    dtype: str
    shape: tuple[int, ...]
    needs: dict[str, str]


def _plain(data: NDArray[Any]) -> _Part:
    return _Part(data, str(data.dtype), data.shape, {})


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


class WireFile:
    """Collects matrices in the form they travel in, then writes them in the order added."""

    def __init__(self) -> None:
        self._parts: dict[str, _Part] = {}

    def add(
        self,
        name: str,
        matrix: NDArray[np.float32],
        form: str = "int8",
        balanced: Exponents | None = None,
    ) -> None:
        """Round and keep a matrix.

        Args:
            name: as the graph names it.
            matrix: [in, out], as the graph multiplies by it.
            form: one of `FORMS`.
            balanced: what `matrix` is the trained weight times. Blocks hold the trained weight.
        """
        scale = {"scale": f"{name}.scale"}
        if form == "fp32":
            self._parts[name] = _Part(matrix, "float32", matrix.shape, scale)
        elif form == "int8":
            codes, scales = to_int8(matrix)
            self._parts[f"{name}.scale"] = _plain(scales)
            self._parts[name] = _Part(codes, "int8", codes.shape, scale)
        else:
            self._add_blocks(name, matrix, form, balanced or Exponents(None))

    def _add_blocks(
        self, name: str, matrix: NDArray[np.float32], form: str, balanced: Exponents
    ) -> None:
        needs = {"scale": f"{name}.scale", "blocks": f"{name}.blocks"}
        trained = matrix
        for axis, part in enumerate(("rows", "columns")):
            exponents = getattr(balanced, part)
            if exponents is not None:
                values = exponents.numpy()
                # Powers of two: the trained weight comes back to the bit.
                trained = np.ldexp(trained, -np.expand_dims(values, 1 - axis))
                needs[part] = f"{name}.{part}"
                self._parts[needs[part]] = _plain(values)
        codes, scales = blocks.quantize(trained, blocks.BITS[form])
        self._parts[needs["blocks"]] = _plain(scales)
        packed = blocks.pack(codes, blocks.BITS[form])
        self._parts[name] = _Part(packed, form, codes.shape, needs)

    def tensors(self) -> list[Wire]:
        """The layout: tensors in the order added, what a matrix needs before it, each aligned."""
        layout: list[Wire] = []
        offset = 0
        for name, part in self._parts.items():
            offset = _aligned(offset)
            layout.append(
                Wire(name, part.dtype, part.shape, offset, part.data.nbytes, **part.needs)
            )
            offset += part.data.nbytes
        return layout

    def write(self, path: Path) -> None:
        """Write the file; the gaps that alignment leaves are zeros."""
        with path.open("wb") as file:
            for tensor in self.tensors():
                file.seek(tensor.offset)
                np.ascontiguousarray(self._parts[tensor.name].data).tofile(file)


def hold(layout: Iterable[Wire], precision: str) -> list[Held]:
    """Memory of the graph of one precision, "fp32" or "int8": every matrix, int8 ones with scales.

    An int8 file is laid out as the memory of the int8 graph.
    """
    held: list[Held] = []
    offset = 0

    def place(name: str, dtype: str, shape: tuple[int, ...]) -> None:
        nonlocal offset
        offset = _aligned(offset)
        size = _SIZES[dtype] * int(np.prod(shape))
        held.append(Held(name, offset, size, dtype, shape))
        offset += size

    for tensor in layout:
        if tensor.scale is None:
            continue
        if precision == "fp32" and tensor.name != EMBEDDING:
            place(tensor.name, "float32", tensor.shape)
        else:
            place(tensor.scale, "float32", tensor.shape[1:])
            place(tensor.name, "int8", tensor.shape)
    return held


def sizes(layout: Sequence[Wire]) -> dict[str, int]:
    """Bytes on the way of the embedding and of the layers, with what expanding them needs."""
    total = sum(tensor.bytes for tensor in layout)
    own = sum(
        tensor.bytes
        for tensor in layout
        if tensor.name == EMBEDDING or tensor.name.startswith(f"{EMBEDDING}.")
    )
    return {"embedding": own, "layers": total - own}


def memory(graph: str, held: list[Held]) -> dict[str, object]:
    """The entry of `model.json` for one precision; `bytes` is the size of the expanded buffer."""
    total = max(tensor.offset + tensor.bytes for tensor in held)
    return {"graph": graph, "bytes": total, "tensors": [asdict(tensor) for tensor in held]}


def _external(tensor: Held) -> TensorProto:
    """An initializer whose bytes the loader supplies at `tensor.offset` of the memory."""
    proto = TensorProto(name=tensor.name, data_type=_KINDS[tensor.dtype], dims=tensor.shape)
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


def refer(graph: onnx.GraphProto, held: list[Held]) -> None:
    """Replace the initializers named in `held` by references to the memory, in place."""
    names = {tensor.name for tensor in held}
    kept = [tensor for tensor in graph.initializer if tensor.name not in names]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(_external(tensor) for tensor in held)


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
