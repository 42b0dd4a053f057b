"""The experiment as a TOML file: every value checked, none silently ignored.

    seed = 1

    [[data]]                       # one table a catalog
    catalog = "smart_home"         # name or path, as everywhere
    train = "train.jsonl"          # evaluation format; relative to this file
    valid = "valid.jsonl"

    [lora]                         # rank = 32, alpha = 64, dropout = 0.0
    [optimizer]                    # learning_rate = 4e-4, weight_decay = 0.0, warmup_steps = 10,
                                   # schedule = "cosine" | "linear" | "constant", clip = 1.0
    [steps]
    total = 200
    conversations = 12             # of each catalog in one step
    max_tokens = 4000              # of one pass, the declarations included
    [quantize]                     # bits = 0 | 4 | 5 | 6, group = 32, start = 0.7 (share of steps)
    [run]                          # precision = "bf16" | "fp32", checkpoint_minutes = 3.0,
                                   # validate_every = 25, validate_conversations = 32, threads = 0

What is shown after `#` without a value above is the default. Reading the data is `batches`' matter.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offhand_export.train.errors import TrainError


@dataclass(frozen=True, slots=True)
class Data:
    """Conversations about one catalog; `train` and `valid` are files."""

    catalog: str
    train: Path
    valid: Path


@dataclass(frozen=True, slots=True)
class Lora:
    """Shape of the adapter; dropout leaves out inputs of A, the same ones for a whole step."""

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class Optimizer:
    """AdamW and its learning rate over the steps; `clip` bounds the gradient's norm, 0 does not."""

    learning_rate: float = 4e-4
    weight_decay: float = 0.0
    warmup_steps: int = 10
    schedule: str = "cosine"
    clip: float = 1.0


@dataclass(frozen=True, slots=True)
class Steps:
    """How many steps, conversations of each catalog in one, and tokens in one pass."""

    total: int
    conversations: int = 12
    max_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class Quantize:
    """Blocks the forward pass rounds to from step `start * total` on; 0 bits never do."""

    bits: int = 0
    group: int = 32
    start: float = 0.7


@dataclass(frozen=True, slots=True)
class Run:
    """How to compute, and how often to look and to save.

    Attributes:
        precision: "bf16" or "fp32", of products; sums and the adapter are float32 either way.
        checkpoint_minutes: between saved states.
        validate_every: steps between validations.
        validate_conversations: of each catalog, the first ones of its file.
        threads: of torch; 0 lets it choose.
    """

    precision: str = "bf16"
    checkpoint_minutes: float = 3.0
    validate_every: int = 25
    validate_conversations: int = 32
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """An experiment."""

    data: tuple[Data, ...]
    steps: Steps
    seed: int = 1
    lora: Lora = field(default_factory=Lora)
    optimizer: Optimizer = field(default_factory=Optimizer)
    quantize: Quantize = field(default_factory=Quantize)
    run: Run = field(default_factory=Run)


Check = tuple[Callable[[Any], bool], str]


def _over(bound: float, kind: type = float) -> Check:
    what = "a whole number" if kind is int else "a number"
    return lambda value: value > bound, f"{what} over {bound:g}"


def _from(bound: float, kind: type = float) -> Check:
    what = "a whole number" if kind is int else "a number"
    return lambda value: value >= bound, f"{what} from {bound:g} on"


def _one_of(*values: Any) -> Check:
    return lambda value: value in values, "one of " + ", ".join(map(repr, values))


_TEXT: Check = (lambda value: bool(value.strip()), "a text")
_SHARE: Check = (lambda value: 0 <= value < 1, "a number from 0 to below 1")

_CHECKS: Mapping[type, Mapping[str, Check]] = {
    Data: {"catalog": _TEXT, "train": _TEXT, "valid": _TEXT},
    Lora: {"rank": _from(1, int), "alpha": _over(0), "dropout": _SHARE},
    Optimizer: {
        "learning_rate": _over(0),
        "weight_decay": _from(0),
        "warmup_steps": _from(0, int),
        "schedule": _one_of("cosine", "linear", "constant"),
        "clip": _from(0),
    },
    Steps: {
        "total": _from(1, int),
        "conversations": _from(1, int),
        "max_tokens": _from(1, int),
    },
    Quantize: {"bits": _one_of(0, 4, 5, 6), "group": _one_of(32), "start": _SHARE},
    Run: {
        "precision": _one_of("bf16", "fp32"),
        "checkpoint_minutes": _over(0),
        "validate_every": _from(1, int),
        "validate_conversations": _from(1, int),
        "threads": _from(0, int),
    },
}
_SEED = _from(0, int)
_TYPES = {"int": int, "float": float, "str": str, "Path": str}


def read_config(path: Path) -> Config:
    """Read an experiment; files in it are relative to its own folder.

    Raises:
        TrainError: the file cannot be read, or a value is missing, unknown or out of range.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"Cannot read {path}: {error}.", "Give a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainError(f"{path} is not TOML: {error}.", "Correct it there.") from error
    try:
        return _config(table, path.parent)
    except TrainError as error:
        raise TrainError(f"{path}: {error.message}", error.fix) from error


def _config(table: dict[str, Any], folder: Path) -> Config:
    _names(table, [entry.name for entry in dataclasses.fields(Config)], "the file")
    entries = table.get("data")
    if not isinstance(entries, list) or not entries:
        raise TrainError("there is no [[data]].", "Write one [[data]] table a catalog.")
    data = tuple(_data(entry, f"[[data]] {i + 1}", folder) for i, entry in enumerate(entries))
    return Config(
        data=data,
        steps=_section(Steps, table.get("steps", {}), "[steps]"),
        seed=_value(table.get("seed", 1), "int", _SEED, "`seed`"),
        lora=_section(Lora, table.get("lora", {}), "[lora]"),
        optimizer=_section(Optimizer, table.get("optimizer", {}), "[optimizer]"),
        quantize=_section(Quantize, table.get("quantize", {}), "[quantize]"),
        run=_section(Run, table.get("run", {}), "[run]"),
    )


def _data(table: Any, where: str, folder: Path) -> Data:
    made: Data = _section(Data, table, where)
    # A catalog is a path as `offhand.catalogs.load` tells paths from names.
    is_path = "/" in made.catalog or made.catalog.endswith(".json")
    catalog = str(folder / made.catalog) if is_path else made.catalog
    return Data(catalog, folder / made.train, folder / made.valid)


def _section(kind: Any, table: Any, where: str) -> Any:
    if not isinstance(table, dict):
        raise TrainError(f"{where} is not a table.", "Write it as a TOML table.")
    fields = {entry.name: entry for entry in dataclasses.fields(kind)}
    _names(table, list(fields), where)
    for name, entry in fields.items():
        if entry.default is dataclasses.MISSING and name not in table:
            raise TrainError(f"{where} lacks `{name}`.", f"Write {_CHECKS[kind][name][1]}.")
    checks = _CHECKS[kind]
    return kind(
        **{
            name: _value(value, str(fields[name].type), checks[name], f"`{name}` of {where}")
            for name, value in table.items()
        }
    )


def _names(table: Mapping[str, Any], known: list[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise TrainError(f"{where} has the unknown key {name!r}.", f"Use {', '.join(known)}.")


def _value(value: Any, kind: str, check: Check, where: str) -> Any:
    accepts, expected = check
    right = _TYPES[kind]
    if right is float and type(value) is int:
        value = float(value)
    if type(value) is not right or not accepts(value) or value in (float("inf"), float("-inf")):
        raise TrainError(f"{where} is {value!r}.", f"Write {expected}.")
    return value
