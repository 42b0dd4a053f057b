"""What can go wrong in the app, one class per kind.

Every message says what is wrong and how to fix it; the page and the terminal show it as it is.
Nothing here knows where an error is shown.
"""

from __future__ import annotations


class OffhandError(Exception):
    """Base of every error the app raises on purpose.

    Args:
        message: what is wrong, one sentence.
        fix: what the reader can do about it, one sentence; may be empty.
    """

    kind = "error"

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".rstrip())
        self.message = message
        self.fix = fix


class MessageError(OffhandError):
    """A user message that cannot be taken: empty, too long, not text."""

    kind = "message"


class SchemaError(OffhandError):
    """A tool declaration outside the supported JSON-schema subset."""

    kind = "schema"


class CatalogError(OffhandError):
    """A catalog that is missing or malformed."""

    kind = "catalog"


class ModelError(OffhandError):
    """A model folder that is missing, truncated, altered or of another kind."""

    kind = "model"


class EngineError(OffhandError):
    """The runtime failed while the model ran."""

    kind = "engine"


class TemplateError(OffhandError):
    """A chat template that cannot render this conversation."""

    kind = "template"


class WorldError(OffhandError):
    """A saved world that cannot be taken up again."""

    kind = "world"
