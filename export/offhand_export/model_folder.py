"""Reads a converted model folder for bundling, and believes nothing in it before it has checked.

Every file `model.json` lists must be there with its size and SHA-256; what a page cannot do without
must be listed. What the graphs compute is `convert`'s business and is not checked here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offhand_export.errors import BundleError
from offhand_export.files import sha256

FORMAT = 2
MODEL = "model.json"
TOKENIZER = "tokenizer.json"
TEMPLATE = "chat_template.jinja"
CONVERT_AGAIN = "Convert the model again (`make model`, or `offhand-export convert`)."


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder whose files are all as `model.json` says.

    Attributes:
        path: the folder.
        contract: `model.json`, parsed.
        weights: the wire's file name.
        others: names of the files that travel as they are: graphs, tokenizer, template.
    """

    path: Path
    contract: dict[str, Any]
    weights: str
    others: tuple[str, ...]

    @property
    def name(self) -> str:
        """The model's name, fit for a file name."""
        return str(self.contract["name"])


def open_model(path: Path) -> ModelFolder:
    """Read and verify a model folder.

    Raises:
        BundleError: a file is missing, truncated or altered, or the contract is of another format.
    """
    contract = read_contract(path / MODEL)
    try:
        weights = contract["weights"]["file"]
        graphs = [layout["graph"] for layout in contract["memory"].values()]
        listed = dict(contract["files"])
        check_name(contract["name"])
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{path / MODEL} is malformed ({error!r}).", CONVERT_AGAIN) from None
    others = (TOKENIZER, TEMPLATE, *graphs)
    for name in (weights, *others):
        if name not in listed:
            raise BundleError(f"{path / MODEL} does not list {name}.", CONVERT_AGAIN)
    for name, entry in listed.items():
        check_name(name)
        check_file(path / name, entry["size"], entry["sha256"])
    return ModelFolder(path, contract, weights, others)


def read_contract(path: Path) -> dict[str, Any]:
    """Parse `model.json`; raises BundleError when it is not one of this format."""
    try:
        contract = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fix = "Make one with `make model`, or name another folder with --model."
        raise BundleError(f"{path.parent} is not a model folder: no {MODEL}.", fix) from None
    except ValueError as error:
        raise BundleError(f"{path} is not JSON ({error}).", CONVERT_AGAIN) from None
    found = contract.get("format") if isinstance(contract, dict) else None
    if not isinstance(contract, dict) or found != FORMAT:
        raise BundleError(f"{path} has format {found!r}, not {FORMAT}.", CONVERT_AGAIN)
    return contract


def check_name(name: str) -> None:
    """Refuse a name that would leave the folder."""
    if not name or Path(name).name != name:
        raise BundleError(f"{name!r} in {MODEL} is not a plain name.", CONVERT_AGAIN)


def check_file(path: Path, size: int, digest: str) -> None:
    """Refuse a file that is missing, of another size, or of another content."""
    if not path.is_file():
        raise BundleError(f"{path} is missing.", CONVERT_AGAIN)
    found = path.stat().st_size
    if found < size:
        raise BundleError(f"{path} is truncated: {found} of {size} bytes.", CONVERT_AGAIN)
    if found != size:
        raise BundleError(f"{path} has {found} bytes, {MODEL} says {size}.", CONVERT_AGAIN)
    if sha256(path) != digest:
        raise BundleError(f"{path} is altered: its SHA-256 is not {digest}.", CONVERT_AGAIN)
