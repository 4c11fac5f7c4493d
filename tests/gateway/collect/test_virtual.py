"""From derived.yaml to plans: names, units, types, periods, and what a reload leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.derived import DerivedConfig
from gateway.config.schema import Configuration, Connection, GatewayConfig
from gateway.registry import driver_spec

GATEWAY = GatewayConfig.model_validate({"version": 1, "gateway": {"id": "g"}, "broker": {"url": "mqtt://127.0.0.1"}})
TAGS = {
    "power": {"address": "analog", "unit": "kW", "period_s": 5},
    "mode": {"address": "text"},
    "speed": {"address": "analog", "unit": "m/s", "publish_as": "km/h"},
}


def configuration(derived: dict[str, Any] | None, tags: dict[str, Any] | None = None) -> Configuration:
    spec = driver_spec("sim")
    written = {"version": 1, "driver": "sim", "devices": {"m": {"period_s": 2, "tags": tags or TAGS}}}
    connection = Connection("c", Path("connections/c.yaml"), spec, spec.connection.model_validate(written))
    config = DerivedConfig.model_validate({"version": 1, "devices": derived}) if derived else None
    return Configuration(Path(), GATEWAY, (connection,), config)


FORMULA = {"inputs": {"p": "m.power", "s": "m.speed"}, "value": "p + s"}
WINDOW = {"source": "m.power", "window": "15min", "take": ["mean", "count"]}


def test_a_formula_is_a_tag_with_its_formula_as_address() -> None:
    """So its description tells where a number comes from, and the plan's id changes with it."""
    (virtual,) = virtual_devices_of(configuration({"hall": {"tags": {"t": {**FORMULA, "unit": "kW"}}}}))
    (tag,) = virtual.device.plan.tags
    assert (tag.name, tag.address, tag.type, tag.unit) == ("t", "p + s", "float64", "kW")
    assert tag.parameters == (("p", "m.power"), ("s", "m.speed"))
    (other,) = virtual_devices_of(configuration({"hall": {"tags": {"t": {**FORMULA, "value": "p - s"}}}}))
    assert other.device.plan.id != virtual.device.plan.id


def test_the_period_of_a_formula_is_its_own_or_that_of_its_fastest_input() -> None:
    """What comes out as often as that is what other parts may expect."""
    slow = {**FORMULA, "period_s": 60}
    (virtual,) = virtual_devices_of(configuration({"hall": {"tags": {"t": FORMULA, "u": slow}}}))
    assert [tag.period_s for tag in virtual.device.plan.tags] == [2.0, 60.0]
    assert virtual.device.timing.period_s == 2.0


def test_a_window_makes_a_tag_for_each_take_and_for_the_good_part() -> None:
    """Each with the unit and the type of what it is."""
    window = {
        "source": "m.power",
        "window": "1h",
        "take": ["mean", "time_in_state", "last"],
        "states": {"on": 1, "off": 0},
    }
    whole = configuration({"hall": {"windows": {"w": window}}})
    source = devices_of(whole.connections[0].config)[0].plan.tags[0]
    (virtual,) = virtual_devices_of(whole)
    assert [(tag.name, tag.unit, tag.type) for tag in virtual.device.plan.tags] == [
        ("w_mean", "kW", "float64"),
        ("w_last", "kW", source.type),
        ("w_on_s", "s", "float64"),
        ("w_off_s", "s", "float64"),
        ("w_good_percent", "%", "float64"),
    ]
    assert all(tag.address == "m.power" for tag in virtual.device.plan.tags)
    assert virtual.device.plan.tags[2].parameters == (("state", "1"), ("take", "time_in_state"), ("window", "1h"))


def test_a_window_has_the_unit_in_which_its_source_is_published() -> None:
    """Windows see values after conversion."""
    (virtual,) = virtual_devices_of(configuration({"hall": {"windows": {"w": {**WINDOW, "source": "m.speed"}}}}))
    assert [tag.unit for tag in virtual.device.plan.tags] == ["km/h", None, "%"]


def test_a_window_may_be_published_in_another_unit() -> None:
    """The conversion is for the values, not for their count or their good part."""
    takes = ["mean", "count", "time_in_state"]
    window = {**WINDOW, "unit": "kW", "publish_as": "W", "take": takes, "states": {"off": 0}}
    (virtual,) = virtual_devices_of(configuration({"hall": {"windows": {"w": window}}}))
    assert [(tag.unit, tag.scale) for tag in virtual.device.plan.tags] == [
        ("W", 1000.0),
        (None, 1.0),
        ("s", 1.0),
        ("%", 1.0),
    ]


def test_the_configuration_has_an_entry_for_each_tag_of_the_plan() -> None:
    """Alarms and texts are looked up there, for virtual devices as for any other."""
    derived = {"hall": {"description": "adds up", "tags": {"t": FORMULA}, "windows": {"w": WINDOW}}}
    (virtual,) = virtual_devices_of(configuration(derived))
    assert list(virtual.device.config.tags) == [tag.name for tag in virtual.device.plan.tags]
    assert virtual.device.config.description == "adds up"


def test_positions_are_those_in_the_plan() -> None:
    """Formulas first, then windows, in the order of the file."""
    (virtual,) = virtual_devices_of(configuration({"hall": {"windows": {"w": WINDOW}, "tags": {"t": FORMULA}}}))
    names = [tag.name for tag in virtual.device.plan.tags]
    assert [names[one.position] for one in virtual.formulas] == ["t"]
    assert [names[position] for position, _ in virtual.windows[0].takes] == [
        take.name for _, take in virtual.windows[0].takes
    ]


def test_what_did_not_change_is_the_same_object() -> None:
    """So its pipeline, its numbering and its memory go on."""
    derived = {"hall": {"tags": {"t": FORMULA}}, "yard": {"windows": {"w": WINDOW}}}
    before = virtual_devices_of(configuration(derived))
    changed = {**derived, "yard": {"windows": {"w": {**WINDOW, "take": ["mean"]}}}}
    after = virtual_devices_of(configuration(changed), before)
    assert after[0] is before[0]
    assert after[1] is not before[1]


def test_without_derived_yaml_there_are_no_virtual_devices() -> None:
    """And none are made up."""
    assert virtual_devices_of(configuration(None)) == []
    assert len(devices_of(configuration(None).connections[0].config)) == 1
