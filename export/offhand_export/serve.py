"""Serves a bundle on this machine, with the headers that let the page use threads.

For trying a page and for the browser tests; a bundle needs no server of its own and runs from any
static host. Listens on 127.0.0.1 alone, offers files and nothing else: no listings, no uploads, no
ranges.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from offhand_export.errors import ServeError

HOST = "127.0.0.1"
PORT = 8000
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jinja": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/zip",
    ".zip": "application/zip",
}
OTHER = "application/octet-stream"
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HASHED = re.compile(r"\.[0-9a-f]{8}\.[a-z]+$")
FOREVER = "public, max-age=31536000, immutable"


class BundleHandler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with files below one folder."""

    protocol_version = "HTTP/1.1"
    isolated = True
    keep = False

    def send_head(self) -> Any:
        """Open what the path names; anything outside the folder is not found."""
        root = Path(self.directory).resolve()
        if not Path(self.translate_path(self.path)).resolve().is_relative_to(root):
            self.send_error(404)
            return None
        return super().send_head()

    def guess_type(self, path: Any) -> str:
        """The type by suffix, whatever this machine's own table says."""
        return TYPES.get(Path(path).suffix.lower(), OTHER)

    def list_directory(self, path: Any) -> None:
        """A folder without index.html is not found."""
        self.send_error(404)

    def send_response(self, code: int, message: str | None = None) -> None:
        """Start an answer and remember whether the browser may keep it."""
        self.keep = code in (200, 304) and HASHED.search(self.path.split("?")[0]) is not None
        super().send_response(code, message)

    def end_headers(self) -> None:
        """Add what every answer carries."""
        self.send_header("Cache-Control", FOREVER if self.keep else "no-cache")
        for name, value in ISOLATION.items() if self.isolated else ():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *parts: Any) -> None:
        """Say nothing: a page asks for fifty files."""


class BundleServer(ThreadingHTTPServer):
    """A threading server that takes a browser's closed connections in its stride."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a failure unless the browser just went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def open_server(folder: Path, port: int, isolated: bool) -> BundleServer:
    """Listen on `port`, or on a free one when it is taken.

    Raises:
        ServeError: `folder` holds no page.
    """
    if not (folder / "index.html").is_file():
        raise ServeError(f"{folder} holds no page (index.html).", "Build one with `make dist`.")
    handler = type("Handler", (BundleHandler,), {"isolated": isolated})
    answer = partial(handler, directory=str(folder))

    try:
        return BundleServer((HOST, port), answer)
    except OSError:
        return BundleServer((HOST, 0), answer)


def address(server: BundleServer) -> str:
    """The URL of the page."""
    return f"http://{HOST}:{server.server_port}/"


@contextmanager
def serving(folder: Path, port: int = 0, isolated: bool = True) -> Iterator[str]:
    """Serve `folder` in the background while the block runs; yields the URL."""
    with open_server(folder, port, isolated) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield address(server)
        finally:
            server.shutdown()
            thread.join()


def serve(
    folder: Path, port: int = PORT, isolated: bool = True, say: Callable[[str], None] = print
) -> None:
    """Serve `folder` until interrupted; says the URL first."""
    with open_server(folder, port, isolated) as server:
        if server.server_port != port:
            say(f"Port {port} is taken.")
        say(f"Serving {folder} at {address(server)} (Ctrl-C stops)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.")
