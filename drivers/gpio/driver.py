"""Digital inputs: edges as they come, every level read again each period, one batch for what changed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from drivers.gpio.edges import Edges
from drivers.gpio.pins import open_pins
from drivers.gpio.station import Station
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.gpio.config import GpioConnection
    from drivers.gpio.pins import Pins
    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch

log = structlog.get_logger()


class GpioDriver:
    """A listening driver on the pin header."""

    def __init__(self, config: GpioConnection, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._pins: Pins | None = None

    async def open(self) -> None:
        """Open the header by the configured pin factory.

        Raises:
            LinkError: no chip, no permission, or no library; the text says where and what to do.
        """
        if self._config.pin_factory == "mock" and self._config.wires is None:
            log.warning("pins_are_simulated", pin_factory="mock", hint="write pin_factory: lgpio on a Raspberry Pi")
        self._pins = open_pins(self._config)

    async def close(self) -> None:
        """Release all pins."""
        if self._pins is not None:
            self._pins.close()
            self._pins = None

    async def listen(self, devices: Sequence[Device], emit: Callable[[Batch], None]) -> None:
        """Emit the present values, then each change.

        Raises:
            LinkError: a pin can be read no more, or the header is not open.
        """
        if self._pins is None:
            raise LinkError("the GPIO header is not open")
        edges = Edges()
        stations = {device.name: Station(device, self._pins, edges, self._clock, emit) for device in devices}
        period_ns = round(1e9 * min(tag.period_s for device in devices for tag in device.plan.tags))
        try:
            for station in stations.values():
                station.begin()
            await self._watch(stations, edges, period_ns)
        finally:
            for station in stations.values():
                station.release()

    async def _watch(self, stations: dict[str, Station], edges: Edges, period_ns: int) -> None:
        next_reading_ns = self._now_ns() + period_ns
        while True:
            wake_ns = min([next_reading_ns, *(due for each in stations.values() if (due := each.due_ns()) is not None)])
            await edges.wait((wake_ns - self._now_ns()) / 1e9)
            for edge in edges.take():
                stations[edge.device].edge(edge)
            now_ns = self._now_ns()
            for station in stations.values():
                if now_ns >= wake_ns:
                    station.read()
                if now_ns >= next_reading_ns:
                    station.claim_missing()
                station.flush()
            if now_ns >= next_reading_ns:
                next_reading_ns = now_ns + period_ns

    def _now_ns(self) -> int:
        return self._clock.now().monotonic
