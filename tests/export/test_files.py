"""Files of the stages: digests, and folders that are swapped in whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhand_export.errors import ExportError
from offhand_export.files import fingerprint, replacing, sha256, walk
from tests.export.parts import digest, write


def names(folder: Path) -> list[str]:
    """What lies in a folder, as paths."""
    return [path.as_posix() for path in walk(folder)]


def test_digests(tmp_path: Path) -> None:
    content = bytes(3_000_000)
    assert sha256(write(tmp_path / "zeros", content)) == digest(content)
    assert fingerprint(["a", "bc"]) != fingerprint(["ab", "c"])
    assert fingerprint(["a"]) != fingerprint(["a", ""])


def test_a_finished_folder_takes_the_old_ones_place(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    for name in ("first", "second"):
        with replacing(target) as folder:
            assert names(folder) == []
            write(folder / "sub" / name, name)
        assert names(tmp_path) == [f"deep/out/sub/{name}"]


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    with replacing(tmp_path / "out") as folder:
        write(folder / "one", "one")
        with pytest.raises(ExportError, match="Another run"), replacing(tmp_path / "out"):
            pass
    assert names(tmp_path) == ["out/one"]


def fill_and_fail(target: Path) -> None:
    """Get half-way."""
    with replacing(target) as folder:
        write(folder / "half", "half")
        raise KeyboardInterrupt


def test_an_interrupted_one_leaves_the_old_folder(tmp_path: Path) -> None:
    write(tmp_path / "out" / "old", "old")
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(tmp_path / "out")
    assert names(tmp_path) == ["out/old"]


def test_an_interrupted_first_one_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("left", [".out.new/half", ".out.old/old"])
def test_what_a_killed_run_left_is_cleared_or_restored(tmp_path: Path, left: str) -> None:
    write(tmp_path / left, "content")
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(tmp_path / "out")
    assert names(tmp_path) == (["out/old"] if "old" in left else [])


def test_a_swap_that_fails_gives_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail_to_arrive(source: Path, target: Path) -> Path:
        if source.name.endswith(".new"):
            raise PermissionError(source)
        return rename(source, target)

    write(tmp_path / "out" / "old", "old")
    monkeypatch.setattr(Path, "rename", fail_to_arrive)
    with pytest.raises(PermissionError), replacing(tmp_path / "out") as folder:
        write(folder / "new", "new")
    assert names(tmp_path) == ["out/old"]
