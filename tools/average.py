"""The mean of two adapters of one run and its continuation.

    python -m tools.average FIRST SECOND OUT

A run that goes on from another's adapter ends near it; the mean of the two keeps more of what the
first knew than the second does. Matrices are averaged one by one, which is only sensible for
adapters that share a beginning; nothing here can tell whether they do beyond their base and shape.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tools.console import SetupError, run_as_program, say

CONFIG = "adapter_config.json"


def average(first: Path, second: Path, out: Path) -> None:
    """Write the mean of two peft folders, in bfloat16; the rest is the second's.

    Raises:
        SetupError: a folder is no adapter, or they are of different bases or shapes.
    """
    from safetensors.torch import load_file, save_file

    from offhand_export.files import copy, replacing
    from offhand_export.train.adapter import BASE, WEIGHTS

    try:
        bases = {json.dumps(json.loads((path / BASE).read_text())) for path in (first, second)}
        one, other = load_file(first / WEIGHTS), load_file(second / WEIGHTS)
    except (OSError, ValueError) as error:
        raise SetupError(f"{first} and {second} have to be adapters of ours: {error}.") from None
    shapes = {name: tensor.shape for name, tensor in one.items()}
    if len(bases) > 1 or shapes != {name: tensor.shape for name, tensor in other.items()}:
        raise SetupError("The adapters are of different bases or ranks; average two of one run.")
    mean = {
        name: ((tensor.float() + other[name].float()) / 2).to(tensor.dtype)
        for name, tensor in one.items()
    }
    with replacing(out) as fresh:
        for name in (CONFIG, BASE):
            copy(second / name, fresh / name)
        save_file(mean, fresh / WEIGHTS, {"format": "pt"})


def main(words: Sequence[str]) -> None:
    """Average the first two folders into the third."""
    if len(words) != 3:
        raise SetupError("Name two adapters and the folder to write.")
    average(*map(Path, words))
    say(f"{words[2]} holds the mean of {words[0]} and {words[1]}")


if __name__ == "__main__":
    run_as_program(main)
