"""Offhand: an on-device tool-calling agent, as pure Python that runs in a page and natively.

A `Session` holds a conversation about a `Catalog`; its turns are generators that an engine drives:

    model = NativeModel.open("models/...")          # offhand.native
    session = Session(model.vocabulary, model.template, load_catalog("smart_home"), 2048)
    turn = drive(session.turn("Turn off the kitchen lights"), model.engine)
"""

from offhand.automaton import Automaton
from offhand.catalogs import Catalog
from offhand.catalogs import load as load_catalog
from offhand.dialect import ToolCall
from offhand.engine import Engine, Run, Scores, drive
from offhand.errors import (
    CatalogError,
    EngineError,
    MessageError,
    ModelError,
    OffhandError,
    SchemaError,
    TemplateError,
    WorldError,
)
from offhand.prompt import Message, Template
from offhand.session import Session, Turn
from offhand.tokenizer import Data, TextTokenizer, Vocabulary

__all__ = [
    "Automaton",
    "Catalog",
    "CatalogError",
    "Data",
    "Engine",
    "EngineError",
    "Message",
    "MessageError",
    "ModelError",
    "OffhandError",
    "Run",
    "SchemaError",
    "Scores",
    "Session",
    "Template",
    "TemplateError",
    "TextTokenizer",
    "ToolCall",
    "Turn",
    "Vocabulary",
    "WorldError",
    "drive",
    "load_catalog",
]
__version__ = "0.1.0"
