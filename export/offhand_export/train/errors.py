"""The error of this stage."""

from __future__ import annotations

from offhand_export.errors import ExportError


class TrainError(ExportError):
    """An experiment that cannot be run, or gone on with, as it was asked for."""
