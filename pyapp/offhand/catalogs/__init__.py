"""Catalogs: what one agent can do, as a data file.

A catalog is a list of tool declarations with the words around them: what the task is, how the page
names it, and a few messages to start from. Training, evaluation and the page read the same file, so
a model is asked what it was taught. Three catalogs travel inside the
package; any other is a JSON file of the same shape, given by its path.

This module finds, reads and checks catalogs. What a declaration may say is `offhand.schema`'s
concern, and how a model is shown one is the template's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from offhand.errors import CatalogError
from offhand.policy import Policy, parse_policy
from offhand.schema import Tool, parse_tools

OWN = ("smart_home", "banking", "files")
"""The catalogs inside the package, in the order they are offered."""

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog that has been read and checked.

    Attributes:
        name: what commands call it; lower-case words joined by `_`.
        title: what the page calls it.
        description: one line for whoever chooses a catalog; the model never sees it.
        instructions: the task in words, for whoever labels or generates data; the prompt declares
            the tools alone, which a fine-tuned model needs no words for.
        tools: the declarations, parsed.
        declarations: the same as they were written (OpenAI function declarations), for templates.
        examples: first messages the page suggests.
        policy: when its calls are carried out, confirmed or asked about.
    """

    name: str
    title: str
    description: str
    instructions: str
    tools: tuple[Tool, ...]
    declarations: tuple[Mapping[str, Any], ...]
    examples: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)


def names() -> list[str]:
    """Names of the catalogs that travel inside the package; the page opens with the first."""
    return list(OWN)


def load(name_or_path: str | os.PathLike[str]) -> Catalog:
    """Read the catalog of this name, or the one at this path.

    A string with a `/` or ending in `.json` is a path; any other string is a name.

    Raises:
        CatalogError: there is no such catalog, or the file is not one.
        SchemaError: a declaration says something outside the supported schema subset.
    """
    source = os.fspath(name_or_path)
    is_path = not isinstance(name_or_path, str) or "/" in source or source.endswith(_SUFFIX)
    text = _read_file(source) if is_path else _read_own(source)
    return parse(text, source)


def parse(text: str, source: str) -> Catalog:
    """Make a catalog of the JSON `text`; `source` is how errors call it.

    Raises:
        CatalogError: a field is missing, unknown or of the wrong type.
        SchemaError: a declaration says something outside the supported schema subset.
    """
    fields = _object(text, source)
    _check_names(fields, source)
    for name, (check, expected) in _FIELDS.items():
        if not check(fields[name]):
            raise CatalogError(
                f"In catalog {source}, `{name}` is not {expected}.", f"Write {expected} there."
            )
    tools = parse_tools(fields["tools"])
    return Catalog(
        name=fields["name"],
        title=fields["title"],
        description=fields["description"],
        instructions=fields["instructions"],
        tools=tools,
        declarations=tuple(fields["tools"]),
        examples=tuple(fields["examples"]),
        policy=parse_policy(fields.get("policy", {}), tools, source),
    )


def _read_own(name: str) -> str:
    if name not in names():
        raise CatalogError(
            f"There is no catalog named {name!r}.",
            f"Use one of {', '.join(names())}, or give the path of a {_SUFFIX} file.",
        )
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"Cannot read the catalog {path}: {error}.",
            f"Give the path of a UTF-8 JSON file, or one of the names {', '.join(names())}.",
        ) from error


def _object(text: str, source: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise CatalogError(
            f"Catalog {source} is not JSON: {error}.", "Correct the file at that position."
        ) from error
    if not isinstance(fields, dict):
        raise CatalogError(
            f"Catalog {source} is not a JSON object.", f"Write its fields: {', '.join(_FIELDS)}."
        )
    return fields


def _check_names(fields: Mapping[str, Any], source: str) -> None:
    unknown = [name for name in fields if name not in _FIELDS and name not in _OPTIONAL]
    if unknown:
        raise CatalogError(
            f"Catalog {source} has the unknown field {unknown[0]!r}.",
            f"Remove it; the fields are {', '.join((*_FIELDS, *_OPTIONAL))}.",
        )
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        raise CatalogError(
            f"Catalog {source} lacks the field {missing[0]!r}.", f"Add {_FIELDS[missing[0]][1]}."
        )


def _is_line(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isidentifier() and value.islower()


def _is_lines(value: object) -> bool:
    return isinstance(value, list) and all(_is_line(entry) for entry in value)


def _is_filled_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


# A new field is one line here and one attribute above.
_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "name": (_is_name, "lower-case letters, digits and `_`"),
    "title": (_is_line, "one line of text"),
    "description": (_is_line, "one line of text"),
    "instructions": (_is_text, "a text"),
    "tools": (_is_filled_list, "a list of at least one tool declaration"),
    "examples": (_is_lines, "a list of messages, one line each"),
}

# What `policy` may say is `offhand.policy`'s concern.
_OPTIONAL = ("policy",)
