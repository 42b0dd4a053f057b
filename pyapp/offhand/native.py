"""The model on onnxruntime: the terminal's, the tests' and the evaluation's driver.

Reads a model folder as `offhand-export convert` writes it. The weights are kept on disk in their
wire precision and expanded into memory by `weights`, exactly as the page does on download. Only
this module and `browser` know a runtime.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from offhand.engine import Run, Scores
from offhand.errors import EngineError, ModelError
from offhand.prompt import Template
from offhand.tokenizer import Vocabulary
from offhand.weights import WireFile

FORMAT = 2
"""The version of model.json understood here."""


class NativeText:
    """`tokenizers` behind the interface of `TextTokenizer`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False)
        return text


class NativeEngine:
    """An `Engine` on onnxruntime, with the KV cache as a log of tokens, float32 [context, C, D]."""

    def __init__(self, session: ort.InferenceSession, manifest: Mapping[str, Any]) -> None:
        self.context: int = manifest["config"]["context"]
        cache = manifest["cache"]
        self._session = session
        self._log = np.zeros((self.context, cache["channels"], cache["head_size"]), np.float32)

    def run(self, run: Run) -> Scores:
        """Run the graph once.

        Raises:
            EngineError: onnxruntime failed; the KV cache is as it was.
        """
        feeds = {
            "input_ids": np.array([run.ids], np.int32),
            "past": self._log[: run.keep],
            "candidate_ids": np.array(run.candidates, np.int32),
            "whole": np.array([run.whole]),
        }
        outputs = ["scores", "log_total", "top_ids", "top_scores", "present"]
        try:
            scores, total, top_ids, top, present = self._session.run(outputs, feeds)
        except Exception as error:  # onnxruntime raises bare exceptions of its own
            raise EngineError(
                f"The model failed to run: {error}.", "Try the turn again."
            ) from error
        self._log[run.keep : run.keep + len(run.ids)] = present
        return Scores(
            scores.tolist(), float(total[0]) if run.whole else None, top_ids.tolist(), top.tolist()
        )


@dataclass(frozen=True, slots=True)
class NativeModel:
    """A model folder, opened: its engine, vocabulary, template and manifest (model.json)."""

    engine: NativeEngine
    vocabulary: Vocabulary
    template: Template
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | Path, precision: str = "fp32", threads: int = 0) -> NativeModel:
        """Open a model folder.

        Args:
            folder: what `offhand-export convert` wrote.
            precision: in-memory precision, one of the manifest's `memory`.
            threads: of onnxruntime; 0 lets it choose.

        Raises:
            ModelError: a file is missing, truncated or altered, or the folder is not a model.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        memory = manifest["memory"].get(precision)
        if memory is None:
            raise ModelError(
                f"{folder} has no precision {precision!r}.",
                f"Use one of {', '.join(sorted(manifest['memory']))}.",
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # onnxruntime reads `values` while it makes the session and holds no reference to them.
        wire = WireFile(folder / manifest["weights"]["file"], manifest["weights"]["tensors"])
        names, values = [], []
        for name, value in wire.expand(memory["tensors"]):
            names.append(name)
            values.append(ort.OrtValue.ortvalue_from_numpy(value))
        options.add_external_initializers(names, values)
        session = ort.InferenceSession(
            str(folder / memory["graph"]), options, providers=["CPUExecutionProvider"]
        )
        vocabulary = Vocabulary(
            NativeText(Tokenizer.from_file(str(folder / "tokenizer.json"))),
            manifest["dialect"]["control"],
            manifest["control_ids"],
        )
        template = Template((folder / "chat_template.jinja").read_text("utf-8"))
        return cls(NativeEngine(session, manifest), vocabulary, template, manifest)


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Read model.json and check every file it names by size and sha256."""
    try:
        manifest: Mapping[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
    except OSError as error:
        raise ModelError(
            f"{folder} is not a model folder: model.json cannot be read.",
            "Make one with `make model`, or name another folder.",
        ) from error
    except ValueError as error:
        raise ModelError(f"{folder}/model.json is not JSON.", "Convert the model again.") from error
    if manifest.get("format") != FORMAT:
        raise ModelError(
            f"{folder}/model.json has format {manifest.get('format')!r}, not {FORMAT}.",
            "Convert the model again with this version.",
        )
    for name, facts in manifest["files"].items():
        _check_file(folder / name, facts)
    return manifest


def _check_file(path: Path, facts: Mapping[str, Any]) -> None:
    remedy = "Convert the model again."
    if not path.is_file():
        raise ModelError(f"{path} is missing.", remedy)
    if path.stat().st_size != facts["size"]:
        raise ModelError(
            f"{path} has {path.stat().st_size} bytes, not {facts['size']}: it is truncated.", remedy
        )
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != facts["sha256"]:
            raise ModelError(f"{path} does not have the sha256 that model.json names.", remedy)
