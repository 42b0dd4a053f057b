"""Validation while training: cheap, teacher-forced, through the merged weights as they are.

A turn is exact when each token of its call is the likeliest of the whole vocabulary given the gold
tokens before it. Constrained decoding can only better that; what the served model makes of its own
history, and which calls count as equivalent, is measured by `offhand_export.evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from offhand_export.train.batches import Examples, as_batch, packed
from offhand_export.train.network import Network
from offhand_export.train.processes import Processes


@dataclass(frozen=True, slots=True)
class Figures:
    """Mean loss a token in nats, and the share of exact turns, 0..1, among `turns`."""

    loss: float
    exact: float
    turns: int


def measure(network: Network, entry: Examples, max_tokens: int, processes: Processes) -> Figures:
    """Measure one catalog's validation conversations; each process runs a part of them.

    Args:
        network: merged as it should be measured.
        entry: the catalog's conversations.
        max_tokens: of one pass.
        processes: that share the run.
    """
    sequences = [one for conversation in entry.valid for one in conversation]
    passes = packed(sequences, entry.prefix, max_tokens)
    sums = torch.zeros(4, dtype=torch.float64, device=network.device)
    with torch.no_grad():
        for group in passes[processes.index :: processes.count]:
            batch = as_batch(group, entry.prefix, network.device)
            loss, right = network(batch)
            turns = int(batch.turns[-1]) + 1
            wrong = torch.zeros(turns, device=right.device)
            wrong.index_add_(0, batch.turns, (~right).float())
            facts = (float(loss), len(right), int((wrong == 0).sum()), turns)
            sums += torch.tensor(facts, dtype=torch.float64, device=sums.device)
    loss_sum, tokens, exact, count = processes.sum(sums).tolist()
    return Figures(loss_sum / tokens, exact / count, int(count))
