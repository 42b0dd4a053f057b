"""What can go wrong while a model is turned into a page: one class per kind.

The command line prints the message alone, so it says what is wrong and how to fix it. Errors a
stage shares with nobody live beside that stage and derive from `ExportError`.
"""

from __future__ import annotations


class ExportError(Exception):
    """Base of every error the pipeline raises on purpose.

    Args:
        message: what is wrong, one sentence.
        fix: what the reader can do about it, one sentence; may be empty.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".rstrip())
        self.message = message
        self.fix = fix


class BundleError(ExportError):
    """A part of the page that is missing, truncated, altered or does not fit the others."""


class ServeError(ExportError):
    """A folder that cannot be served, or an address that cannot be listened on."""


class CheckpointError(ExportError):
    """A source of weights that cannot be reached or read, is damaged, or is of another kind."""


class TokenizerError(ExportError):
    """Tokenizer files that are missing or do not fit the model."""


class ConvertError(ExportError):
    """A checkpoint that cannot be converted, or a graph that does not compute what it should."""
