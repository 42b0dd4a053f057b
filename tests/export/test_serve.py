"""The local server: headers, types, caching, what it refuses, which port it takes."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from offhand_export import serve as serving_module
from offhand_export.errors import ServeError
from offhand_export.serve import serving
from tests.export.parts import write

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SHARD = "/model/tiny-00.0a1b2c3d.bin"
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page, with a file beside it that is none of the browser's business."""
    root = tmp_path_factory.mktemp("served")
    write(root / "secret.txt", "secret")
    dist = root / "dist"
    for name in ("index.html", "app/main.js", "a.mjs", "a.wasm", "a.json", "a.whl", "a.zip"):
        write(dist / name, name)
    for name in ("style.css", "t.jinja", "g.onnx", "n.txt", "odd.xyz", SHARD[1:]):
        write(dist / name, name)
    (dist / "link.txt").symlink_to(root / "secret.txt")
    return dist


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The address of the page."""
    with serving(folder) as address:
        yield address


def ask(
    url: str, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request with the path exactly as given."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_listens_on_this_machine_alone(url: str) -> None:
    assert urlsplit(url).hostname == "127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/a.wasm", "/missing", "/app/"])
def test_every_answer_isolates_the_page(url: str, path: str) -> None:
    response, _ = ask(url, path)
    assert {name: response.getheader(name) for name in ISOLATION} == ISOLATION


def test_isolation_can_be_left_out_as_on_a_plain_static_host(folder: Path) -> None:
    with serving(folder, isolated=False) as url:
        response, body = ask(url, "/")
    assert body == b"index.html"
    assert not [name for name in ISOLATION if response.getheader(name)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/app/main.js", "text/javascript; charset=utf-8"),
        ("/a.mjs", "text/javascript; charset=utf-8"),
        ("/a.wasm", "application/wasm"),
        ("/a.json", "application/json"),
        ("/a.whl", "application/zip"),
        ("/a.zip", "application/zip"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/t.jinja", "text/plain; charset=utf-8"),
        ("/g.onnx", "application/octet-stream"),
        (SHARD, "application/octet-stream"),
        ("/odd.xyz", "application/octet-stream"),
    ],
)
def test_types(url: str, path: str, kind: str) -> None:
    response, body = ask(url, path)
    assert (response.status, response.getheader("Content-Type")) == (200, kind)
    assert body


@pytest.mark.parametrize(
    ("path", "status", "caching"),
    [
        ("/", 200, "no-cache"),
        ("/app/main.js", 200, "no-cache"),
        ("/a.wasm?v=0a1b2c3d.bin", 200, "no-cache"),
        (SHARD, 200, FOREVER),
        (SHARD + "?again", 200, FOREVER),
        ("/model/tiny-01.0a1b2c3d.bin", 404, "no-cache"),
    ],
)
def test_only_files_named_by_their_content_are_kept(
    url: str, path: str, status: int, caching: str
) -> None:
    response, _ = ask(url, path)
    assert (response.status, response.getheader("Cache-Control")) == (status, caching)


def test_a_file_that_has_not_changed_is_not_sent_again(url: str) -> None:
    response, _ = ask(url, "/a.wasm")
    modified = response.getheader("Last-Modified")
    assert modified is not None
    response, body = ask(url, "/a.wasm", If_Modified_Since=modified)
    assert (response.status, body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/app/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//../secret.txt",
        "/link.txt",
        "/app/",
        "/missing.js",
    ],
)
def test_nothing_outside_the_page_and_no_listing(url: str, path: str) -> None:
    response, body = ask(url, path)
    assert response.status == 404
    assert b"secret\n" not in body
    assert body != b"secret"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_files_are_only_read(url: str, method: str) -> None:
    assert ask(url, "/index.html", method)[0].status == 501


def test_head_tells_the_size_and_sends_nothing(url: str) -> None:
    response, body = ask(url, "/a.wasm", "HEAD")
    assert (response.getheader("Content-Length"), body) == ("6", b"")


def test_a_taken_port_gives_way_to_a_free_one(folder: Path) -> None:
    with serving(folder) as first:
        taken = urlsplit(first).port
        assert taken
        with serving(folder, taken) as second:
            assert urlsplit(second).port != taken
            assert ask(second, "/")[1] == b"index.html"


def test_serve_says_where_and_stops_when_interrupted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    said: list[str] = []
    with serving(folder) as other:
        taken = urlsplit(other).port
        assert taken
        monkeypatch.setattr(serving_module.BundleServer, "serve_forever", interrupt)
        serving_module.serve(folder, taken, say=said.append)
    assert said[0] == f"Port {taken} is taken."
    assert "http://127.0.0.1:" in said[1]
    assert said[2] == "Stopped."


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"index\.html") as caught, serving(tmp_path):
        pass
    assert "make dist" in caught.value.fix
