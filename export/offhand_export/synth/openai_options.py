"""The options of `offhand-export synth --teacher openai`.

They stand apart from `openai_command`, which acts on them, because the command line declares the
options of every stage whatever is asked of it, and a set-up that only serves has no HTTP library.
"""

from __future__ import annotations

import argparse
from pathlib import Path

KEY = "OPENAI_API_KEY"
CACHE = Path("build/teacher")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a language-model teacher."""
    group = parser.add_argument_group("a language model as teacher (--teacher openai)")
    group.add_argument("--base-url", help="OpenAI-compatible endpoint, such as https://host/v1")
    group.add_argument("--model", help="the model's name there")
    group.add_argument(
        "--api-key-env", metavar="VAR", help=f"environment variable with the key (default {KEY})"
    )
    group.add_argument("--concurrency", type=int, default=4, help="requests at a time (default 4)")
    group.add_argument("--size", type=int, default=4, help="conversations a request (default 4)")
    group.add_argument("--temperature", type=float, help="of sampling; else the endpoint's own")
    group.add_argument("--timeout", type=float, default=120.0, help="seconds to wait for an answer")
    group.add_argument("--price-in", type=float, help="price of a million tokens read")
    group.add_argument("--price-out", type=float, help="price of a million tokens written")
    group.add_argument(
        "--cache", type=Path, default=CACHE, help=f"folder of answers (default {CACHE})"
    )
