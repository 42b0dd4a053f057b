"""Taking the files along and bringing some in, as a zip of what lies below home.

The same files give the same bytes: members are in order, have one date, and are stored as they are,
because what compression gives differs between versions of zlib. What comes in is checked before and
while it is read, so that a small zip cannot become large. Links, encryption and methods other than
storing and deflating are refused. What a Mac adds of its own (`__MACOSX`, `.DS_Store`) is left out.
"""

from __future__ import annotations

import stat
import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from offhand.worlds.files_tree import ENTRIES, FILE_BYTES, TOTAL_BYTES, Tree

ZIP_BYTES = 2 * TOTAL_BYTES
"""Bytes of a zip that is taken at most."""

_DATE = (1980, 1, 1, 0, 0, 0)
_LEAVE_OUT = "Leave it out of the zip and try again."
_ENCRYPTED = 0x1
_UNREADABLE = (
    *(BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(struct.error, zlib.error),
)
"""What the reader of zips raises for bytes that are none."""


def export(state: Tree) -> bytes:
    """Everything below home as a zip; the current folder is not told."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for path, text in state.below_home().items():
            info = ZipInfo(path if text is not None else f"{path}/", _DATE)
            info.create_system = 3
            mode = stat.S_IFREG | 0o644 if text is not None else stat.S_IFDIR | 0o755
            info.external_attr = mode << 16
            archive.writestr(info, text or "")
    return out.getvalue()


def load(data: bytes) -> Tree:
    """A state whose home is what a zip holds, from the bytes of the zip.

    Raises:
        ValueError: it is no zip or too large, or a member cannot be a file here; says which member,
            and what to do.
    """
    if len(data) > ZIP_BYTES:
        limit = ZIP_BYTES // 1024 // 1024
        raise ValueError(f"The zip is larger than {limit} MB. Put fewer files into it.")
    try:
        archive = ZipFile(BytesIO(data))
    except _UNREADABLE as error:
        raise ValueError(
            "This is not a whole zip file. Choose another or make it again."
        ) from error
    with archive:
        entries = _entries(archive)
    try:
        return Tree.of(entries)
    except ValueError as error:
        raise ValueError(f"{error} Change that and make the zip again.") from error


def _entries(archive: ZipFile) -> dict[str, str | None]:
    """What the members say, folders that are only told by what they hold included."""
    members = [info for info in archive.infolist() if not _of_a_mac(info.filename)]
    if len(members) > ENTRIES:
        raise ValueError(
            f"The zip holds {len(members)} entries; {ENTRIES} are the most. Use fewer."
        )
    if sum(info.file_size for info in members) > TOTAL_BYTES:
        limit = TOTAL_BYTES // 1024 // 1024
        raise ValueError(f"The zip holds more than {limit} MB of text. Put fewer files into it.")
    entries: dict[str, str | None] = {}
    for info in members:
        path = info.filename.removesuffix("/")
        if path in entries:
            raise ValueError(f"{info.filename!r} is in the zip twice. Keep one of them.")
        entries[path] = None if info.is_dir() else _text(archive, info)
    for path in [*entries]:
        while "/" in path:
            path = path.rpartition("/")[0]
            entries.setdefault(path, None)
    return entries


def _of_a_mac(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"


def _text(archive: ZipFile, info: ZipInfo) -> str:
    """What a member says, read to the limit of a file and no further."""
    name = repr(info.filename)
    if info.flag_bits & _ENCRYPTED:
        raise ValueError(f"{name} is encrypted. Make the zip again without a password.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(
            f"{name} is compressed in an unusual way. Make the zip again with deflate."
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ValueError(f"{name} is a link or a device. {_LEAVE_OUT}")
    try:
        with archive.open(info) as member:
            data = member.read(FILE_BYTES + 1)
    except _UNREADABLE as error:
        raise ValueError(f"{name} cannot be read. {_LEAVE_OUT}") from error
    if len(data) > FILE_BYTES:
        raise ValueError(f"{name} is larger than {FILE_BYTES // 1024} KB. {_LEAVE_OUT}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text in UTF-8. {_LEAVE_OUT}") from error
    if "\0" in text:
        raise ValueError(f"{name} is not text. {_LEAVE_OUT}")
    return text
