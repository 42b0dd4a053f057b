"""Turns a fine-tuned Gemma 3 270M into what the page loads.

Stages, each a module and a subcommand of `offhand-export`: `checkpoint` (weights with the adapter
merged), `convert` (graphs and the wire), `bundle` (the static page), `serve`, `evaluate`. The heavy
libraries live here and are imported by the stage that needs them, never by the page.
"""

__version__ = "0.1.0"
