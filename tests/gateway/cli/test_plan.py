from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.cli.main import main
from gateway.collect.learned import Learned
from gateway.collect.plan import devices_of
from gateway.config.load import load
from gateway.driver import Span
from gateway.state import State

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = "version: 1\ngateway: {id: press-hall-1}\nbroker: {url: mqtt://127.0.0.1:1883}\n"
BUS = """version: 1
driver: modbus
transport: rtu
port: /dev/ttyAMA0
baudrate: 9600
devices:
  main-meter:
    unit_id: 1
    period_s: 1
    tags:
      voltage: {address: "input:0", type: float32}
      energy: {address: "30073", type: float32, period_s: 60}
  press:
    unit_id: 2
    tags:
      speed: {address: "holding:20"}
      count: {address: "holding:21"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of one bus."""
    (tmp_path / "connections").mkdir()
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    (tmp_path / "connections" / "bus.yaml").write_text(BUS)
    return tmp_path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that no gateway works on."""
    return tmp_path / "state"


def learn(folder: Path, state: Path) -> None:
    """Leave behind what a gateway would have learned of the press."""
    configuration = load(folder).configuration
    assert configuration is not None
    (connection,) = configuration.connections
    kept = State.open(state)
    learned = Learned(kept, connection.config.reached_by())
    press = devices_of(connection.config)[1]
    lessons = learned.of(press)
    lessons.refuse(Span("holding", 21, 21), "exception 02")
    learned.keep(press, lessons)
    kept.close()


def test_each_request_is_a_line_of_eighty_columns(
    folder: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With both notations of its addresses, its bytes, its time on this bus, and its period."""
    assert main(["plan", str(folder), "--state", str(state)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("bus: 3 requests, ")
    assert lines[1].split() == ["device", "request", "documented", "tags", "bytes", "time", "period"]
    assert lines[2].split()[:5] == ["main-meter", "input:0-1", "30001-30002", "1", "17"]
    assert [line.split()[1] for line in lines[2:5]] == ["input:0-1", "input:72-73", "holding:20-21"]
    assert lines[5].startswith("slowest: main-meter.energy, up to 60.0 s old")


def test_a_link_without_room_is_warned_of_and_not_refused(
    folder: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above 80 percent of its time; it is the engineer who decides."""
    (folder / "connections" / "bus.yaml").write_text(BUS.replace("period_s: 1\n", "period_s: 0.04\n"))
    assert main(["plan", str(folder), "--state", str(state)]) == 0
    out = capsys.readouterr().out
    assert "warning:" in out
    assert "of the link's time is taken" in out
    assert max(map(len, out.splitlines())) <= 80


def test_what_a_device_refuses_is_shown_and_can_be_forgotten(
    folder: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan goes around it; after forgetting it is one request again."""
    learn(folder, state)
    main(["plan", str(folder), "--state", str(state)])
    out = capsys.readouterr().out
    assert "refused: press holding:21, which is read alone and seldom" in out
    assert "holding:20 " in out
    assert main(["plan", str(folder), "--state", str(state), "--forget", "press"]) == 0
    main(["plan", str(folder), "--state", str(state)])
    assert "holding:20-21" in capsys.readouterr().out


def test_nothing_is_forgotten_where_nothing_was_learned(
    folder: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device name that is misspelt is noticed."""
    assert main(["plan", str(folder), "--state", str(state), "--forget", "pres"]) == 1
    assert "nothing was learned of a device 'pres'" in capsys.readouterr().err


def test_under_a_running_gateway_nothing_is_forgotten_but_all_is_shown(
    folder: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds what it learned, and would write it again."""
    learn(folder, state)
    running = State.open(state)
    assert main(["plan", str(folder), "--state", str(state), "--forget", "press"]) == 1
    assert "Stop the gateway" in capsys.readouterr().err
    assert main(["plan", str(folder), "--state", str(state)]) == 0
    assert "refused: press holding:21" in capsys.readouterr().out
    running.close()


def test_programs_get_one_json_object(folder: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times in seconds, tags by name, what was learned with its reason."""
    learn(folder, state)
    assert main(["plan", str(folder), "--state", str(state), "--json"]) == 0
    (bus,) = json.loads(capsys.readouterr().out)["connections"]
    first: dict[str, Any] = bus["requests"][0]
    assert (first["asks"], first["tags"], first["period_s"]) == ("input:0-1", ["voltage"], 1.0)
    assert bus["refused"] == {"press": {"holding:21": "exception 02"}}
    assert 0 < bus["busy"] < 1
    assert bus["slowest"]["tag"] == "main-meter.energy"


def test_files_with_mistakes_have_no_plan(folder: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mistakes are told instead."""
    (folder / "gateway.yaml").write_text("version: 1\n")
    assert main(["plan", str(folder), "--state", str(state)]) == 2
    assert "gateway.yaml" in capsys.readouterr().err


def test_a_driver_without_requests_says_so(folder: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Listening drivers have none."""
    sim = "version: 1\ndriver: sim\ndevices: {a: {tags: {x: {address: sine}}}}\n"
    (folder / "connections" / "bus.yaml").write_text(sim)
    main(["plan", str(folder), "--state", str(state)])
    out = capsys.readouterr().out
    assert "it has no read plan" in out or out == ""
