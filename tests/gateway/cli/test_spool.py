"""`edge-gateway spool`: looking beside a running gateway, exporting whole, purging never silently."""

from __future__ import annotations

import argparse
import csv
import io
import json
import struct
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from gateway.cli import spool
from gateway.model import Notice, Quality, Run
from gateway.outbox.cursor import Cursor
from gateway.outbox.entry import Entry
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from pathlib import Path

RUN = "000001-8c1f9a3e"
FLOAT32 = struct.Struct("f")


def opened(state: Path, clock: ManualClock | None = None) -> Spool:
    with capture_logs():
        return Spool.open(state / "spool", clock or ManualClock(), Room(10**9))


def entries(first: int, how_many: int) -> list[Entry]:
    clock = ManualClock()
    clock.advance(first)
    made = []
    for seq in range(first, first + how_many):
        batch = sample_batch(sample_plan(), [FLOAT32.unpack(FLOAT32.pack(seq / 10))[0], True, seq], clock.now())
        made.append(Entry("press-12", RUN, seq, batch, history=False))
        clock.advance(1)
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What a gateway left: ninety batches of one second each in some files, the first ten of them settled."""
    kept = Spool.open(tmp_path / "spool", ManualClock(), Room(10**9, segment_bytes=1500))
    for first in range(1, 91, 10):
        kept.write([kept.encode(entries(first, 10))])
    kept.save(Cursor(10, settled=((12, 14),)))
    kept.close(clean=True)
    return tmp_path


def run(state: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    spool.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["spool", *arguments, "--state", str(state)])
    code: int = args.main(args)
    return code


def snapshot(state: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (state / "spool").iterdir()}


def waiting_numbers(state: Path) -> list[int]:
    outbox_spool = opened(state)
    found = outbox_spool.take_found()
    assert found is not None
    settled = [number for first, last in found.settled for number in range(first, last)]
    numbers = []
    while loaded := outbox_spool.read():
        numbers += [entry.seq for ordinal, entry in loaded.entries if ordinal not in settled]
    outbox_spool.close(clean=True)
    return numbers


def test_show_tells_size_age_and_rate(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In 80 columns: 78 of the ninety wait, ten were delivered in order and two out of order."""
    assert run(state, "show") == 0
    out = capsys.readouterr().out
    assert "waiting  78 batches" in out
    assert "oldest   2026-11-24T10:15:11.250Z" in out
    assert "newest   2026-11-24T10:16:30.250Z" in out
    assert "rate     0.987 a second" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_show_as_json_says_the_same(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, for programs; the rate is what an outage adds a second."""
    assert run(state, "show", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["waiting"] == 78
    assert told["rate"] == pytest.approx(78 / 79)
    assert told["in_use"] is False
    assert told["bytes"] == sum(len(c) for n, c in snapshot(state).items() if n.endswith(".spool"))
    assert told["oldest"] == "2026-11-24T10:15:11.250Z"
    assert told["gaps"] == 0
    assert told["aside"] == []


def test_list_names_each_file(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in it, and how much of that waits; together what `show` says."""
    assert run(state, "list", "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) > 1
    assert sum(file["waiting"] for file in files) == 78
    assert all(file["made"] == "2026-11-24T10:15:00.250Z" for file in files)
    assert run(state, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(files)
    assert all(len(line) <= 80 for line in lines)


def test_json_lines_are_what_would_be_published(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every batch that waits, in its order, marked as history; none that is settled."""
    assert run(state, "export") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["seq"] for one in told] == [11, 12, *range(15, 91)]
    assert told[0]["values"] == {"temperature": 1.1, "running": True, "count": 11}
    assert told[0]["history"] is True


def test_the_table_has_a_row_a_value(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 4180, with names, units and qualities; into a new file only."""
    file = tmp_path / "export.csv"
    assert run(state, "export", "--format", "csv", "--out", str(file)) == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert len(rows) == 3 * 78
    assert rows[0] == {
        "time": "2026-11-24T10:15:11.250Z",
        "clock": "synced",
        "device": "press-12",
        "tag": "temperature",
        "value": "1.1",
        "unit": "°C",
        "quality": "good",
        "run": RUN,
        "seq": "11",
        "plan": sample_plan().id,
    }
    assert rows[1]["value"] == "true"
    assert run(state, "export", "--out", str(file)) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_bad_value_is_an_empty_cell_and_an_event_its_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that waits is left out of the table."""
    kept = opened(tmp_path)
    batch = sample_batch(sample_plan(), [None, True, 1])
    batch.quality[0] = Quality.NO_REPLY
    event = Notice("events", {"event": "topic_refused", "code": 135}, ManualClock().now())
    kept.write(
        [
            kept.encode(
                [Entry("press-12", RUN, 1, batch, history=False), Entry("_gateway", RUN, 1, event, history=False)]
            )
        ]
    )
    kept.close(clean=True)
    assert run(tmp_path, "export", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (rows[0]["value"], rows[0]["quality"]) == ("", "bad:no_reply")
    assert (rows[3]["tag"], json.loads(rows[3]["value"])) == ("events", {"event": "topic_refused", "code": 135})


@pytest.mark.parametrize("verb", ["show", "list", "export", "purge"])
def test_nothing_but_a_confirmed_purge_changes_the_folder(state: Path, verb: str) -> None:
    """Not a byte, and no file more or less; an unconfirmed purge is refused."""
    before = snapshot(state)
    assert run(state, verb) == (2 if verb == "purge" else 0)
    assert snapshot(state) == before


def test_looking_works_beside_a_running_gateway(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds the folder and writes on; show, list and export read what is there, and purge refuses."""
    gateway = opened(state)
    gateway.write([gateway.encode(entries(91, 5))])
    assert run(state, "show", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["in_use"] is True
    assert told["waiting"] == 83
    assert run(state, "export") == 0
    assert len(capsys.readouterr().out.splitlines()) == 83
    before = snapshot(state)
    assert run(state, "purge", "--yes") == 1
    assert "not purged: a gateway works on the spool; stop it first" in capsys.readouterr().err
    assert snapshot(state) == before
    gateway.write([gateway.encode(entries(96, 5))])
    gateway.close(clean=True)


async def test_what_was_purged_is_told_as_a_gap(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No reading is lost silently, not even by hand: device, from, to, how many, reason `purged`."""
    assert run(state, "purge", "--yes") == 0
    assert capsys.readouterr().out.startswith("78 batches and records deleted")
    assert [name for name in snapshot(state) if name.endswith(".spool")] == []
    clock = ManualClock()
    outbox = Outbox(Run(2, "8c1f9a3e", ""), clock, opened(state, clock))
    await outbox.tend()
    entry = await outbox.take()
    assert isinstance(entry.item, Notice)
    assert entry.item.body == {
        "device": "press-12",
        "from": "2026-11-24T10:15:11.250Z",
        "to": "2026-11-24T10:16:30.250Z",
        "count": 78,
        "reason": "purged",
    }
    await outbox.close()


def test_after_a_purge_ordinals_go_on(state: Path) -> None:
    """What the next gateway writes is read back, and nothing old with it."""
    run(state, "purge", "--yes")
    gateway = opened(state)
    assert gateway.write([gateway.encode(entries(200, 3))]) == 90
    gateway.close(clean=False)
    assert waiting_numbers(state) == [200, 201, 202]


def test_a_purge_asks_where_somebody_can_answer(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the word `yes` goes on."""
    for answer, code in (("no\n", 2), ("\n", 2), ("yes\n", 0)):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        assert run(state, "purge") == code
    assert "Type yes to go on" in capsys.readouterr().out


def test_files_of_a_newer_format_are_named_and_kept(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are nobody's to purge but the release's that wrote them."""
    newer = state / "spool" / "00000900-000000000100-0.v2.spool"
    newer.write_bytes(b"of tomorrow")
    assert run(state, "show") == 0
    assert "1 files of another format" in capsys.readouterr().out
    assert run(state, "purge", "--yes") == 0
    assert newer.read_bytes() == b"of tomorrow"


def test_damage_is_passed_over(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A spool that was hit is exported as far as it is whole."""
    files = sorted(name for name in snapshot(state) if name.endswith(".spool"))
    data = bytearray((state / "spool" / files[1]).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (state / "spool" / files[1]).write_bytes(data)
    assert run(state, "export") == 0
    count = len(capsys.readouterr().out.splitlines())
    assert 78 - 11 <= count < 78


def test_a_folder_without_a_spool_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With where it was looked for, and what to do."""
    assert run(tmp_path / "nowhere", "show") == 1
    assert f"no spool in {tmp_path}/nowhere/spool" in capsys.readouterr().err


def test_the_folder_follows_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --state it is the one that `run` would take; without a good gateway.yaml it must be named."""
    (tmp_path / "gateway.yaml").write_text("version: 1\ngateway: {id: hall-1}\nbroker: {url: mqtt://127.0.0.1}\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    opened(tmp_path / "home" / "edge-gateway" / "hall-1").close(clean=True)
    parser = argparse.ArgumentParser()
    spool.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["spool", "show", str(tmp_path)])
    assert args.main(args) == 0
    assert "waiting  0 batches" in capsys.readouterr().out
    (tmp_path / "gateway.yaml").unlink()
    assert args.main(args) == 2
    assert "--state FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59, "59 s"), (3600, "1 h"), (11_520, "3 h 12 min"), (90_061, "1 d 1 h"), (-5, "0 s")],
)
def test_an_age_is_told_in_two_units(seconds: float, text: str) -> None:
    """As people say it; a clock that went back makes no negative age."""
    assert spool._duration(seconds) == text
