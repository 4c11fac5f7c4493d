from __future__ import annotations

from typing import Any

import pytest

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.simulator import simulate
from gateway.collect.plan import devices_of
from gateway.driver import NoReply
from gateway.testing import ManualClock

REACH: dict[str, dict[str, Any]] = {
    "tcp": {"host": "plc-7"},
    "tls": {"host": "plc-7", "tls": {"ca": "/etc/plant-ca.pem"}},
    "rtu": {"port": "/dev/ttyAMA0", "rs485": {}, "local_echo": "discard", "baudrate": 9600},
    "rtu_over_tcp": {"host": "converter", "port": 4001, "local_echo": "discard"},
}
UNITS = {
    name: {"unit_id": unit, "timeout_s": 20.0, "tags": {"u": {"address": "input:0", "type": "float32", "unit": "V"}}}
    for name, unit in (("one", 1), ("two", 2))
}


@pytest.mark.parametrize("transport", REACH)
async def test_each_transport_is_played(transport: str) -> None:
    """The same file that reaches the plant reaches its simulation, with two units behind it."""
    written = ModbusConnection.model_validate(
        {"version": 1, "driver": "modbus", "transport": transport, "devices": UNITS, **REACH[transport]}
    )
    async with simulate(written) as config:
        assert config.transport == transport
        driver = ModbusDriver(config, ManualClock())
        requests = driver.requests(devices_of(config))
        for _ in range(2):  # it can be opened again
            await driver.open()
            values = [value for request in requests for value in (await driver.read(request)).values]
            assert len(values) == 2
            assert all(isinstance(value, float) and 225 <= value <= 235 for value in values)
        await driver.close()


async def test_on_a_serial_port_a_unit_that_is_not_there_is_silent() -> None:
    """Nobody answers for it, as on a real bus."""
    file = {"version": 1, "driver": "modbus", "transport": "rtu", "devices": UNITS, **REACH["rtu"]}
    async with simulate(ModbusConnection.model_validate(file)) as config:
        other = config.devices["one"].model_copy(update={"unit_id": 9, "timeout_s": 0.1})
        asking = config.model_copy(update={"devices": {"one": other}})
        driver = ModbusDriver(asking, ManualClock())
        (request,) = driver.requests(devices_of(asking))
        await driver.open()
        with pytest.raises(NoReply, match="no answer on"):
            await driver.read(request)
        await driver.close()
