"""What holds between keys, tags and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.connection import RESERVED_NAMES
from tests.gateway.config.conftest import CONNECTION

if TYPE_CHECKING:
    from tests.gateway.config.conftest import ConfigurationFolder

MODBUS = """\
version: 1
driver: modbus
host: 10.0.0.5
devices:
  {device}:
    tags:
      speed: {{address: "holding:20"}}
"""


def with_tag(tag: str) -> str:
    return CONNECTION.replace("{address: digital}", tag)


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_topics_of_the_gateway_are_no_names(folder: ConfigurationFolder, name: str) -> None:
    """A device or tag called `status` would publish over the gateway's own topic."""
    folder.connection(text=CONNECTION.replace("press-12", name).replace("running", name))
    assert folder.told() == [
        f"connections/press-hall.yaml:4:3: '{name}' cannot be a name: it is a topic of the gateway itself",
        f"connections/press-hall.yaml:7:7: '{name}' cannot be a name: it is a topic of the gateway itself",
    ]


def test_reserved_name_leaves_the_connection_out(folder: ConfigurationFolder) -> None:
    """What fits the models and breaks a rule is not used either."""
    folder.connection(text=CONNECTION.replace("running", "meta"))
    assert folder.load().left_out == ("press-hall",)


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        ("{address: analog, range: [90, 0]}", "7:41: range must begin with its lowest value, but 90 is above 0"),
        ("{address: analog, range: [-1, -1.5]}", "7:41: range must begin with its lowest value, but -1 is above -1.5"),
        ("{address: analog, scale: 0}", "7:41: scale 0 would make all values the same"),
        ("{address: analog, scale: 0.0}", "7:41: scale 0 would make all values the same"),
        (
            "{address: digital, deadband: 1}",
            "7:45: a deadband of 1 or more would hold back every change of a bool (write 0 to send every change)",
        ),
        ("{address: digital, scale: 2}", "7:35: warning: scale has no effect on a tag of type bool"),
        ("{address: text, offset: 2}", "7:32: warning: offset has no effect on a tag of type text"),
        ("{address: text, range: [0, 1]}", "7:32: warning: range has no effect on a tag of type text"),
    ],
)
def test_tag_that_makes_no_sense_is_told(folder: ConfigurationFolder, tag: str, problem: str) -> None:
    """Each value by itself is fine, together they are not."""
    folder.connection(text=with_tag(tag))
    assert folder.told() == [f"connections/press-hall.yaml:{problem}"]


@pytest.mark.parametrize(
    "tag",
    [
        "{address: analog, range: [5, 5]}",
        "{address: analog, scale: -0.1, offset: 0, deadband: 100}",
        "{address: digital, deadband: 0}",
        "{address: digital, deadband: 0.5}",
        "{address: text, deadband: 1}",
    ],
)
def test_tag_that_makes_sense_is_not_told(folder: ConfigurationFolder, tag: str) -> None:
    """No rule is stricter than it must be: a deadband of 0 sends a bool on each change."""
    folder.connection(text=with_tag(tag))
    assert folder.told() == []


def test_warning_does_not_leave_the_connection_out(folder: ConfigurationFolder) -> None:
    """What has no effect does no harm."""
    folder.connection(text=with_tag("{address: digital, scale: 2}"))
    result = folder.load()
    assert result.left_out == ()
    assert result.errors == ()


def test_device_name_belongs_to_one_file(folder: ConfigurationFolder) -> None:
    """Both places are named; the file that comes later is left out."""
    folder.connection("a", MODBUS.format(device="press-1"))
    folder.connection("b", MODBUS.format(device="press-1").replace("10.0.0.5", "10.0.0.6"))
    result = folder.load()
    assert [problem.sentence for problem in result.problems] == [
        "connections/b.yaml:5:3: the device name 'press-1' is already taken in connections/a.yaml:5"
    ]
    assert result.left_out == ("b",)


def test_end_point_belongs_to_one_file(folder: ConfigurationFolder) -> None:
    """Two connections to one small PLC would fight for its few sockets."""
    folder.connection("a", MODBUS.format(device="press-1"))
    folder.connection("b", MODBUS.format(device="press-2"))
    folder.connection("c", MODBUS.format(device="press-3") + "port: 502\n")
    folder.connection("d", MODBUS.format(device="press-4") + "port: 503\n")
    result = folder.load()
    assert [problem.sentence for problem in result.problems] == [
        "connections/b.yaml:3:7: tcp 10.0.0.5:502 is already taken in connections/a.yaml:3",
        "connections/c.yaml:3:7: tcp 10.0.0.5:502 is already taken in connections/a.yaml:3",
    ]
    assert result.left_out == ("b", "c")


def test_pin_belongs_to_one_file(folder: ConfigurationFolder) -> None:
    """A claim that no key at the top of the file shows is told at the driver's name."""
    gpio = "version: 1\ndriver: gpio\npin_factory: mock\ndevices:\n  {}: {{tags: {{door: {{address: GPIO17}}}}}}\n"
    folder.connection("a", gpio.format("cabinet"))
    folder.connection("b", gpio.format("gate"))
    assert folder.told() == ["connections/b.yaml:2:9: gpio 17 is already taken in connections/a.yaml:2"]


def test_broken_file_takes_nothing(folder: ConfigurationFolder) -> None:
    """A file that cannot be read cannot keep others from a device name."""
    folder.connection("a", CONNECTION.replace("analog", "nonsense"))
    result = folder.load()
    assert [problem.file for problem in result.problems] == ["connections/a.yaml"]
    assert result.left_out == ("a",)
