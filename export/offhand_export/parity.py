"""Does the served model compute what the checkpoint computes?

Three comparisons against transformers' own float32 forward, on a fixed text and on rendered
conversations, one token at a time through the KV cache after a first chunk, so that masks, rotary
positions and the cache are all on trial:

- `layers`: the exported layers before rounding. They must agree; a difference is a broken graph.
- `fp32`: the rounded weights, float32 arithmetic. What rounding the weights costs.
- `int8`: the rounded weights, activations rounded at run time. What that costs on top.

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
from tokenizers import Tokenizer
from transformers import Gemma3ForCausalLM

from offhand.dialect import ToolCall
from offhand.engine import Engine, Run, Scores
from offhand.errors import OffhandError
from offhand.native import NativeModel
from offhand.prompt import Message, Template
from offhand.tokenizer import Vocabulary
from offhand_export.errors import ConvertError

LAYERS_AGREEMENT, LAYERS_DIFFERENCE = 0.99, 1e-2
LEAST = {"fp32": 0.90, "int8": 0.50}
FIRST = (48, 3)
"""Sizes of the first runs of every sample; then tokens go one by one."""

SHORT, LONG = 208, 600
"""Tokens of the text sample, and of the one that leaves the sliding window."""

CANDIDATES = 48
"""Logits compared at every scored place."""

Progress = Callable[[str], Any]
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

TEXT = """\
The lighthouse at the end of the harbour had been dark for eleven years when the council voted to
repair it. Nobody could say exactly who had asked for the repair, or why, but the minutes of the
meeting recorded that the cost would be shared between the town and the university, and that work
would begin in the first week of May. The engineers who came to measure the tower found that the
stairs were sound, that the lens had only two cracks, and that a family of owls had made its home
under the lamp. They wrote a report of forty pages. In it they explained how the light could be run
from a battery no larger than a suitcase, charged during the day by a panel on the southern wall,
and how a small computer could watch the weather and decide when the lamp was needed. The owls, they
added, should be left alone until the young birds had learned to fly. When the lamp was lit again in
September, people stood on the beach and counted the seconds between one flash and the next.
"""

_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "set_timer",
            "parameters": {
                "type": "object",
                "properties": {
                    "label": {"type": "string"},
                    "minutes": {"type": "integer", "minimum": 1, "maximum": 90},
                },
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "play_music",
            "parameters": {
                "type": "object",
                "properties": {
                    "genre": {"type": "string", "enum": ["jazz", "rock", "folk"]},
                    "loud": {"type": "boolean"},
                },
            },
        },
    },
]
_CONVERSATIONS: tuple[tuple[Message, ...], ...] = (
    (
        Message("user", "Start a timer for the pasta, ten minutes please"),
        Message("assistant", call=ToolCall("set_timer", {"label": "pasta", "minutes": 10})),
        Message("user", "and some jazz, not too loud"),
        Message("assistant", call=ToolCall("play_music", {"genre": "jazz", "loud": False})),
    ),
    (
        Message("user", "play something like Bob Dylan"),
        Message("assistant", call=ToolCall("play_music", {"genre": "folk"})),
    ),
)


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


class _Text:
    """The served tokenizer, before there is a model folder to open."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False)
        return text


def _runs(length: int, first: Sequence[int], singles: int) -> tuple[int, ...]:
    """Ends of the runs: chunks of the sizes `first`, then `singles` tokens one by one."""
    ends = [int(end) for end in np.cumsum(first) if end < length]
    start = ends[-1] if ends else 0
    return (*ends, *range(start + 1, min(start + singles, length) + 1))


def _plans(
    folder: Path, control: Mapping[str, int], ids: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Ids and runs of every sample, with the tokenizer and template of a model folder."""
    vocabulary = Vocabulary(_Text(folder / "tokenizer.json"), control, ids)
    template = Template((folder / "chat_template.jinja").read_text("utf-8"))
    text = (control["<bos>"], *vocabulary.encode(TEXT))
    yield text[:SHORT], _runs(min(len(text), SHORT), FIRST, SHORT)
    long = (text * (LONG // len(text) + 1))[:LONG]
    yield long, _runs(len(long), (LONG - 40, 36), 4)
    for messages in _CONVERSATIONS:
        rendered = tuple(vocabulary.encode_pieces(template.render(messages, _TOOLS, False)))
        yield rendered[:LONG], _runs(min(len(rendered), LONG), FIRST, SHORT)


def reference(
    model: Gemma3ForCausalLM, folder: Path, control: Mapping[str, int], ids: Sequence[int]
) -> list[Sample]:
    """What the checkpoint says, by transformers' own forward in float32.

    Args:
        model: in float32.
        folder: where the served tokenizer.json and chat_template.jinja are.
        control: ids of the control tokens by name.
        ids: every id that is not text.

    Raises:
        ConvertError: the chat template cannot render a plain tool call.
    """
    samples = []
    try:
        plans = list(_plans(folder, control, ids))
    except OffhandError as error:
        raise ConvertError(
            f"The checkpoint's chat template cannot be served: {error}",
            "Remove chat_template.jinja from the source to get Offhand's own.",
        ) from error
    for tokens, runs in plans:
        with torch.no_grad():
            states = model.model(input_ids=torch.tensor([tokens]), use_cache=False)
        hidden = states.last_hidden_state[0, [end - 1 for end in runs]]
        choices, totals, logits = _score(model, hidden)
        wanted = dict.fromkeys([*control.values(), *choices.tolist()])
        candidates = tuple(wanted)[:CANDIDATES]
        samples.append(
            Sample(tokens, runs, choices, totals, candidates, logits[:, list(candidates)].numpy())
        )
    return samples


def _score(model: Gemma3ForCausalLM, hidden: torch.Tensor) -> tuple[Ids, Floats, torch.Tensor]:
    """Choices [R], log totals [R] and logits [R, V] of hidden states [R, N]."""
    with torch.no_grad():
        logits = hidden @ model.get_input_embeddings().weight.T
    return logits.argmax(-1).numpy(), logits.logsumexp(-1).numpy(), logits


@dataclass(frozen=True, slots=True)
class Answers:
    """What a graph says at the scored places of a sample: shapes as in `Sample`."""

    choices: Ids
    totals: Floats
    scores: Floats


def compare(samples: Sequence[Sample], answers: Sequence[Answers]) -> dict[str, float]:
    """Agreement of next-token choices, and largest differences of logits and log totals."""
    pairs = list(zip(samples, answers, strict=True))
    same = np.concatenate([sample.choices == answer.choices for sample, answer in pairs])
    scores = max(float(np.abs(sample.scores - answer.scores).max()) for sample, answer in pairs)
    totals = max(float(np.abs(sample.totals - answer.totals).max()) for sample, answer in pairs)
    return {
        "positions": len(same),
        "agreement": round(float(same.mean()), 4),
        "difference": float(f"{scores:.3g}"),
        "total_difference": float(f"{totals:.3g}"),
    }


def check_layers(
    path: Path, model: Gemma3ForCausalLM, samples: Sequence[Sample], progress: Progress
) -> dict[str, float]:
    """Compare the exported layers, before rounding, with the checkpoint.

    Raises:
        ConvertError: they do not agree, so the graph is broken.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for sample in samples:
        choices, totals, logits = _score(model, _layers(session, model, sample))
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
    folder: Path, precision: str, samples: Sequence[Sample], progress: Progress
) -> dict[str, float]:
    """Compare a finished model folder, at one in-memory precision, with the checkpoint.

    Raises:
        ConvertError: it agrees less than any sound rounding does, or contradicts itself.
    """
    model = NativeModel.open(folder, precision)
    found = [_answers(model.engine, sample) for sample in samples]
    figures = compare(samples, found)
    progress(_line(f"served {precision}", figures))
    if figures["agreement"] < LEAST[precision]:
        raise ConvertError(
            f"The served graph ({precision}) agrees with the checkpoint on {figures['agreement']} "
            f"of next tokens, less than {LEAST[precision]}.",
            "Its weights do not survive rounding to 8 bits: train with smaller weights.",
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
    if apart > 1e-3 or share > 1.01:
        raise ConvertError(
            f"The graph contradicts itself: one token's scores differ by {apart:.3g}, and its best "
            f"tokens have {share:.3g} of the probability.",
            "This is a fault of the exporter.",
        )


def _line(what: str, figures: Mapping[str, float]) -> str:
    return (
        f"parity: {what}: {figures['agreement']:.1%} of {figures['positions']} next tokens agree, "
        f"largest difference {figures['difference']:.3g} (candidates), "
        f"{figures['total_difference']:.3g} (log total)"
    )
