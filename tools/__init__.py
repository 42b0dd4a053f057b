"""Helpers that prepare a machine; they know nothing of models or pages."""
