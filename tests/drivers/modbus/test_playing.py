from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from drivers.modbus.address import HOLDING
from drivers.modbus.decode import Placed, decoder_of
from drivers.modbus.playing import octets_of
from drivers.modbus.tag import ModbusTag


def played(key: str = "press.oil_temperature", time_s: float = 1000.0, **keys: Any) -> Any:
    """What the driver would show of a simulated tag."""
    tag = ModbusTag.model_validate({"address": "holding:0"} | keys)
    octets = octets_of(tag, key, time_s)
    assert len(octets) == 2 * tag.span
    decoded = decoder_of(HOLDING, [Placed(0, tag)], tag.span)(octets)
    assert decoded.quality is None
    return decoded.values[0]


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize("name", ["uint32", "int64", "float32", "float64", "bcd32", "bcd64"])
def test_numbers_follow_their_unit(name: str, order: str) -> None:
    """In every type and order."""
    assert 225 <= played(type=name, order=order, unit="V") <= 235


@pytest.mark.parametrize("name", ["uint16", "int16", "float16", "bcd16"])
def test_numbers_stay_within_their_type(name: str) -> None:
    """100 000 Pa fit into none of these."""
    assert 0 <= played(type=name, unit="Pa") <= 65535


def test_other_values_are_plausible() -> None:
    """A text that names the tag, bytes that count, a clock that goes, states, and bits within their limits."""
    assert played(type="string", length=16) == "oil_temperature"
    assert played(type="string", length=3) == "oil"
    assert played(type="bytes", length=4) == "000003e8"
    assert played(type="bytes", length=1) == "e8"
    assert played(address="holding:0.3") in {True, False}
    assert 0 <= played(address="holding:0.4-7") <= 15
    assert -128 <= played(address="holding:0.high", type="int8") <= 127


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("cp56time2a", {}),
        ("s7_date_and_time", {"utc_offset": "+01:00"}),
        ("s7_dtl", {}),
        ("ymdhms", {}),
        ("unix32", {}),
        ("unix64", {}),
        ("unix64_ms", {}),
    ],
)
def test_clocks_go(name: str, keys: dict[str, str]) -> None:
    """An hour later it is an hour later."""
    first, later = (datetime.fromisoformat(played(type=name, time_s=time_s, **keys)) for time_s in (0.0, 3600.0))
    assert (later - first).total_seconds() == 3600
