"""The model on torch: what the served graphs are measured against.

Runs a Hugging Face checkpoint folder in float32 on the CPU, behind the same `Engine` as the
terminal and the page, so that a checkpoint can be evaluated before it is converted. It is a
yardstick, not a server: nothing here is tuned for speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import DynamicCache, Gemma3ForCausalLM

from offhand.engine import Run, Scores
from offhand.errors import EngineError
from offhand.native import NativeText
from offhand.prompt import Template
from offhand.tokenizer import Vocabulary
from offhand_export import tokenizer_files
from offhand_export.errors import CheckpointError

CONTEXT = 2048
"""The most tokens the KV cache holds, as in a converted model."""

TOP = 64
"""How many of the best tokens a comparison with the whole vocabulary returns."""


class TorchEngine:
    """An `Engine` over a Gemma 3 text model."""

    def __init__(self, model: Gemma3ForCausalLM, context: int = CONTEXT) -> None:
        self.context = min(context, model.config.max_position_embeddings)
        self._model = model
        # Made without the model's configuration on purpose: layers with a sliding window then keep
        # all tokens (the mask hides the old ones), so that the cache can be cut back at any length.
        self._cache = DynamicCache()

    def run(self, run: Run) -> Scores:
        """Run the model once.

        Raises:
            EngineError: the run does not fit the KV cache, or torch failed; the KV cache is then
                what `run.keep` left of it.
        """
        held = self._cache.get_seq_length()
        if run.keep > held or run.keep + len(run.ids) > self.context:
            raise EngineError(
                f"A run of {len(run.ids)} tokens after {run.keep} does not fit a cache that holds "
                f"{held} of {self.context}.",
                "Begin a new conversation.",
            )
        self._cache.crop(run.keep)
        try:
            with torch.inference_mode():
                return self._scores(run)
        except (IndexError, RuntimeError) as error:
            self._cache.crop(run.keep)
            raise EngineError(
                f"The model failed to run: {error}.", "Try the turn again."
            ) from error

    def _scores(self, run: Run) -> Scores:
        hidden = self._model.model(
            input_ids=torch.tensor([run.ids]), past_key_values=self._cache, use_cache=True
        ).last_hidden_state[0, -1]
        head = self._model.lm_head.weight
        if not run.whole:
            return Scores(self._logits(head[list(run.candidates)], hidden).tolist())
        logits = self._logits(head, hidden)
        top = logits.topk(min(TOP, len(logits)))
        return Scores(
            candidates=logits[list(run.candidates)].tolist(),
            log_total=logits.logsumexp(0).item(),
            top_ids=top.indices.tolist(),
            top_scores=top.values.tolist(),
        )

    def _logits(self, rows: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        logits = rows @ hidden
        cap = self._model.config.final_logit_softcapping
        return logits if cap is None else torch.tanh(logits / cap) * cap


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A checkpoint folder, opened: its engine, vocabulary and template."""

    engine: TorchEngine
    vocabulary: Vocabulary
    template: Template

    @classmethod
    def open(cls, folder: Path, threads: int = 0) -> TorchModel:
        """Open a checkpoint folder.

        Args:
            folder: what `offhand-export checkpoint` wrote.
            threads: of torch; 0 lets it choose.

        Raises:
            CheckpointError: the folder is not a Gemma 3 text checkpoint.
            TokenizerError: its tokenizer cannot be read, or lacks the dialect's control tokens.
        """
        tokenizer = tokenizer_files.read_json(folder / "tokenizer.json")
        template = folder / "chat_template.jinja"
        if not template.is_file():
            raise CheckpointError(f"{folder} has no {template.name}.", "Make the checkpoint again.")
        if threads:
            torch.set_num_threads(threads)
        vocabulary = Vocabulary(
            NativeText(tokenizer_files.load(tokenizer_files.text_only(tokenizer))),
            tokenizer_files.control_tokens(tokenizer),
            tokenizer_files.control_ids(tokenizer),
        )
        return cls(TorchEngine(_load(folder)), vocabulary, Template(template.read_text("utf-8")))


def _load(folder: Path) -> Gemma3ForCausalLM:
    try:
        model = Gemma3ForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder} is not a Gemma 3 text checkpoint: {error}.", "Make the checkpoint again."
        ) from error
    return model.eval()
