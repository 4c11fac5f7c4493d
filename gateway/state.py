"""Small durable state: the run counter, pulse totals, learned ranges. One SQLite file, one connection.

Not for readings: those wait in the outbox. A value is any JSON value; it is copied when it is put and when it is got,
so nobody changes it behind the back of the disk. `put` costs no disk write; `flush` writes what changed, and the
gateway calls it every 300 s and at its end.

The gateway starts whatever lies in the folder. A damaged value is left out; a damaged file is kept aside and a fresh
one begun; where the folder cannot be written the state lives in memory, says why in `cause`, and tries the folder again
at each `flush`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from contextlib import closing, suppress
from threading import Lock
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec
import structlog

from gateway.model import Run

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "state.sqlite"
"""The name of the database in the state folder."""

_LOCK_FILE: Final = "lock"
_MOST_KEPT_ASIDE: Final = 9
"""Damaged files that are kept for a look; the last is overwritten by a later one."""

_MOST_RUNS_OF_A_BOOT: Final = 100

_DISK_AT_FAULT: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Primary result codes (sqlite.org/rescode.html) that say nothing against the file itself."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What a value can be."""

_log = structlog.get_logger()


class StateError(Exception):
    """Another gateway works on this folder. The text is for a technician."""


class State:
    """A few values that outlive the process. Open it with `State.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self._encoded: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._cause: str | None = None
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._one_writer = Lock()

    @classmethod
    def open(cls, folder: Path) -> State:
        """Take the folder for this process and read what it holds.

        Raises:
            StateError: another gateway works on this folder.
        """
        state = cls(folder)
        state._attach()
        return state

    @property
    def durable(self) -> bool:
        """Whether what was put reaches the disk at the next `flush`."""
        return self._cause is None

    @property
    def cause(self) -> str | None:
        """Why the state lives in memory only; None where it is durable."""
        return self._cause

    def get(self, key: str) -> Json:
        """The value of a key, or None where there is none."""
        encoded = self._encoded.get(key)
        value: Json = None if encoded is None else msgspec.json.decode(encoded)
        return value

    def put(self, key: str, value: Json) -> None:
        """Remember a value; `flush` writes it.

        Raises:
            TypeError: the value is not a JSON value.
        """
        self._encoded[key] = msgspec.json.encode(value)
        self._changed.add(key)

    def put_now(self, key: str, value: Json) -> None:
        """Remember a value and write it, synced to the disk before this returns where the state is durable."""
        self.put(key, value)
        self.flush()

    def flush(self) -> None:
        """Write what changed, in one transaction. It waits for the disk; callable from any thread.

        A fault of the disk does not raise: it is logged, told by `cause`, and the next flush tries again.
        """
        with self._one_writer:
            if self._connection is None:
                with suppress(StateError):
                    self._attach()
            if self._connection is not None and self._changed:
                self._write(self._connection)

    def close(self) -> None:
        """Flush, and leave the folder to others. Does nothing the second time."""
        self.flush()
        with self._one_writer:
            self._detach()

    def _write(self, connection: sqlite3.Connection) -> None:
        keys = set(self._changed)
        self._changed -= keys
        try:
            with connection:
                rows = [_row(key, self._encoded[key]) for key in keys]
                connection.executemany("REPLACE INTO state (key, value, sum) VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._changed |= keys
            self._fail(error)
        else:
            self._cause = None

    def _attach(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(self.folder / _LOCK_FILE)
            self._connection, stored = _opened(self.folder / FILE)
        except StateError as error:
            self._cause = str(error)
            raise
        except (OSError, sqlite3.Error) as error:
            self._detach()
            self._fail(error)
        else:
            for key, encoded in stored.items():
                self._encoded.setdefault(key, encoded)
            self._cause = None

    def _detach(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _fail(self, error: Exception) -> None:
        cause = f"the state in {self.folder} cannot be written: {error}"
        if cause != self._cause:
            _log.warning("state_in_memory_only", folder=str(self.folder), error=str(error))
        self._cause = cause


def holder(folder: Path) -> int | None:
    """The process id of the gateway that works on a state folder; None where none does.

    Raises:
        OSError: this user may not look.
    """
    try:
        with (folder / _LOCK_FILE).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


def peek(folder: Path) -> dict[str, Json]:
    """All values in a state folder, as they were last written; a gateway may work on it meanwhile.

    Raises:
        OSError: there is no such file, or this user may not read it.
        StateError: it is damaged.
    """
    file = folder / FILE
    with file.open("rb"):
        pass
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            rows = connection.execute("SELECT key, value, sum FROM state").fetchall()
    except sqlite3.Error as error:
        raise StateError(f"{file} cannot be read: {error}") from error
    return {
        key.decode(): msgspec.json.decode(value) for key, value, check_sum in rows if _is_whole(key, value, check_sum)
    }


def next_run(state: State, boot: str) -> Run:
    """Begin a run: the counter moves on and is on disk before this returns; the suffix is eight random hex digits.

    Args:
        state: where the counter is kept.
        boot: the kernel's id of this boot, from `gateway.clock.boot_id`.
    """
    last = state.get("run")
    counter = last + 1 if isinstance(last, int) and last >= 0 else 1
    run = Run(counter, secrets.token_hex(4), boot)
    earlier = sorted(runs_of_boot(state, boot), key=lambda name: (len(name), name))
    state.put("boot", {"id": boot, "runs": [*earlier[1 - _MOST_RUNS_OF_A_BOOT :], str(run)]})
    state.put_now("run", counter)
    return run


def runs_of_boot(state: State, boot: str) -> frozenset[str]:
    """The runs of this boot, of which a monotonic time still means something; the newest 100 of them.

    Args:
        state: as `next_run` left it.
        boot: the kernel's id of this boot; an empty one is unlike any other.
    """
    known = state.get("boot")
    if not boot or not isinstance(known, dict) or known.get("id") != boot:
        return frozenset()
    runs = known.get("runs")
    return frozenset(run for run in runs if isinstance(run, str)) if isinstance(runs, list) else frozenset()


def _row(key: str, encoded: bytes) -> tuple[str, str, int]:
    return key, encoded.decode(), _sum(key.encode(), encoded)


def _locked(file: Path) -> int:
    """Hold the folder by a lock that the kernel releases when the process ends, however it ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateError(
            f"another gateway works on {file.parent}: stop it, or give this one a state folder of its own"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _opened(file: Path) -> tuple[sqlite3.Connection, dict[str, bytes]]:
    try:
        return _read(file)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK_AT_FAULT:
            raise
        kept = _kept_aside(file)
        _log.error("state_damaged", file=str(file), error=str(error), kept_as=kept.name)
        return _read(file)


def _read(file: Path) -> tuple[sqlite3.Connection, dict[str, bytes]]:
    """Connect, see that the file is whole, and read all of it: it is small."""
    file.touch(mode=0o600)
    # Only the thread that holds the lock of `flush` uses it: SQLite before 3.51.3 damages a WAL that two write.
    connection = sqlite3.connect(file, check_same_thread=False)
    try:
        return connection, _rows(connection)
    except BaseException:
        connection.close()
        raise


def _rows(connection: sqlite3.Connection) -> dict[str, bytes]:
    # Text as bytes: one that is damaged is then found here, and not called an operational error by sqlite3.
    connection.text_factory = bytes
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != b"ok":
        raise sqlite3.DatabaseError(verdict.decode(errors="replace"))
    connection.execute(
        "CREATE TABLE IF NOT EXISTS state"
        " (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID"
    )
    rows = connection.execute("SELECT key, value, sum FROM state").fetchall()
    whole = [(key, value) for key, value, check_sum in rows if _is_whole(key, value, check_sum)]
    if len(whole) < len(rows):
        _log.error("state_values_damaged", damaged=len(rows) - len(whole), whole=len(whole))
    return {key.decode(): value for key, value in whole}


def _is_whole(key: object, value: object, check_sum: object) -> bool:
    """Whether a row is as it was written: SQLite itself does not notice a bit that flips in a number."""
    return isinstance(key, bytes) and isinstance(value, bytes) and check_sum == _sum(key, value)


def _sum(key: bytes, value: bytes) -> int:
    return crc32(value, crc32(key))


def _kept_aside(file: Path) -> Path:
    """Move a damaged database, with its WAL, out of the way."""
    names = [f"{file.name}.damaged-{number}" for number in range(1, _MOST_KEPT_ASIDE + 1)]
    free = next((name for name in names if not (file.parent / name).exists()), names[-1])
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            file.with_name(file.name + suffix).replace(file.parent / (free + suffix))
    return file.parent / free
