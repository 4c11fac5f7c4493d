from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.gpio.config import GpioConnection, GpioTag
from drivers.gpio.spec import SPEC
from drivers.gpio.wires import Wires
from gateway.collect.plan import devices_of


def connection(devices: dict[str, dict[str, str]], **keys: Any) -> GpioConnection:
    """A connection of devices with tags named to addresses."""
    return GpioConnection.model_validate(
        {
            "version": 1,
            "driver": "gpio",
            "pin_factory": "mock",
            "devices": {
                device: {"tags": {tag: {"address": address} for tag, address in tags.items()}}
                for device, tags in devices.items()
            },
        }
        | keys
    )


def tag(**keys: Any) -> GpioTag:
    return GpioTag.model_validate({"address": "GPIO17"} | keys)


@pytest.mark.parametrize("number", [0, 1, 9, 10, 17, 27])
def test_the_pins_of_the_header_are_accepted(number: int) -> None:
    """GPIO0 to GPIO27, as printed on every pin-out card."""
    assert tag(address=f"GPIO{number}").pin == number


@pytest.mark.parametrize(
    "address", ["GPIO28", "GPIO017", "GPIO", "17", "gpio17", "BOARD11", "GPIO-1", "GPIO17 ", "GPIO1\n"]
)
def test_other_addresses_are_refused_with_the_way_to_write_them(address: str) -> None:
    """The text gives the notation and one example of how header pins and GPIO numbers differ."""
    with pytest.raises(ValidationError, match="write GPIO0 to GPIO27; header pin 11, for one, is GPIO17"):
        tag(address=address)


@pytest.mark.parametrize(
    ("keys", "active_level"),
    [
        ({}, False),
        ({"pull": "up"}, False),
        ({"pull": "down"}, True),
        ({"pull": "up", "active": "high"}, True),
        ({"pull": "down", "active": "low"}, False),
        ({"pull": "none", "active": "low"}, False),
        ({"pull": "none", "active": "high"}, True),
    ],
)
def test_the_level_away_from_the_pull_is_true_unless_said(keys: dict[str, str], *, active_level: bool) -> None:
    """A closed contact pulls the pin away from its resistor, and a closed contact is what people call true."""
    assert tag(**keys).active_level == active_level


def test_a_floating_pin_must_say_its_active_level() -> None:
    """Without a resistor of the processor's there is nothing to conclude it from."""
    with pytest.raises(ValidationError, match="write active: high or low"):
        tag(pull="none")


@pytest.mark.parametrize("key", ["scale", "offset", "deadband"])
def test_numbers_have_no_place_at_a_contact(key: str) -> None:
    """A scaled contact would be published as a float."""
    with pytest.raises(ValidationError, match=f"a contact is true or false: leave {key} out"):
        tag(**{key: 2.0})


@pytest.mark.parametrize("debounce_ms", [-1, 10_001, "10", None])
def test_a_debounce_time_is_a_number_up_to_ten_seconds(debounce_ms: object) -> None:
    """Negative, longer or written as text is an error."""
    with pytest.raises(ValidationError, match="debounce_ms"):
        tag(debounce_ms=debounce_ms)


def test_the_pin_factory_must_be_named() -> None:
    """There is no default, so no plant runs on simulated pins by accident."""
    with pytest.raises(ValidationError, match=r"pin_factory\n  Field required"):
        GpioConnection.model_validate(
            {"version": 1, "driver": "gpio", "devices": {"a": {"tags": {"t": {"address": "GPIO1"}}}}}
        )


@pytest.mark.parametrize("factory", ["rpigpio", "pigpio", "native", "auto", ""])
def test_other_pin_factories_are_refused(factory: str) -> None:
    """Of gpiozero's back ends only lgpio works on every Raspberry Pi with a current kernel."""
    with pytest.raises(ValidationError, match="pin_factory"):
        connection({"a": {"t": "GPIO1"}}, pin_factory=factory)


@pytest.mark.parametrize(
    "devices",
    [
        {"press": {"door": "GPIO17", "guard": "GPIO17"}},
        {"press": {"door": "GPIO17"}, "saw": {"guard": "GPIO17"}},
    ],
)
def test_one_pin_is_one_tag(devices: dict[str, dict[str, str]]) -> None:
    """In one device or in two, the text names both tags."""
    names = [f"{device}.{name}" for device, tags in devices.items() for name in tags]
    with pytest.raises(ValidationError, match=rf"GPIO17 is read twice, by {names[0]} and {names[1]}"):
        connection(devices)


def test_every_pin_is_claimed() -> None:
    """Two files that read one pin are found by the core through these words."""
    config = connection({"press": {"door": "GPIO17"}, "saw": {"guard": "GPIO4"}})
    assert SPEC.claims(config) == {"gpio 17", "gpio 4"}


def test_what_decides_the_value_is_in_the_plan() -> None:
    """Pull, active level and debounce make other numbers of the same wire, so the plan id must change with them."""
    plans = {
        devices_of(
            GpioConnection.model_validate(
                {
                    "version": 1,
                    "driver": "gpio",
                    "pin_factory": "mock",
                    "devices": {"a": {"tags": {"t": {"address": "GPIO1"} | keys}}},
                }
            )
        )[0].plan.id
        for keys in ({}, {"pull": "down"}, {"active": "high"}, {"debounce_ms": 5.0}, {"pull": "up", "active": "low"})
    }
    assert len(plans) == 4


def test_wires_are_no_part_of_what_is_written() -> None:
    """The simulation's handle shows in no dump and in no comparison of what reaches the devices."""
    plain = connection({"press": {"door": "GPIO17"}})
    wired = plain.wired_to(Wires())
    assert wired.wires is not None
    assert plain.wires is None
    assert wired.model_dump() == plain.model_dump()
    assert wired.reached_by() == plain.reached_by()
    with pytest.raises(ValidationError):
        connection({"press": {"door": "GPIO17"}}, wires=1)
