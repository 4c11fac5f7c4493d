"""`edge-gateway service` and `acknowledge`: what a technician types, what is written, what is said."""

from __future__ import annotations

import json
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from gateway.maintenance import FILE, read_orders
from gateway.model import iso_time

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.maintenance import Outage

GATEWAY = "version: 1\ngateway: {id: bench-1}\nbroker: {url: 'mqtt://127.0.0.1:1883'}\n"
PLANT = """\
version: 1
driver: sim
devices:
  press-12:
    tags:
      oil: {address: analog, range: [0, 150], alarms: {hot: {above: 80}}}
      count: {address: counter}
"""
DERIVED = """\
version: 1
devices:
  hall:
    tags:
      heat: {value: "t * 2", inputs: {t: press-12.oil}, alarms: {high: {above: 100}}}
"""


class Bench:
    """A configuration and a state folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self.state = folder / "config", folder / "state"
        (self.config / "connections").mkdir(parents=True)
        self.state.mkdir()
        (self.config / "gateway.yaml").write_text(GATEWAY)
        (self.config / "connections" / "plant.yaml").write_text(PLANT)
        (self.config / "derived.yaml").write_text(DERIVED)
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        code = main([*arguments, "--config", str(self.config), "--state", str(self.state)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def out(self, what: str = "press-12", time: str = "2h", reason: str = "sensor replaced") -> tuple[int, str, str]:
        """Put out of service."""
        return self.run("service", "out", what, "--reason", reason, "--for", time)

    @property
    def orders(self) -> tuple[Outage, ...]:
        """What is written of outages."""
        return read_orders(self.state).out_of_service


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, capsys)


@pytest.mark.parametrize(("time", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200)])
def test_out_writes_who_why_and_until_when(bench: Bench, time: str, seconds: int) -> None:
    """Also by the monotonic clock of this boot."""
    code, said, _ = bench.out(time=time)
    (order,) = bench.orders
    assert code == 0
    assert said.startswith(f"press-12 is out of service until {iso_time(order.until)}; ")
    assert (order.what, order.reason, order.until - order.since) == ("press-12", "sensor replaced", seconds * 10**9)
    assert order.by == pwd.getpwuid(os.getuid()).pw_name
    assert order.boot != ""


def test_the_user_behind_sudo_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the process is root: anybody may set a variable."""
    monkeypatch.setenv("SUDO_USER", "anna")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    bench.out()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    bench.out("press-12.oil")
    assert [order.by for order in bench.orders] == ["anna", pwd.getpwuid(os.getuid()).pw_name]


def test_a_calculated_tag_can_be_out_of_service_too(bench: Bench) -> None:
    """It has a name, values and alarms as any other."""
    assert bench.out("hall.heat")[0] == 0
    assert bench.out("hall.hea")[2].endswith("(did you mean 'hall.heat'?)\n")


def test_in_ends_it_and_list_shows_what_is_out(bench: Bench) -> None:
    """As text for people and as JSON for programs."""
    bench.out("press-12.oil")
    bench.out("press-12")
    code, said, _ = bench.run("service", "in", "press-12.oil")
    assert (code, said.partition(";")[0]) == (0, "press-12.oil is in service again")
    code, said, _ = bench.run("service", "list")
    (order,) = (order for order in bench.orders if order.ended_by is None)
    assert said == f"press-12  until {iso_time(order.until)}  by {order.by}: sensor replaced\n"
    code, said, _ = bench.run("service", "list", "--json")
    assert [one["what"] for one in json.loads(said)["out_of_service"]] == ["press-12"]


def test_list_says_when_there_is_nothing(bench: Bench) -> None:
    """And an empty list in JSON."""
    assert bench.run("service", "list") == (0, "everything is in service\n", "")
    assert json.loads(bench.run("service", "list", "--json")[1]) == {"out_of_service": []}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("service", "out", "pres-12", "--reason", "x", "--for", "2h"),
            "nothing in the configuration is called 'pres-12' (did you mean 'press-12'?)",
        ),
        (
            ("service", "out", "press-12.oli", "--reason", "x", "--for", "2h"),
            "nothing in the configuration is called 'press-12.oli' (did you mean 'press-12.oil'?)",
        ),
        (("service", "out", "press-12", "--reason", " ", "--for", "2h"), "--reason must say something"),
        (("service", "out", "press-12", "--reason", "x", "--for", "2"), "such as 30m, 2h or 3d"),
        (("service", "out", "press-12", "--reason", "x", "--for", "0h"), "such as 30m, 2h or 3d"),
        (("service", "out", "press-12", "--reason", "x", "--for", "31d"), "longer than 30 days"),
        (("service", "in", "press-12"), "'press-12' is not out of service"),
        (("acknowledge", "press-12.oil"), "nothing in the configuration is called 'press-12.oil'"),
        (("acknowledge", "press-12.oil.ht"), "(did you mean 'press-12.oil.hot'?)"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(bench: Bench, arguments: tuple[str, ...], text: str) -> None:
    """Exit code 2, what is wrong and what was meant; nothing is written."""
    code, said, error = bench.run(*arguments)
    assert (code, said) == (2, "")
    assert error.startswith("edge-gateway: ")
    assert text in error
    assert bench.orders == ()


@pytest.mark.parametrize("what", ["press-12", "press-12.oil.hot", "hall", "hall.heat.high"])
def test_an_alarm_is_acknowledged_by_name_or_with_its_device(bench: Bench, what: str) -> None:
    """What the list of alarms shows can be typed as it is."""
    code, said, _ = bench.run("acknowledge", what)
    (order,) = read_orders(bench.state).acknowledgements
    assert (code, order.what) == (0, what)
    assert said.startswith(f"{what} is acknowledged; ")


def test_a_folder_that_cannot_be_used_is_told(bench: Bench) -> None:
    """Exit code 1: the order is fine, the place is not."""
    (bench.state / FILE).write_text("{")
    code, _, error = bench.out()
    assert code == 1
    assert "is damaged" in error
    assert "remove it, then give the orders again" in error
