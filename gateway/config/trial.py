"""Checks files that do not stand in the configuration folder: earlier ones, or ones that are about to be written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.config.load import load
from gateway.config.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.load import LoadResult


def try_out(files: Mapping[str, bytes], beside: Path) -> LoadResult:
    """What `load` says of the files as if they stood in `beside`, with the secrets and certificates there."""
    with TemporaryDirectory() as folder:
        write(Path(folder), files)
        for entry in beside.iterdir():
            link = Path(folder) / entry.name
            if not link.exists():
                link.symlink_to(entry.resolve())
        return load(Path(folder))


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all.

    Raises:
        OSError: one cannot be written; those before it are.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
