"""How much memory a browser's renderers hold, read from /proc (Linux; elsewhere it is unknown)."""

from __future__ import annotations

from pathlib import Path


def renderer_bytes(user_data: str) -> int | None:
    """Proportional set size of all renderer processes of the browser with this profile folder.

    Returns:
        Bytes; shared pages are counted in part, so that processes may be added up. None where
        /proc does not tell.
    """
    sizes = [
        _proportional(process)
        for process in Path("/proc").glob("[0-9]*")
        if _is_renderer(process, user_data)
    ]
    return sum(sizes) or None


def _is_renderer(process: Path, user_data: str) -> bool:
    try:
        return b"--type=renderer" in (process / "cmdline").read_bytes() and _family(
            process, user_data
        )
    except OSError:
        return False


def _family(process: Path, user_data: str) -> bool:
    """Whether one of the process's parents was started with the profile folder."""
    for _ in range(6):
        try:
            if user_data.encode() in (process / "cmdline").read_bytes():
                return True
            parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (OSError, IndexError):
            return False
        process = Path("/proc") / parent
    return False


def _proportional(process: Path) -> int:
    try:
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it ended in between
    return 0
