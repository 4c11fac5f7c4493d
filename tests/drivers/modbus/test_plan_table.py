from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.modbus.cost import link_cost
from drivers.modbus.spec import SPEC
from gateway.collect.plan import devices_of
from gateway.driver import Cut

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import MakeConnection

TAGS = {
    "pressure": {"address": "holding:100", "type": "float32"},
    "level": {"address": "40103"},
    "running": {"address": "coil:12", "period_s": 5.0},
}


def test_each_request_is_told_as_it_stands_on_the_wire_and_in_manuals(make_connection: MakeConnection) -> None:
    """With its tags, its period, its bytes and the time it takes."""
    config = make_connection(connections=2, devices={"press": {"tags": TAGS, "period_s": 2.0}})
    plan = SPEC.planned(config, devices_of(config), {})
    registers, coils = plan.requests
    assert registers[:5] == ("press", "holding:100-102", "40101-40103", ("pressure", "level"), 2.0)
    assert coils[:5] == ("press", "coil:12", "00013", ("running",), 5.0)
    assert (registers.frame_bytes, coils.frame_bytes) == (12 + 9 + 6, 12 + 9 + 1)
    assert registers.busy_s == pytest.approx(link_cost(config).time_s(6))
    assert plan.at_once == 2


def test_what_a_device_refuses_is_planned_around(make_connection: MakeConnection) -> None:
    """As the gateway does it."""
    config = make_connection(devices={"press": {"tags": TAGS}})
    plan = SPEC.planned(config, devices_of(config), {"press": [Cut("holding", 102)]})
    assert [request.asks for request in plan.requests] == ["holding:100-101", "holding:102", "coil:12"]
