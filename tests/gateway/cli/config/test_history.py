"""`edge-gateway config history`, `rollback`, `diff` and `edge-gateway reload`, with a gateway that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from gateway.config.history import History
from tests.conftest import Mosquitto, Subscriber, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Gateway

    Command = Callable[..., tuple[int, str]]

CONNECTION = "version: 1\ndriver: sim\ndevices:\n  press-12:\n    tags:\n      oil: {address: analog, unit: °C}\n"
MORE = CONNECTION + "      water: {address: analog}\n"


@pytest.fixture
def gateway(gateways: Callable[[str], Gateway], mosquitto: Mosquitto) -> Iterator[Gateway]:
    """A gateway at work."""
    gateway = gateways(mosquitto.url)
    gateway.write("connections/a.yaml", CONNECTION)
    gateway.start()
    wait_until(lambda: any(line["event"] == "ready" for line in gateway.logged()), 20, "ready")
    yield gateway
    assert gateway.process is not None, "the gateway ended"
    assert gateway.process.poll() is None, "the gateway ended"


def options(gateway: Gateway) -> list[str]:
    return ["--config", str(gateway.folder), "--state", str(gateway.state)]


def reload(command: Command, gateway: Gateway) -> tuple[int, str]:
    return command("reload", gateway.folder, "--state", gateway.state)


def test_reload_takes_over_what_is_good_and_keeps_it(command: Command, gateway: Gateway) -> None:
    """What was taken over stands in the history, with its change."""
    gateway.write("connections/a.yaml", MORE)
    code, said = reload(command, gateway)
    assert code == 0, said
    assert said.startswith("reloaded, configuration ")
    entries = json.loads(command("config", "history", "--json", *options(gateway))[1])
    assert [(entry["reason"], entry["files"]) for entry in entries] == [
        ("start", ["connections/a.yaml", "gateway.yaml"]),
        ("reload", ["connections/a.yaml"]),
    ]
    assert "+      water: {address: analog}" in command("config", "history", "2", *options(gateway))[1]


def test_change_of_configuration_is_an_event_at_the_broker(
    command: Command, gateway: Gateway, subscriber: Subscriber
) -> None:
    """Whoever audits the values sees when their configuration changed."""
    gateway.write("connections/a.yaml", MORE)
    assert reload(command, gateway)[0] == 0

    def events() -> list[dict[str, object]]:
        return [event for event in subscriber.payloads("/events") if event.get("event") == "configuration"]

    wait_until(lambda: any(event["reason"] == "reload" for event in events()), 20, "the event")
    (event,) = (event for event in events() if event["reason"] == "reload")
    assert event["files"] == "connections/a.yaml"


def test_mistake_is_told_before_the_gateway_is_asked(command: Command, gateway: Gateway) -> None:
    """It goes on with what it has, and nothing is kept."""
    gateway.write("connections/a.yaml", MORE.replace("address", "adress"))
    code, said = reload(command, gateway)
    assert code == 2
    assert "unknown key 'adress'" in said
    assert said.endswith("not reloaded: mend these first; the gateway goes on with what it has\n")
    assert len(History(gateway.state).entries()) == 1


def test_rollback_brings_the_earlier_files_back_and_loses_nothing(command: Command, gateway: Gateway) -> None:
    """What stood in the folder, even if the gateway never took it over, is kept first; files that came later go."""
    gateway.write("connections/a.yaml", MORE)
    gateway.write("connections/b.yaml", CONNECTION.replace("press-12", "press-13"))
    code, said = command("config", "rollback", "1", *options(gateway))
    assert code == 0, said
    assert (gateway.folder / "connections" / "a.yaml").read_text() == CONNECTION
    assert not (gateway.folder / "connections" / "b.yaml").exists()
    kept = History(gateway.state).files(2)
    assert kept["connections/a.yaml"] == MORE.encode()
    assert "connections/b.yaml" in kept
    assert command("config", "rollback", "1", *options(gateway))[1].startswith("nothing to do")


def test_diff_tells_what_a_reload_would_do(command: Command, gateway: Gateway) -> None:
    """Before anything is done: what stays, what changes, which topics come and go."""
    assert command("config", "diff", *options(gateway)) == (
        0,
        "connection a: stays, misses no reading\nnothing would change\n",
    )
    gateway.write("connections/a.yaml", MORE.replace("press-12", "press-13"))
    code, said = command("config", "diff", "--text", *options(gateway))
    assert code == 1
    assert said.splitlines()[:4] == [
        "connection a: stays open",
        "  device press-12: gone",
        "  device press-13: new",
        "topic appears:    acme/ehv/press-13/alarms",
    ]
    assert "topic is left:    acme/ehv/press-12/meta" in said
    assert "+      water: {address: analog}" in said


def test_without_a_gateway_reload_says_so(command: Command, folder: Path, tmp_path: Path) -> None:
    """And names the state folder it looked at."""
    state = tmp_path / "state"
    said = f"not reloaded: no gateway works on {state}; start it, or name its --state FOLDER\n"
    assert command("reload", folder, "--state", state) == (1, said)


def test_history_of_a_gateway_that_never_ran_is_empty(command: Command, folder: Path, tmp_path: Path) -> None:
    """It says where it looked; a number that is not there is told with the way to the list."""
    state = tmp_path / "state"
    code, said = command("config", "history", "--config", folder, "--state", state)
    assert (code, said.partition(";")[0]) == (0, f"no configuration is kept in {state}/configurations")
    code, said = command("config", "rollback", "7", "--config", folder, "--state", state)
    assert code == 1
    assert said == "not rolled back: no configuration 7 is kept; `edge-gateway config history` lists them\n"


def test_broken_gateway_file_does_not_bar_the_way_back(
    command: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the state folder named; without it, it is said that it must be."""
    names = ("gateway.yaml", "connections/press-hall.yaml")
    files = {name: (folder / name).read_bytes() for name in names}
    History(tmp_path / "state").keep(files, "1", "2026-11-24T10:00:00.000Z", "start")
    (folder / "gateway.yaml").write_text("version 1\n")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    code, said = command("config", "rollback", "1", "--config", folder)
    assert code == 1
    assert said.endswith("does not say which gateway this is: name its --state FOLDER\n")
    assert main(["config", "rollback", "1", "--config", str(folder), "--state", str(tmp_path / "state")]) == 0
    assert (folder / "gateway.yaml").read_bytes() == files["gateway.yaml"]


def test_diff_tells_the_load_of_a_bus_before_and_after(command: Command, gateway: Gateway) -> None:
    """Whoever doubles the readings sees what that does to the link before it is done."""
    meter = (
        "version: 1\ndriver: modbus\nhost: 127.0.0.1\nport: 1\ndevices:\n  m:\n    tags:\n      v: {address: '30001'}\n"
    )
    gateway.write("connections/m.yaml", meter)
    assert reload(command, gateway)[0] == 0
    gateway.write("connections/m.yaml", meter.replace("    tags:", "    period_s: 0.5\n    tags:"))
    told = json.loads(command("config", "diff", "--json", *options(gateway))[1])
    busy = told["busy"]["m"]
    assert busy["after"] == pytest.approx(2 * busy["before"], rel=0.1)
