"""A header of mock pins with a driver that listens to it, and a clock that only the test moves."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import asynccontextmanager
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import drivers.gpio.header
import drivers.gpio.pins
from drivers.gpio.config import GpioConnection
from drivers.gpio.driver import GpioDriver
from drivers.gpio.wires import Wires
from gateway.collect.plan import devices_of
from gateway.model import Batch, columns_of
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PERIOD_S = 0.02


def connection(tags: dict[str, dict[str, Any]], pin_factory: str = "mock") -> GpioConnection:
    """One device `press` with these tags, read again every 20 ms."""
    return GpioConnection.model_validate(
        {
            "version": 1,
            "driver": "gpio",
            "pin_factory": pin_factory,
            "devices": {"press": {"period_s": PERIOD_S, "tags": tags}},
        }
    )


class Bench:
    """What a test holds in its hands: wires, clock, driver, and all that was emitted."""

    def __init__(self, config: GpioConnection) -> None:
        self.wires = Wires()
        self.clock = ManualClock()
        self.config = config.wired_to(self.wires) if config.pin_factory == "mock" else config
        self.driver = GpioDriver(self.config, self.clock)
        self.batches: list[Batch] = []

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The values of each batch by tag."""
        return [{tag.name: value for tag, value, _ in columns_of(batch)} for batch in self.batches]

    def values(self, tag: str) -> list[Any]:
        """All values of one tag in their order."""
        return [values[tag] for values in self.seen if tag in values]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, at most 10 s."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.002)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen until the first batch of every device is there, and stop at the end."""
        first = len(self.batches)
        task = asyncio.create_task(self.driver.listen(devices_of(self.config), self.batches.append))
        try:
            await self.until(lambda: task.done() or len(self.batches) > first)
            if task.done():
                task.result()
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open, listen, close."""
        await self.driver.open()
        try:
            async with self.listening():
                yield
        finally:
            await self.driver.close()


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes a bench of the given tags."""

    def make(tags: dict[str, dict[str, Any]], pin_factory: str = "mock") -> Bench:
        return Bench(connection(tags, pin_factory))

    return make


class StandInLgpio(ModuleType):
    """What gpiozero uses of lgpio, over chips of our own: lines with levels, owners, and edges in another thread."""

    SET_PULL_NONE, SET_PULL_UP, SET_PULL_DOWN = 0x80, 0x20, 0x40
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    class error(Exception):  # noqa: N801, N818 - as lgpio calls it
        """lgpio's only error; its text is a repr."""

        def __init__(self, value: str) -> None:
            self.value = value

        def __str__(self) -> str:
            return repr(self.value)

    def __init__(self, labels: dict[int, str]) -> None:
        super().__init__("lgpio")
        self.labels = labels
        self.handles: dict[int, int] = {}
        self.claimed: dict[int, int] = {}
        self.bias: dict[int, int] = {}
        """What the chip's resistors do; a claim without a word about them leaves them as they are."""
        self.levels: dict[int, int] = {}
        self.busy: set[int] = set()
        self.gone = False
        self.callbacks: list[Any] = []

    def gpiochip_open(self, chip: int) -> int:
        if chip not in self.labels:
            raise self.error("can not open gpiochip")
        handle = max(self.handles, default=0) + 1
        self.handles[handle] = chip
        return handle

    def gpiochip_close(self, handle: int) -> None:
        self._check(handle)
        del self.handles[handle]

    def gpio_get_chip_info(self, handle: int) -> list[Any]:
        chip = self.handles[handle]
        return [0, 54, f"gpiochip{chip}", self.labels[chip]]

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> None:
        self._check(handle)
        if gpio in self.busy:
            raise self.error("GPIO busy")
        self.claimed[gpio] = flags
        self.bias[gpio] = flags or self.bias.get(gpio, self.SET_PULL_DOWN)

    def gpio_claim_alert(self, handle: int, gpio: int, _edges: int, flags: int) -> None:
        self.gpio_claim_input(handle, gpio, flags)

    def gpio_free(self, _handle: int, gpio: int) -> None:
        del self.claimed[gpio]

    def gpio_get_mode(self, _handle: int, gpio: int) -> int:
        return self.claimed[gpio]

    def gpio_read(self, handle: int, gpio: int) -> int:
        self._check(handle)
        return self.levels.get(gpio, 0)

    def callback(self, _handle: int, gpio: int, _edges: int, function: Callable[..., None]) -> Any:
        entry = SimpleNamespace(gpio=gpio, function=function)
        entry.cancel = lambda: self.callbacks.remove(entry)
        self.callbacks.append(entry)
        return entry

    def gpio_claim_output(self, *_: object) -> None:
        raise AssertionError("an input driver never drives a pin")

    def _check(self, handle: int) -> None:
        if self.gone or handle not in self.handles:
            raise self.error("unknown handle")

    def drive(self, gpio: int, level: int) -> None:
        """Change a line, and tell it from a thread of the library's."""
        self.levels[gpio] = level
        callbacks = [entry.function for entry in self.callbacks if entry.gpio == gpio]
        thread = threading.Thread(target=lambda: [tell(0, gpio, level, 0) for tell in callbacks])
        thread.start()
        thread.join()


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandInLgpio:
    """A Raspberry Pi 5 whose header is gpiochip4, in the place of lgpio and /dev."""
    stand_in = StandInLgpio({0: "gpio-brcmstb@107d508500", 4: "pinctrl-rp1"})
    for chip in stand_in.labels:
        (tmp_path / f"gpiochip{chip}").touch()
    monkeypatch.setitem(sys.modules, "lgpio", stand_in)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.setattr(drivers.gpio.pins, "open_factory", partial(drivers.gpio.header.open_factory, tmp_path))
    return stand_in
