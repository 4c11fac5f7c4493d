"""The demo as a program: a whole plant in one process, and what arrives from its broker."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config.files import example_folder
from tests.conftest import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Mosquitto

DEMO = [sys.executable, "-m", "gateway.cli", "demo"]


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *arguments], capture_output=True, text=True, timeout=90, check=False)


def arrived(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {f"{tag['device']}/{tag['tag']}": tag for tag in json.loads(done.stdout)["tags"]}


def test_every_tag_of_the_shipped_configuration_arrives() -> None:
    """Modbus, OPC UA and pins, by the embedded broker: values with units, all of them good."""
    done = run_demo("--seconds", "8", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    tags = arrived(done)
    assert len(tags) == 24
    assert {tag["quality"] for tag in tags.values()} == {"good"}
    assert all(tag["count"] >= 1 for tag in tags.values())
    assert tags["main-meter/voltage_l1"]["unit"] == "V"
    assert 180 < tags["main-meter/voltage_l1"]["value"] < 280
    assert isinstance(tags["cabinet/door_closed"]["value"], bool)


@pytest.mark.mosquitto
def test_a_broker_of_ones_own_serves_as_well(mosquitto: Mosquitto) -> None:
    """The same plant by a real broker, with MQTT 5."""
    done = run_demo(str(example_folder()), "--broker", mosquitto.url, "--seconds", "8", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(arrived(done)) == 24


def test_a_broker_that_is_not_there_is_named() -> None:
    """No traceback, no endless wait."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    done = run_demo("--broker", url, "--seconds", "5", "--json")
    assert done.returncode == 1
    assert done.stderr == f"cannot subscribe at {url}: is the broker running, and does it let everybody in?\n"


def test_a_tag_that_does_not_arrive_is_named_and_ends_with_1(plant: Path) -> None:
    """A dead device among good ones: scripts see it by the exit code."""
    done = run_demo(str(plant), "--seconds", "4", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["missing"] == ["dead/count"]
    assert arrived(done)["dead/count"]["quality"] == "bad:no_reply"
    assert arrived(done)["alive/count"]["quality"] == "good"


def test_a_mistake_in_a_file_is_shown_with_its_place(plant: Path) -> None:
    """As `check` shows it."""
    (plant / "gateway.yaml").write_text("version: 1\ngateway: {id: x}\nbroker: {urll: mqtt://127.0.0.1}\n")
    done = run_demo(str(plant), "--seconds", "1")
    assert done.returncode == 2
    assert "gateway.yaml:3:10: unknown key 'urll' (did you mean 'url'?)" in done.stderr


def test_the_table_shows_tag_value_unit_and_age(plant: Path) -> None:
    """In a terminal of 80 columns."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
    process = subprocess.Popen([*DEMO, str(plant), "--seconds", "4"], stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    shown = _all_of(leader)
    process.wait(60)
    for word in ("alive", "level", "bar", "good", "bad:no_reply", "messages", "did not arrive: dead/count"):
        assert word in shown


def _all_of(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # the other end of a pty is gone
        os.close(descriptor)
    return b"".join(parts).decode(errors="replace")


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A configuration of one device that answers and one that does not."""
    (tmp_path / "connections").mkdir()
    (tmp_path / "gateway.yaml").write_text("version: 1\ngateway: {id: bench}\nbroker: {url: mqtt://127.0.0.1}\n")
    (tmp_path / "connections" / "plant.yaml").write_text(
        "version: 1\ndriver: sim\ndefaults: {period_s: 0.5, timeout_s: 0.2}\ndevices:\n"
        "  alive: {tags: {count: {address: counter}, level: {address: analog, unit: bar}}}\n"
        "  dead: {fault: dead, tags: {count: {address: counter}}}\n"
    )
    return tmp_path
