"""A state folder that is damaged, full or not there: the gateway starts, and believes nothing that is not whole."""

from __future__ import annotations

import shutil
import sqlite3
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.state import FILE, State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that is not there yet."""
    return tmp_path / "deep" / "state"


def unusable(tmp_path: Path) -> Path:
    """A folder that nobody can make: a file has its name."""
    (tmp_path / "taken").write_text("not a folder", encoding="ascii")
    return tmp_path / "taken"


def reopened(folder: Path) -> State:
    """The state as the next process finds it."""
    return State.open(folder)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_file_is_kept_aside(folder: Path, content: bytes) -> None:
    """A fresh one is begun; an empty one is one."""
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(content)
    with capture_logs() as logs:
        state = State.open(folder)
    assert state.durable
    state.put_now("key", 1)
    state.close()
    aside = folder / f"{FILE}.damaged-1"
    assert aside.exists() == bool(content)
    assert not content or aside.read_bytes() == content
    assert [line["event"] for line in logs] == (["state_damaged"] if content else [])
    state = reopened(folder)
    assert state.get("key") == 1
    state.close()


def test_a_file_that_cannot_be_opened_is_not_called_damaged(folder: Path) -> None:
    """A folder has its name: nothing is moved, the state lives in memory."""
    (folder / FILE).mkdir(parents=True)
    state = State.open(folder)
    assert not state.durable
    assert list(folder.glob("*damaged*")) == []
    state.close()


def test_a_database_that_another_program_holds_is_not_called_damaged(folder: Path, monkeypatch: Any) -> None:
    """Somebody looks into it with a tool: it is waited for at the next flush, not thrown away."""
    State.open(folder).close()
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *arguments, **settings: connect(*arguments, timeout=0, **settings))
    other = connect(folder / FILE)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    state = State.open(folder)
    state.put("key", 1)
    assert not state.durable
    other.close()
    state.flush()
    assert state.durable
    assert list(folder.glob("*damaged*")) == []
    state.close()


def test_files_that_are_kept_aside_do_not_pile_up(folder: Path) -> None:
    """Nine at most, the last of them the newest."""
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / FILE).write_bytes(f"damage {number} ".encode() * 100)
        State.open(folder).close()
    aside = sorted(folder.glob(f"{FILE}.damaged-*"))
    assert len(aside) == 9
    assert aside[-1].read_bytes().startswith(b"damage 11 ")
    assert aside[0].read_bytes().startswith(b"damage 0 ")


@pytest.mark.parametrize("seed", range(60))
def test_with_flipped_bits_it_starts_and_invents_nothing(tmp_path: Path, seed: int) -> None:
    """Every value is the one that was put, or none; and new ones can be kept."""
    values = {f"total-{number}": number * 1_000_003 for number in range(200)}
    state = State.open(tmp_path / "good")
    for key, value in values.items():
        state.put(key, value)
    state.close()
    shutil.copytree(tmp_path / "good", tmp_path / "bad")
    random = Random(seed)  # noqa: S311 - chance for a test, no secret
    content = bytearray((tmp_path / "bad" / FILE).read_bytes())
    for _ in range(3):
        bit = random.randrange(8 * 2048) if seed % 2 else random.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
    (tmp_path / "bad" / FILE).write_bytes(content)
    state = State.open(tmp_path / "bad")
    assert all(state.get(key) in (value, None) for key, value in values.items())
    state.put_now("fresh", 1)
    assert state.durable
    state.close()
    state = reopened(tmp_path / "bad")
    assert state.get("fresh") == 1
    state.close()


@pytest.mark.parametrize(
    "damage",
    [
        "value = '18'",
        "value = 'no json'",
        "value = CAST(X'80' AS TEXT)",
        "value = X'37'",
        "sum = sum + 1",
        "sum = 'none'",
        "key = 'kez'",
        "key = CAST(X'80' AS TEXT)",
    ],
)
def test_a_damaged_value_is_left_out(folder: Path, damage: str) -> None:
    """One total that cannot be believed is no total; the others are as they were, and it can be put anew."""
    state = State.open(folder)
    state.put("key", 17)
    state.put("other", 4)
    state.close()
    connection = sqlite3.connect(folder / FILE)
    with connection:
        connection.execute(f"UPDATE state SET {damage} WHERE key = 'key'")  # noqa: S608 - the damage is the test
    connection.close()
    with capture_logs() as logs:
        state = State.open(folder)
    assert [state.get(key) for key in ("key", "kez", "other")] == [None, None, 4]
    assert [(line["event"], line["damaged"]) for line in logs] == [("state_values_damaged", 1)]
    state.put("key", 18)
    state.close()
    state = reopened(folder)
    assert state.get("key") == 18
    state.close()


def test_a_folder_that_cannot_be_used_leaves_it_in_memory(tmp_path: Path) -> None:
    """The gateway starts; `cause` says what to look at, once in the log."""
    with capture_logs() as logs:
        state = State.open(unusable(tmp_path))
        state.put("key", 1)
        state.flush()
        state.flush()
    assert not state.durable
    assert state.cause is not None
    assert state.cause.startswith(f"the state in {tmp_path / 'taken'} cannot be written: ")
    assert state.get("key") == 1
    assert [line["event"] for line in logs] == ["state_in_memory_only"]
    state.close()


def test_a_folder_that_comes_back_is_taken_up(tmp_path: Path) -> None:
    """The next flush finds it; what was put meanwhile counts, what only the disk knew is there again."""
    folder = unusable(tmp_path)
    state = State.open(folder)
    state.put("new", 2)
    state.put("both", "of this run")
    folder.unlink()
    older = State.open(folder)
    older.put("old", 1)
    older.put("both", "of another run")
    older.close()
    state.flush()
    assert state.durable
    assert state.cause is None
    assert [state.get(key) for key in ("old", "new", "both")] == [1, 2, "of this run"]
    state.close()
    state = reopened(folder)
    assert [state.get(key) for key in ("old", "new", "both")] == [1, 2, "of this run"]
    state.close()


def test_a_folder_that_another_took_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    """It does not end the gateway that runs; the cause says who has it."""
    folder = unusable(tmp_path)
    state = State.open(folder)
    folder.unlink()
    other = State.open(folder)
    state.put("key", 1)
    state.flush()
    assert not state.durable
    assert "another gateway works on" in str(state.cause)
    other.close()
    state.flush()
    assert state.durable
    state.close()


class FullDisk:
    """A connection to a disk without room."""

    def __init__(self) -> None:
        self.full = True

    def __enter__(self) -> None:
        """A transaction begins."""
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")

    def __exit__(self, *_error: object) -> None:
        """It ends."""

    def executemany(self, _statement: str, rows: Any) -> None:
        """Take the rows."""
        self.rows = {key: value for key, value, _ in rows}

    def close(self) -> None:
        """Nothing to close."""


def test_a_write_that_fails_is_told_and_tried_again(folder: Path) -> None:
    """Nothing raises; what changed is still to be written, and is, when there is room."""
    state = State.open(folder)
    assert state._connection is not None
    state._connection.close()
    disk: Any = FullDisk()
    state._connection = disk
    state.put("key", 1)
    state.flush()
    assert not state.durable
    assert "database or disk is full" in str(state.cause)
    state.put("other", 2)
    disk.full = False
    state.flush()
    assert state.durable
    assert disk.rows == {"key": "1", "other": "2"}
    state.close()
