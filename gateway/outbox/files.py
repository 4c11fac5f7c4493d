"""The file layer of the spool: the few things it asks of a folder, each of which can fail or be cut short by a crash.

The tests stand another `Files` in the place of `Folder`, one that loses what was not synced.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from errno import EBUSY
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_APPEND_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class OpenFile(Protocol):
    """A file that is only ever added to."""

    def write(self, data: bytes) -> None:
        """Add all of `data` at the end. After an OSError nobody knows how much of it was added."""
        ...

    def sync(self) -> None:
        """Return when all that was written is on the disk (fdatasync)."""
        ...

    def close(self) -> None:
        """Close it; what was not synced may be lost."""
        ...


class Files(Protocol):
    """One folder of plain files. Every method may raise OSError."""

    @property
    def place(self) -> str:
        """Where the folder is, for messages."""
        ...

    def prepare(self) -> None:
        """Make the folder where it is missing, for its owner only, and hold it for this process."""
        ...

    def release(self) -> None:
        """Leave the folder to other processes."""
        ...

    def sizes(self) -> dict[str, int]:
        """The plain files of the folder, each with its size in bytes."""
        ...

    def read(self, name: str, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on; fewer where the file ends."""
        ...

    def create(self, name: str) -> OpenFile:
        """Make a file for its owner only, or empty the one that has the name."""
        ...

    def append(self, name: str) -> OpenFile:
        """Open a file to add to its end."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file to `size` bytes, synced."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, taking the place of what has it."""
        ...

    def unlink(self, name: str) -> None:
        """Delete a file."""
        ...

    def sync_folder(self) -> None:
        """Return when the names made, changed and deleted so far are on the disk."""
        ...

    def free_bytes(self) -> int:
        """What is free on the disk for this process, in bytes."""
        ...

    def touch(self, name: str, time_ns: int) -> None:
        """Set the time of a file, UTC in ns, without waiting for the disk."""
        ...

    def touched(self, name: str) -> int:
        """The time of a file, UTC in ns."""
        ...


class Folder:
    """`Files` on a real disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    @property
    def place(self) -> str:
        """Where the folder is."""
        return str(self._path)

    def prepare(self) -> None:
        """Make the folder, take its readings from the eyes of others, and hold it until `release` or the end."""
        if not self._path.is_dir():
            self._path.mkdir(mode=0o700, parents=True)
            _sync(self._path.parent)
        with suppress(PermissionError):
            self._path.chmod(0o700)
        if self._lock is None:
            self._lock = lock(self._path)

    def release(self) -> None:
        """Leave the folder to other processes."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def sizes(self) -> dict[str, int]:
        """The plain files of the folder."""
        with os.scandir(self._path) as found:
            return {file.name: file.stat().st_size for file in found if file.is_file(follow_symlinks=False)}

    def read(self, name: str, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on."""
        with (self._path / name).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def create(self, name: str) -> OpenFile:
        """Make a file for its owner only, or empty the one that has the name."""
        return _AppendOnly(os.open(self._path / name, _APPEND_FLAGS | os.O_CREAT | os.O_TRUNC, 0o600))

    def append(self, name: str) -> OpenFile:
        """Open a file to add to its end."""
        return _AppendOnly(os.open(self._path / name, _APPEND_FLAGS))

    def truncate(self, name: str, size: int) -> None:
        """Cut a file, synced."""
        with (self._path / name).open("rb+", buffering=0) as file:
            file.truncate(size)
            os.fdatasync(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        (self._path / old).replace(self._path / new)

    def unlink(self, name: str) -> None:
        """Delete a file."""
        (self._path / name).unlink()

    def sync_folder(self) -> None:
        """Sync the folder itself."""
        _sync(self._path)

    def free_bytes(self) -> int:
        """What is free, without what is reserved for root."""
        disk = os.statvfs(self._path)
        return disk.f_bavail * disk.f_frsize

    def touch(self, name: str, time_ns: int) -> None:
        """Set the time of a file."""
        os.utime(self._path / name, ns=(time_ns, time_ns))

    def touched(self, name: str) -> int:
        """The time of a file."""
        return (self._path / name).stat().st_mtime_ns


def lock(folder: Path) -> int:
    """Hold a folder for this process. The kernel gives it free when the descriptor is closed or the process ends.

    Raises:
        OSError: EBUSY where another process holds it.
    """
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise OSError(EBUSY, "another gateway works on it; give this one a state folder of its own") from None
        raise
    return descriptor


class _AppendOnly:
    """`OpenFile` over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _sync(folder: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
