from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from drivers.gpio.config import GpioConnection
from drivers.gpio.driver import GpioDriver
from drivers.gpio.simulator import _drive, simulate
from drivers.gpio.wires import Wires
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.model import columns_of
from gateway.signals import digital

if TYPE_CHECKING:
    from gateway.model import Batch

EXAMPLE = Path(__file__).parents[3] / "drivers/gpio/example.yaml"


@pytest.fixture
def config() -> GpioConnection:
    return GpioConnection.model_validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("now_s", [0.0, 2.5, 7.5, 1e6])
def test_each_wire_shows_the_signal_of_its_tag(config: GpioConnection, now_s: float) -> None:
    """Whatever the active level, the wire makes the tag read as the signal of `device.tag`."""
    wires = Wires()
    _drive(wires, config, now_s)
    values = {key: wires.level(contact.pin) == contact.active_level for key, contact in config.contacts()}
    assert values == {key: digital(key, now_s) for key, _ in config.contacts()}


async def test_the_driver_sees_the_contacts_change(config: GpioConnection) -> None:
    """Inside the simulation the driver reads every contact at once and then each change of each."""
    batches: list[Batch] = []
    async with simulate(config) as simulated:
        assert simulated.pin_factory == "mock"
        driver = GpioDriver(simulated, SystemClock())
        await driver.open()
        listening = asyncio.create_task(driver.listen(devices_of(simulated), batches.append))
        async with asyncio.timeout(20):
            while len(_last_values(batches[1:])) < 3:  # noqa: ASYNC110 - batches come by a call
                await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.wait([listening])
        await driver.close()
    assert len(columns_of(batches[0])) == 3


async def test_two_simulations_do_not_meet(config: GpioConnection) -> None:
    """Each yields wires of its own, so a demo and a test in one process leave each other alone."""
    async with simulate(config) as one, simulate(config) as other:
        assert one.wires is not None
        assert one.wires is not other.wires


async def test_after_its_end_nothing_is_there(config: GpioConnection) -> None:
    """The configuration of an ended simulation opens nothing, and no task goes on."""
    tasks: set[Any] = asyncio.all_tasks()
    async with simulate(config) as simulated:
        assert len(asyncio.all_tasks() - tasks) == 1
    assert asyncio.all_tasks() == tasks
    with pytest.raises(LinkError, match="its simulation has ended"):
        await GpioDriver(simulated, SystemClock()).open()


def _last_values(batches: list[Batch]) -> dict[str, Any]:
    return {tag.name: value for batch in batches for tag, value, _ in columns_of(batch)}
