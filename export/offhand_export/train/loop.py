"""The run: steps, validation, saved states, and an end that can come at any time.

A step adds up the gradients of its passes, over all processes where there are several, and moves
the adapter once. Validation is teacher-forced: a turn is right when each token of its call is the
likeliest of the whole vocabulary, which constrained decoding can only better. Generation, and what
counts as an equivalent call, is `evaluate`'s.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from offhand_export.train.adapter import save_adapter
from offhand_export.train.batches import Examples, as_batch, chosen, packed
from offhand_export.train.config import Config, Optimizer
from offhand_export.train.curves import draw
from offhand_export.train.errors import TrainError
from offhand_export.train.lora import Rounding
from offhand_export.train.network import Network
from offhand_export.train.processes import Alone, Processes
from offhand_export.train.state import Json, RunFolder
from offhand_export.train.validation import Figures, measure

BEST = "adapter"
LAST = "adapter-last"
CURVES = "curves.svg"
QUIET = 10.0
"""Seconds between two lines of progress, at least."""

Say = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Base:
    """The base as adapters name it, and its fingerprint."""

    name: str
    fingerprint: str


def learning_rate(step: int, total: int, optimizer: Optimizer) -> float:
    """The learning rate of a step counted from 0: a linear warm-up, then the schedule."""
    warm = min(optimizer.warmup_steps, total)
    if step < warm:
        return optimizer.learning_rate * (step + 1) / (warm + 1)
    done = (step - warm) / max(1, total - warm)
    falling = {
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "linear": 1 - done,
        "constant": 1.0,
    }
    return optimizer.learning_rate * falling[optimizer.schedule]


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM has come since; a second one acts at once."""
    came = threading.Event()
    handlers: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        came.set()
        restore()

    # Only the main thread may set handlers; elsewhere a run is simply not interruptible.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers[number] = signal.signal(number, note)
    try:
        yield came.is_set
    finally:
        restore()


class Trainer:
    """One run in its folder.

    Args:
        config: the experiment.
        network: with fresh adapters.
        examples: of each catalog.
        base: what is trained on.
        folder: where the run lives; goes on from its state if it holds one.
        processes: that share the run.
        say: told of progress, in lines.
    """

    def __init__(
        self,
        config: Config,
        network: Network,
        examples: Sequence[Examples],
        base: Base,
        folder: RunFolder,
        processes: Processes | None = None,
        say: Say = print,
    ) -> None:
        self.config, self.network, self.examples = config, network, examples
        self.base, self.folder, self.say = base, folder, say
        self.processes = processes or Alone()
        self.step = 0
        self.best: Json = {}
        self.seconds = 0.0
        self._optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.optimizer.learning_rate,
            weight_decay=config.optimizer.weight_decay,
            fused=True,
        )
        self._saved = self._told = time.monotonic()
        self._resume()

    def run(self) -> bool:
        """Train to the last step; False when a signal came first, with the state saved."""
        total = self.config.steps.total
        self._saved = self._told = time.monotonic()
        with interruptible() as stopped:
            while self.step < total:
                if not self._step(stopped):
                    self._save()
                    return False
                every = self.config.run.validate_every
                if self.step % every == 0 or self.step in (total, self._first_rounded()):
                    self._validate()
                if time.monotonic() - self._saved > 60 * self.config.run.checkpoint_minutes:
                    self._save()
        self._save()
        return True

    def _first_rounded(self) -> int:
        """The number of steps before the first with rounded weights."""
        return math.ceil(self.config.quantize.start * self.config.steps.total - 1e-9)

    def _rounding(self, step: int) -> Rounding | None:
        bits = self.config.quantize.bits
        if bits and step >= self._first_rounded():
            return Rounding(bits, self.config.quantize.group)
        return None

    def _step(self, stopped: Callable[[], bool]) -> bool:
        """Make one step; False, with nothing changed, when a signal came before its end."""
        begin = time.monotonic()
        self.network.merge(self._rounding(self.step), self._kept())
        passes, targets = self._passes()
        loss = torch.zeros((), device=self.network.device)
        tokens = 0
        for group, prefix in passes[self.processes.index :: self.processes.count]:
            if stopped() and self.processes.count == 1:
                break
            batch = as_batch(group, prefix, self.network.device)
            summed, _ = self.network(batch)
            (summed / targets).backward()
            loss += summed.detach() / targets
            tokens += len(batch.ids)
        ends, loss_sum, tokens_sum = self._gather(stopped(), loss, tokens)
        if ends:
            self._optimizer.zero_grad()
            return False
        if not math.isfinite(loss_sum):
            raise TrainError(
                f"The loss of step {self.step + 1} is {loss_sum}.",
                "Begin a new run with a lower learning rate.",
            )
        rate = learning_rate(self.step, self.config.steps.total, self.config.optimizer)
        norm = self._move(rate)
        self.step += 1
        took = time.monotonic() - begin
        self.seconds += took
        self._note(
            loss=loss_sum, lr=rate, gradient=norm, tokens=tokens_sum, tokens_per_s=tokens_sum / took
        )
        return True

    def _passes(self) -> tuple[list[tuple[Any, int]], int]:
        """All passes of the step, over all processes, and how many targets they score."""
        steps, made, targets = self.config.steps, [], 0
        for entry in self.examples:
            group = chosen(entry, self.config.seed, self.step, steps.conversations)
            targets += sum(last - first for one in group for first, last in one.calls)
            # As many passes as processes at least, so that none stands by.
            room = max(1, sum(len(one.ids) - entry.prefix for one in group))
            share = -(-room // self.processes.count) + entry.prefix
            for part in packed(group, entry.prefix, min(steps.max_tokens, share)):
                made.append((part, entry.prefix))
        return made, targets

    def _kept(self) -> list[Tensor] | None:
        """For each layer the factors of dropout on its inputs, the same in every process."""
        share = self.config.lora.dropout
        if not share:
            return None
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        return [
            (torch.rand(fused.a.shape[1], generator=generator) >= share)
            .div(1 - share)
            .to(self.network.device)
            for fused in self.network.fused
        ]

    def _gather(self, stopped: bool, loss: Tensor, tokens: int) -> tuple[bool, float, float]:
        """Sum gradients, loss and tokens over the processes; whether any of them was stopped."""
        facts = torch.tensor([float(stopped), float(loss), float(tokens)], dtype=torch.float64)
        if self.processes.count == 1:
            return stopped, float(facts[1]), float(facts[2])
        ends, total, count = self.processes.sum(facts.to(self.network.device)).tolist()
        if not ends:
            weights = self.network.parameters()
            parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
            flat = self.processes.sum(torch.cat([part.flatten() for part in parts]))
            sizes = [weight.numel() for weight in weights]
            for weight, grad in zip(weights, flat.split(sizes), strict=True):
                weight.grad = grad.view_as(weight)
        return bool(ends), total, count

    def _move(self, rate: float) -> float:
        """Let the optimizer move the adapter; returns the norm of the gradient."""
        clip = self.config.optimizer.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), clip)
        if not math.isfinite(norm):
            raise TrainError(
                f"The gradient of step {self.step + 1} is not finite.",
                "Begin a new run with a lower learning rate.",
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(norm)

    def _note(self, **figures: float) -> None:
        if self.processes.index:
            return
        self.folder.note({"step": self.step, **figures, "seconds": self.seconds})
        total = self.config.steps.total
        if time.monotonic() - self._told < QUIET and self.step < total:
            return
        self._told = time.monotonic()
        left = (total - self.step) * self.seconds / self.step
        self.say(
            f"train: step {self.step}/{total}, loss {figures['loss']:.4f}, "
            f"{figures['tokens_per_s']:.0f} tokens/s, {_duration(left)} left"
        )

    def _validate(self) -> None:
        """Measure the adapter as it would be saved, and keep it if it is the best."""
        # What the next step would use, but after the last one what that used.
        rounding = self._rounding(min(self.step, self.config.steps.total - 1))
        self.network.merge(rounding, saved=True)
        room = self.config.steps.max_tokens
        figures = {
            entry.catalog: measure(self.network, entry, room, self.processes)
            for entry in self.examples
        }
        if self.processes.index:
            return
        self.folder.note(
            {
                "step": self.step,
                "validation": {name: asdict(one) for name, one in figures.items()},
            }
        )
        shown = ", ".join(
            f"{name} {100 * one.exact:.1f}% (loss {one.loss:.4f})" for name, one in figures.items()
        )
        self.say(f"train: after step {self.step}: {shown}")
        self._keep(LAST)
        new = _standing(figures, self.step, rounding is not None)
        if self.best.get("rounded") is not new["rounded"] or _rank(new) > _rank(self.best):
            self.best = new
            self._keep(BEST)
        draw(self.folder.metrics(), self.folder.path / CURVES)

    def _keep(self, name: str) -> None:
        save_adapter(self.network, self.folder.path / name, self.base.name, self.base.fingerprint)

    def _save(self) -> None:
        if self.processes.index == 0:
            self.folder.save(
                {
                    "step": self.step,
                    "best": self.best,
                    "seconds": self.seconds,
                    "weights": [weight.detach() for weight in self.network.parameters()],
                    "optimizer": self._optimizer.state_dict(),
                }
            )
        self._saved = time.monotonic()

    def _resume(self) -> None:
        state = self.folder.load()
        if state is not None:
            self.step, self.best, self.seconds = state["step"], state["best"], state["seconds"]
            with torch.no_grad():
                for weight, value in zip(self.network.parameters(), state["weights"], strict=True):
                    weight.copy_(value)
            self._optimizer.load_state_dict(state["optimizer"])
            self.say(f"train: goes on after step {self.step}")
        if self.processes.index == 0:
            self.folder.rewind(self.step)


def _standing(figures: Mapping[str, Figures], step: int, rounded: bool) -> Json:
    """How good the adapter is over all catalogs.

    Whether weights are rounded belongs to it: rounded and unrounded ones are different products,
    so the best starts over when rounding does.
    """
    exact = sum(one.exact for one in figures.values()) / len(figures)
    loss = sum(one.loss for one in figures.values()) / len(figures)
    return {"rounded": rounded, "exact": exact, "loss": loss, "step": step}


def _rank(figures: Json) -> tuple[float, float]:
    return figures["exact"], -figures["loss"]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
