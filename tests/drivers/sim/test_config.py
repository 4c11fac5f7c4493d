from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.sim.config import Plug, SimConnection, SimTag
from drivers.sim.spec import SPEC


def connection(**keys: Any) -> SimConnection:
    tags = {"t": {"address": "analog"}}
    return SimConnection.model_validate(
        {"version": 1, "driver": "sim", "devices": {"press": {"tags": tags}, "saw": {"tags": tags}}} | keys
    )


@pytest.mark.parametrize(
    ("address", "data_type"),
    [
        ("analog", "float"),
        ("digital", "bool"),
        ("text", "text"),
        ("counter", "int"),
        ("constant:42.5", "float"),
        ("constant:42", "int"),
        ("constant:-1e3", "float"),
        ("constant:true", "bool"),
        ("constant:false", "bool"),
        ("constant:idle", "text"),
        ("constant:", "text"),
    ],
)
def test_the_signal_decides_the_type(address: str, data_type: str) -> None:
    """A constant has the type that its text looks like."""
    assert SimTag(address=address).data_type() == data_type


@pytest.mark.parametrize("address", ["", "sine", "Analog", "constant", "counter:1"])
def test_an_unknown_signal_is_refused_with_the_known_ones(address: str) -> None:
    """The text lists what can be written."""
    with pytest.raises(ValidationError, match="write analog, digital, text, counter or constant: and a value"):
        SimTag(address=address)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999"])
def test_a_constant_is_finite(text: str) -> None:
    """No device yields NaN or infinity, so none is simulated."""
    with pytest.raises(ValidationError, match="no value that a device can send"):
        SimTag(address=f"constant:{text}")


def test_an_unknown_fault_is_refused() -> None:
    """Faults are a closed set."""
    with pytest.raises(ValidationError, match="fault"):
        connection(devices={"press": {"fault": "broken", "tags": {"t": {"address": "analog"}}}})


def test_every_device_is_claimed() -> None:
    """Two files that simulate one device are found by the core through these words."""
    assert SPEC.claims(connection()) == {"sim press", "sim saw"}


def test_taking_the_link_down_is_a_change_of_the_transport() -> None:
    """So a reload closes and opens the connection; a new fault of a device does not."""
    assert connection(link="down").reached_by() != connection().reached_by()
    faulty = connection(devices={"press": {"fault": "dead", "tags": {"t": {"address": "analog"}}}})
    assert faulty.reached_by() == connection().reached_by()


def test_a_plug_is_no_part_of_what_is_written() -> None:
    """The simulation's handle shows in no dump and in no comparison of what reaches the devices."""
    plugged = connection().plugged_into(Plug())
    assert plugged.plug is not None
    assert connection().plug is None
    assert plugged.model_dump() == connection().model_dump()
    assert plugged.reached_by() == connection().reached_by()
