"""The kept configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config.history import FOLDER, MOST_KEPT, History, HistoryError, changed_files, difference

if TYPE_CHECKING:
    from pathlib import Path

TIME = "2026-11-24T10:00:00.000Z"


def keep(history: History, number: int) -> None:
    history.keep({"gateway.yaml": b"%d" % number}, str(number), TIME, "reload")


def test_what_was_kept_comes_back_whole(tmp_path: Path) -> None:
    """Every byte, whatever it is."""
    files = {"gateway.yaml": bytes(range(256)), "connections/é.yaml": b""}
    accepted = History(tmp_path).keep(files, "abc", TIME, "start")
    assert accepted is not None
    assert History(tmp_path).files(accepted.number) == files
    assert History(tmp_path).entries() == [accepted]


def test_same_configuration_is_kept_once(tmp_path: Path) -> None:
    """A gateway that starts a hundred times has one entry."""
    history = History(tmp_path)
    keep(history, 1)
    assert history.keep({}, "1", TIME, "start") is None
    assert len(history.entries()) == 1


def test_only_the_newest_are_kept_and_numbers_go_on(tmp_path: Path) -> None:
    """The oldest goes first; a number never means another configuration later."""
    history = History(tmp_path)
    for number in range(1, MOST_KEPT + 4):
        keep(history, number)
    assert [entry.number for entry in history.entries()] == list(range(4, MOST_KEPT + 4))
    with pytest.raises(HistoryError, match="no configuration 3 is kept"):
        history.files(3)


def test_damaged_entry_harms_only_itself(tmp_path: Path) -> None:
    """Each byte that a card may lose: the others are listed and read, and the next is kept."""
    history = History(tmp_path)
    keep(history, 1)
    keep(history, 2)
    damaged = tmp_path / FOLDER / "000002.zip"
    whole = damaged.read_bytes()
    for place in range(len(whole)):
        damaged.write_bytes(whole[:place])
        assert [entry.number for entry in history.entries()][:1] == [1]
        assert history.files(1) == {"gateway.yaml": b"1"}
    with pytest.raises(HistoryError, match="configuration 2 cannot be read"):
        history.files(2)
    keep(history, 3)
    assert [entry.number for entry in history.entries()] == [1, 3]


def test_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    """A changed file is never handed out as if it were right."""
    history = History(tmp_path)
    files = {"gateway.yaml": b"version: 1\n" * 20}
    history.keep(files, "1", TIME, "start")
    path = tmp_path / FOLDER / "000001.zip"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            read = history.files(1)
        except HistoryError:
            continue
        assert read.get("gateway.yaml", files["gateway.yaml"]) == files["gateway.yaml"], place


def test_difference_names_files_and_lines() -> None:
    """New, gone and changed files, in one diff."""
    before = {"a.yaml": b"x: 1\n", "b.yaml": b"y: 1\n", "same": b"z"}
    after = {"a.yaml": b"x: 2\n", "c.yaml": b"w: 1\n", "same": b"z"}
    assert changed_files(before, after) == ["a.yaml", "b.yaml", "c.yaml"]
    lines = list(difference(before, after))
    assert [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        "-x: 1",
        "+x: 2",
        "-y: 1",
        "+w: 1",
    ]
