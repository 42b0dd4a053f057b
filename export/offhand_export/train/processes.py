"""The processes that share a run, and the device each computes on.

`accelerate launch` starts several and tells each its place; started plainly there is one, on a GPU
where there is one. Who computes what is `loop`'s matter.
"""

from __future__ import annotations

from typing import Protocol

from accelerate import PartialState
from accelerate.utils import reduce
from torch import Tensor


class Processes(Protocol):
    """Several processes that compute one run together."""

    @property
    def index(self) -> int:
        """This process's number; 0 speaks and writes for all."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        ...


class Alone:
    """One process."""

    index, count = 0, 1

    def sum(self, values: Tensor) -> Tensor:
        """The tensor itself."""
        return values


class Launched:
    """The processes `accelerate launch` started, this one among them; one where it did not.

    Attributes:
        device: what this process computes on, as torch names it.
    """

    def __init__(self) -> None:
        state = PartialState()
        self.index, self.count = int(state.process_index), int(state.num_processes)
        self.device = str(state.device)

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        total: Tensor = reduce(values, "sum")
        return total
