"""What several tests of the pipeline share: a local endpoint to ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.export.chat_server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A local endpoint, with nothing between the tests and it, and no key set."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = Server()
    thread = threading.Thread(target=found.http.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.http.shutdown()
    thread.join()
    found.http.server_close()
