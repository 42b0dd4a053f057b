"""Files go out as a zip and come in again; what cannot be a file here is refused by its name."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhand.worlds.files import Files
from offhand.worlds.files_tree import DEPTH, ENTRIES, FILE_BYTES, HOME, TOTAL_BYTES, Tree
from offhand.worlds.files_zip import ZIP_BYTES, export, load

BEGIN = Files().begin()


def zipped(*members: tuple[str | ZipInfo, str | bytes], method: int = ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", method) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return out.getvalue()


def test_the_beginning_goes_out_and_comes_in() -> None:
    assert load(export(BEGIN)) == BEGIN


def test_the_same_files_are_the_same_bytes() -> None:
    reordered = Tree.of(dict(reversed(BEGIN.below_home().items())), f"{HOME}/photos")
    assert export(reordered) == export(BEGIN)


def test_other_programs_read_it() -> None:
    with ZipFile(BytesIO(export(BEGIN))) as archive:
        assert archive.testzip() is None
        assert archive.read("notes.txt").decode() == BEGIN.entries[f"{HOME}/notes.txt"]
        assert archive.getinfo("photos/").is_dir()


def test_what_comes_in() -> None:
    data = zipped(
        ("deep/er/one.txt", "one\r\n"),
        ("empty/", b""),
        ("é ✓.txt", "✓"),
        ("__MACOSX/._one.txt", b"\0\xff"),
        ("deep/.DS_Store", b"\0\xff"),
    )
    assert load(data) == Tree.of(
        {"deep": None, "deep/er": None, "deep/er/one.txt": "one\r\n", "empty": None, "é ✓.txt": "✓"}
    )


def link() -> ZipInfo:
    info = ZipInfo("shortcut")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def encrypted() -> bytes:
    data = bytearray(zipped(("secret.txt", "x")))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def broken() -> bytes:
    data = bytearray(zipped(("damaged.txt", "text"), method=zipfile.ZIP_STORED))
    data[data.index(b"text")] ^= 1
    return bytes(data)


def understated() -> bytes:
    """Says of a large member that it is small."""
    data = bytearray(zipped(("large.txt", "x" * (FILE_BYTES + 1))))
    for at in (22, data.index(b"PK\1\2") + 24):
        data[at : at + 4] = (5).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "named", "said"),
    [
        (lambda: b"", "zip", "not a whole zip"),
        (lambda: b"text", "zip", "not a whole zip"),
        (lambda: export(BEGIN)[:-30], "zip", "not a whole zip"),
        (lambda: b"\0" * (ZIP_BYTES + 1), "zip", "fewer files"),
        (lambda: zipped(("../up.txt", "x")), "up.txt", "two dots"),
        (lambda: zipped(("a/../../up.txt", "x")), "up.txt", "two dots"),
        (lambda: zipped(("/etc/passwd", "x")), "/etc", "empty"),
        (lambda: zipped(("C:\\up.txt", "x")), "up.txt", "backslash"),
        (lambda: zipped(("a//b.txt", "x")), "a/", "empty"),
        (lambda: zipped(("a\nb.txt", "x")), "b.txt", "line breaks"),
        (lambda: zipped(("x" * 256, "x")), "xxx", "255"),
        (lambda: zipped(("/".join("d" * (DEPTH + 1)), "x")), "d/d", "deep"),
        (lambda: zipped(("a", "x"), ("a/b", "x")), "a/b", "not a folder"),
        (lambda: zipped(("picture.png", b"\x89PNG\xff")), "picture.png", "UTF-8"),
        (lambda: zipped(("program", b"a\0b")), "program", "not text"),
        (lambda: zipped(("large.txt", "x" * (FILE_BYTES + 1))), "large.txt", "64 KB"),
        (understated, "large.txt", "cannot be read"),
        (encrypted, "secret.txt", "password"),
        (broken, "damaged.txt", "cannot be read"),
        (lambda: zipped((link(), "/etc/passwd")), "shortcut", "link"),
        (lambda: zipped(("odd.txt", "x" * 99), method=ZIP_BZIP2), "odd.txt", "deflate"),
        (lambda: zipped(*((f"{n}", "") for n in range(ENTRIES + 1))), "501", "fewer"),
        (
            lambda: zipped(
                *((f"{n}", "x" * FILE_BYTES) for n in range(TOTAL_BYTES // FILE_BYTES + 1))
            ),
            "1 MB",
            "fewer files",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], bytes], named: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"[A-Z].+\.$") as refused:
        load(make())
    assert named in str(refused.value)
    assert said in str(refused.value)


def test_a_name_twice() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("one.txt", "x"), ("one.txt", "y"))
    with pytest.raises(ValueError, match=r"'one.txt' is in the zip twice"):
        load(data)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_bytes_are_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(zipped(("a/one.txt", "one\n" * 9), ("two.txt", "two")))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    tree = BEGIN
    try:
        tree = load(bytes(whole))
    except ValueError as error:
        said = str(error)
        if not said.endswith("."):
            raise
    assert load(export(tree)).entries == tree.entries
