"""Files that are there whole, or as they were."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gateway.config.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_file_has_its_content_and_keeps_its_mode(tmp_path: Path) -> None:
    """A secret neighbour's 0600 does not become world-readable by a rollback."""
    path = tmp_path / "gateway.yaml"
    write_whole(path, b"one")
    path.chmod(0o600)
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_file_keeps_its_owner(tmp_path: Path) -> None:
    """What root brings back stays readable to the service that owned it."""
    path = tmp_path / "gateway.yaml"
    write_whole(path, b"one")
    os.chown(path, 12, 34)
    write_whole(path, b"two")
    assert (path.stat().st_uid, path.stat().st_gid) == (12, 34)


def test_what_cannot_be_synced_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full or broken disk costs the new file, not the old one."""
    path = tmp_path / "gateway.yaml"
    write_whole(path, b"one")

    def broken(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.config.whole_file.os.fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
