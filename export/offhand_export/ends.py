"""The two ends of the served graph: looking tokens up and scoring the next one.

The vocabulary is most of a small Gemma, and both ends read the same tied int8 matrix [N, V] (one
scale per token): a run looks up a few columns, scores the few candidates the decoder allows, and
only when asked compares with the whole vocabulary. So no run pays for 262,144 logits by default.

It covers the nodes added around an exported `Body`. It does not hold weights: the matrix and its
scales are initializers that `wire` adds under the names `EMBEDDING` and `EMBEDDING_SCALE`.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

EMBEDDING = "embedding"
EMBEDDING_SCALE = "embedding.scale"


class _Constants:
    """Small inline initializers, each under a stable name."""

    def __init__(self) -> None:
        self.tensors: list[TensorProto] = []

    def __call__(self, name: str, value: np.ndarray) -> str:
        self.tensors.append(numpy_helper.from_array(value, f"ends.{name}"))
        return f"ends.{name}"


def _node(kind: str, inputs: list[str], output: str, **attributes: object) -> NodeProto:
    return helper.make_node(kind, inputs, [output], name=f"/ends/{output}", **attributes)


def _lookup(channels: Floats, constant: _Constants) -> list[NodeProto]:
    """`input_ids` [1, S] -> `embeds` [1, S, N], each channel times its own constant."""
    flat = constant("flat", np.array([-1], np.int64))
    factor = constant("channels", channels)
    one = constant("batch", np.array([0], np.int64))
    return [
        _node("Reshape", ["input_ids", flat], "ids"),
        _node("Gather", [EMBEDDING, "ids"], "ids.columns", axis=1),
        _node("Cast", ["ids.columns"], "ids.values", to=TensorProto.FLOAT),
        _node("Gather", [EMBEDDING_SCALE, "ids"], "ids.scale", axis=0),
        _node("Mul", ["ids.values", "ids.scale"], "ids.scaled"),
        _node("Transpose", ["ids.scaled"], "ids.rows", perm=[1, 0]),
        _node("Mul", ["ids.rows", factor], "ids.states"),
        _node("Unsqueeze", ["ids.states", one], "embeds"),
    ]


def _score(ids: str, output: str, flat: str) -> list[NodeProto]:
    """Exact logits of the columns `ids` [K] for `hidden` [1, N] -> `output` [K]."""
    return [
        _node("Gather", [EMBEDDING, ids], f"{output}.columns", axis=1),
        _node("Cast", [f"{output}.columns"], f"{output}.values", to=TensorProto.FLOAT),
        _node("MatMul", ["hidden", f"{output}.values"], f"{output}.products"),
        _node("Reshape", [f"{output}.products", flat], f"{output}.flat"),
        _node("Gather", [EMBEDDING_SCALE, ids], f"{output}.scale", axis=0),
        _node("Mul", [f"{output}.flat", f"{output}.scale"], output),
    ]


def _logits(constant: _Constants) -> list[NodeProto]:
    """`hidden` [1, N] -> `logits` [1, V] through one integer multiplication.

    The hidden state goes in as two int8 rows, the rounded values and what rounding left, 254 times
    finer. The matrix is read once either way, and the second row makes the logits as good as exact,
    which the outliers of Gemma's hidden states would not allow with one.
    """
    steps = constant("steps", np.array(127, np.float32))
    finer = constant("finer", np.array([[1.0], [1.0 / 254.0]], np.float32))
    least = constant("least", np.array(1e-30, np.float32))
    middle = constant("middle", np.array(128, np.float32))
    zero = constant("zero", np.array(128, np.uint8))
    return [
        _node("Abs", ["hidden"], "whole.size"),
        _node("ReduceMax", ["whole.size"], "whole.most", keepdims=1),
        _node("Div", ["whole.most", steps], "whole.step.raw"),
        _node("Max", ["whole.step.raw", least], "whole.step"),
        _node("Mul", ["whole.step", finer], "whole.steps"),
        _node("Div", ["hidden", "whole.step"], "whole.exact"),
        _node("Round", ["whole.exact"], "whole.coarse"),
        _node("Sub", ["whole.exact", "whole.coarse"], "whole.left"),
        _node("Div", ["whole.left", constant("part", np.array(1 / 254, np.float32))], "whole.wide"),
        _node("Round", ["whole.wide"], "whole.fine"),
        _node("Concat", ["whole.coarse", "whole.fine"], "whole.pair", axis=0),
        _node("Add", ["whole.pair", middle], "whole.shifted"),
        _node("Cast", ["whole.shifted"], "whole.bytes", to=TensorProto.UINT8),
        _node("MatMulInteger", ["whole.bytes", EMBEDDING, zero], "whole.integers"),
        _node("Cast", ["whole.integers"], "whole.products", to=TensorProto.FLOAT),
        _node("Transpose", ["whole.steps"], "whole.weights", perm=[1, 0]),
        _node("MatMul", ["whole.weights", "whole.products"], "whole.unscaled"),
        _node("Mul", ["whole.unscaled", EMBEDDING_SCALE], "logits"),
    ]


def _whole(top: int, flat: str) -> onnx.GraphProto:
    """The branch that compares with every token: log of the total, best ids, their exact logits."""
    constant = _Constants()
    nodes = [
        *_logits(constant),
        _node("Reshape", ["logits", flat], "logits.flat"),
        _node("ReduceLogSumExp", ["logits.flat"], "whole.log_total", keepdims=1),
        helper.make_node(
            "TopK",
            ["logits.flat", constant("top", np.array([top], np.int64))],
            ["whole.best", "whole.best.ids"],
            name="/ends/whole.best",
            axis=0,
        ),
        _node("Cast", ["whole.best.ids"], "whole.top_ids", to=TensorProto.INT32),
        *_score("whole.top_ids", "whole.top_scores", flat),
    ]
    outputs = [
        helper.make_tensor_value_info("whole.log_total", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("whole.top_ids", TensorProto.INT32, [top]),
        helper.make_tensor_value_info("whole.top_scores", TensorProto.FLOAT, [top]),
    ]
    return helper.make_graph(nodes, "whole", [], outputs, constant.tensors)


def _nothing() -> onnx.GraphProto:
    """The other branch: three empty tensors."""
    kinds = {"none.log_total": np.float32, "none.top_ids": np.int32, "none.top_scores": np.float32}
    nodes, outputs = [], []
    for name, kind in kinds.items():
        value = numpy_helper.from_array(np.zeros([0], kind))
        nodes.append(_node("Constant", [], name, value=value))
        outputs.append(helper.make_tensor_value_info(name, value.data_type, [0]))
    return helper.make_graph(nodes, "nothing", [], outputs)


def add_ends(body: onnx.ModelProto, channels: Floats, top: int) -> onnx.ModelProto:
    """Turn a graph `embeds, past -> hidden, present` into the served one, in place.

    Args:
        body: the exported layers, already in the wire's precision.
        channels: what a token's row is multiplied by before the first layer, float32 [N].
        top: how many of the best tokens the whole comparison returns, at most V.
    """
    constant = _Constants()
    graph = body.graph
    lookup = _lookup(channels, constant)
    scores = _score("candidate_ids", "scores", "ends.flat")
    branch = helper.make_node(
        "If",
        ["whole"],
        ["log_total", "top_ids", "top_scores"],
        name="/ends/whole",
        then_branch=_whole(top, "ends.flat"),
        else_branch=_nothing(),
    )
    nodes = [*lookup, *graph.node, *scores, branch]
    past = next(value for value in graph.input if value.name == "past")
    present = next(value for value in graph.output if value.name == "present")
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT32, [1, "new"]),
        past,
        helper.make_tensor_value_info("candidate_ids", TensorProto.INT32, ["candidates"]),
        helper.make_tensor_value_info("whole", TensorProto.BOOL, [1]),
    ]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["candidates"]),
        helper.make_tensor_value_info("log_total", TensorProto.FLOAT, ["totals"]),
        helper.make_tensor_value_info("top_ids", TensorProto.INT32, ["best"]),
        helper.make_tensor_value_info("top_scores", TensorProto.FLOAT, ["best"]),
        present,
    ]
    served = helper.make_graph(
        nodes, "offhand", inputs, outputs, [*graph.initializer, *constant.tensors]
    )
    return helper.make_model(served, opset_imports=body.opset_import, ir_version=body.ir_version)
