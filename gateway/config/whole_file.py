"""Writes a file whole or not at all, whenever the power goes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the file, sync, and put it in its place; a file that was there keeps its mode and owner.

    Without the owner a file that root brings back would be closed to the service that reads it.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        before = path.stat()
        with suppress(PermissionError):  # only root may give files away
            os.chown(unfinished, before.st_uid, before.st_gid)
        unfinished.chmod(before.st_mode & 0o777)
    unfinished.replace(path)
