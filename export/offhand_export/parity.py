"""Does the served model compute what the checkpoint computes?

Three comparisons against transformers' own float32 forward, on a fixed text and on rendered
conversations, one token at a time through the KV cache after a first chunk, so that masks, rotary
positions and the cache are all on trial:

- `layers`: the exported layers before rounding. They must agree; a difference is a broken graph.
- `fp32`: the weights as rounded for the wire, float32 arithmetic. What that rounding costs.
- `int8`: the same weights as int8, activations rounded at run time. What that costs on top.

Agreement is over next-token choices of all scored positions, the largest difference over logits of
a fixed handful of candidates. Task accuracy is `evaluate`'s business: an untuned model's next word
is a closer call than a tuned model's tool call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from transformers import Gemma3ForCausalLM

from offhand.engine import Engine, Run, Scores
from offhand.native import NativeModel
from offhand_export.errors import ConvertError
from offhand_export.samples import Prompts

LAYERS_AGREEMENT, LAYERS_DIFFERENCE = 0.99, 1e-2
"""What the exported layers must reach: Gemma 3 270M agrees wholly and differs by 1e-4."""

LEAST = {
    "fp32": {"fp32": 0.90, "int8": 0.60},
    "int8": {"fp32": 0.90, "int8": 0.60},
    "q6": {"fp32": 0.80, "int8": 0.60},
    "q5": {"fp32": 0.75, "int8": 0.55},
    "q4": {"fp32": 0.40, "int8": 0.35},
}
"""Agreement of the served graphs, by form on the wire and precision in memory, below which rounding
has done more damage than it must. The untuned Gemma 3 270M, whose next words are close calls and
which nothing prepared for fewer bits, reaches .97 and .94 from fp32, where only its embedding is
rounded, .96 and .94 from int8, .90 and .90 from q6, .89 and .87 from q5, .65 and .63 from q4;
rounding it to bfloat16 alone costs .01. Matrices read back wrongly agree on almost nothing."""

FIRST = (1, 47, 3)
"""Sizes of the first runs of every sample, the first token alone as the app runs it; then tokens go
one by one."""

SHORT, LONG = 208, 600
"""Tokens of the text sample, and of the one that leaves the sliding window."""

CANDIDATES = 48
"""Logits compared at every scored place."""

Progress = Callable[[str], Any]
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Token ids, and what the checkpoint says after some of their prefixes.

    Attributes:
        ids: the whole sequence.
        runs: lengths of the prefixes that end a run, ascending; all are scored.
        choices: the most likely next token after each, [R].
        totals: log of the summed exponentials of the logits, [R].
        candidates: token ids compared, [K].
        scores: their logits after each prefix, float32 [R, K].
    """

    ids: tuple[int, ...]
    runs: tuple[int, ...]
    choices: Ids
    totals: Floats
    candidates: tuple[int, ...]
    scores: Floats


def _runs(length: int, first: Sequence[int], singles: int) -> tuple[int, ...]:
    """Ends of the runs: chunks of the sizes `first`, then `singles` tokens one by one."""
    ends = [int(end) for end in np.cumsum(first) if end < length]
    start = ends[-1] if ends else 0
    return (*ends, *range(start + 1, min(start + singles, length) + 1))


def _plans(prompts: Prompts) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Token ids and ends of runs of every sample."""
    text = prompts.text[:SHORT]
    yield text, _runs(len(text), FIRST, SHORT)
    long = (prompts.text * (LONG // len(prompts.text) + 1))[:LONG]
    yield long, _runs(len(long), (1, LONG - 41, 36), 4)
    for conversation in prompts.conversations:
        yield conversation[:LONG], _runs(min(len(conversation), LONG), FIRST, SHORT)


def reference(model: Gemma3ForCausalLM, prompts: Prompts) -> list[Sample]:
    """What the checkpoint says, by transformers' own forward in float32.

    Args:
        model: in float32.
        prompts: its own prompts, in token ids.
    """
    embedding = model.get_input_embeddings().weight
    samples = []
    for tokens, runs in _plans(prompts):
        with torch.no_grad():
            states = model.model(input_ids=torch.tensor([tokens]), use_cache=False)
        hidden = states.last_hidden_state[0, [end - 1 for end in runs]]
        choices, totals, logits = _score(hidden, embedding)
        candidates = tuple(dict.fromkeys([*prompts.control, *choices.tolist()]))[:CANDIDATES]
        samples.append(
            Sample(tokens, runs, choices, totals, candidates, logits[:, list(candidates)].numpy())
        )
    return samples


def _score(hidden: torch.Tensor, embedding: torch.Tensor) -> tuple[Ids, Floats, torch.Tensor]:
    """Choices [R], log totals [R] and logits [R, V] of hidden states [R, N]."""
    with torch.no_grad():
        logits = hidden @ embedding.T
    return logits.argmax(-1).numpy(), logits.logsumexp(-1).numpy(), logits


@dataclass(frozen=True, slots=True)
class Answers:
    """What a graph says at the scored places of a sample: shapes as in `Sample`."""

    choices: Ids
    totals: Floats
    scores: Floats


def compare(samples: Sequence[Sample], answers: Sequence[Answers]) -> dict[str, float]:
    """Agreement of next-token choices; largest and typical (RMS) differences of logits."""
    pairs = list(zip(samples, answers, strict=True))
    same = np.concatenate([sample.choices == answer.choices for sample, answer in pairs])
    apart = [np.abs(sample.scores - answer.scores).ravel() for sample, answer in pairs]
    scores = np.concatenate(apart)
    totals = np.concatenate([np.abs(sample.totals - answer.totals) for sample, answer in pairs])
    return {
        "positions": len(same),
        "agreement": round(float(same.mean()), 4),
        "difference": float(f"{scores.max():.3g}"),
        "typical_difference": float(f"{np.sqrt((scores**2).mean()):.3g}"),
        "total_difference": float(f"{totals.max():.3g}"),
    }


def check_layers(
    path: Path,
    model: Gemma3ForCausalLM,
    factor: torch.Tensor,
    samples: Sequence[Sample],
    progress: Progress,
) -> dict[str, float]:
    """Compare the exported layers, before rounding, with the checkpoint.

    Args:
        path: the exported layers.
        model: the checkpoint, in float32.
        factor: what the exported hidden states are divided by, [N].
        samples: what the checkpoint said.
        progress: told the figures.

    Raises:
        ConvertError: they do not agree, so the graph is broken.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    embedding = model.get_input_embeddings().weight
    found = []
    for sample in samples:
        hidden = _layers(session, model, sample) * factor
        choices, totals, logits = _score(hidden, embedding)
        found.append(Answers(choices, totals, logits[:, list(sample.candidates)].numpy()))
    figures = compare(samples, found)
    progress(_line("exported layers", figures))
    good = figures["agreement"] >= LAYERS_AGREEMENT and figures["difference"] < LAYERS_DIFFERENCE
    if not good:
        raise ConvertError(
            f"The exported layers do not compute what the checkpoint does: {figures}.",
            "This is a fault of the exporter; the versions in requirements/ are known to agree.",
        )
    return figures


def _layers(
    session: ort.InferenceSession, model: Gemma3ForCausalLM, sample: Sample
) -> torch.Tensor:
    """Hidden states [R, N] of the exported layers, run by run through the cache."""
    with torch.no_grad():
        embeds = model.get_input_embeddings()(torch.tensor([sample.ids])).numpy()
    shape = next(node.shape for node in session.get_inputs() if node.name == "past")
    past = np.zeros([0, *shape[1:]], np.float32)
    states = []
    start = 0
    for end in sample.runs:
        feeds = {"embeds": embeds[:, start:end], "past": past}
        hidden, present = session.run(["hidden", "present"], feeds)
        past = np.concatenate([past, present])
        states.append(hidden[0])
        start = end
    return torch.from_numpy(np.stack(states))


def check_served(
    folder: Path, precision: str, wire: str, samples: Sequence[Sample], progress: Progress
) -> dict[str, float]:
    """Compare a finished model folder with the checkpoint.

    Args:
        folder: with everything but these figures.
        precision: in memory.
        wire: form of the layers in the wire file.
        samples: what the checkpoint said.
        progress: told the figures.

    Raises:
        ConvertError: it agrees less than any sound rounding does, or contradicts itself.
    """
    model = NativeModel.open(folder, precision)
    found = [_answers(model.engine, sample) for sample in samples]
    figures = compare(samples, found)
    progress(_line(f"served {precision}", figures))
    least = LEAST[wire][precision]
    if figures["agreement"] < least:
        raise ConvertError(
            f"The served graph ({precision}) agrees with the checkpoint on {figures['agreement']} "
            f"of next tokens, less than {least}.",
            f"Its weights do not survive rounding to {wire}: try --wire int8, or train with "
            "smaller weights.",
        )
    return figures


def _answers(engine: Engine, sample: Sample) -> Answers:
    choices, totals, scores = [], [], []
    start = 0
    for end in sample.runs:
        run = Run(start, sample.ids[start:end], sample.candidates, whole=True)
        found = engine.run(run)
        _check_consistent(run, found)
        choices.append(found.top_ids[0])
        totals.append(found.log_total)
        scores.append(found.candidates)
        start = end
    return Answers(np.array(choices), np.array(totals, np.float32), np.array(scores, np.float32))


def _check_consistent(run: Run, found: Scores) -> None:
    """The two heads of one graph must tell one story about the same token."""
    candidates = dict(zip(run.candidates, found.candidates, strict=True))
    both = [
        (score, candidates[token])
        for token, score in zip(found.top_ids, found.top_scores, strict=True)
        if token in candidates
    ]
    apart = max((abs(one - other) for one, other in both), default=0.0)
    share = float(np.exp(np.array(found.top_scores) - (found.log_total or 0.0)).sum())
    if not (apart < 1e-3 and share < 1.01):  # so written that NaN fails too
        raise ConvertError(
            f"The graph contradicts itself: one token's scores differ by {apart:.3g}, and its best "
            f"tokens have {share:.3g} of the probability.",
            "This is a fault of the exporter.",
        )


def _line(what: str, figures: Mapping[str, float]) -> str:
    return (
        f"parity: {what}: {figures['agreement']:.1%} of {figures['positions']} next tokens agree, "
        f"logits differ by {figures['difference']:.3g} at most, "
        f"{figures['typical_difference']:.3g} typically"
    )
