"""The contacts of one device while it is listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from drivers.gpio.changes import Changes
from drivers.gpio.contact import Contact
from drivers.gpio.edges import Edge
from drivers.gpio.pins import PinUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.gpio.config import GpioTag
    from drivers.gpio.edges import Edges
    from drivers.gpio.pins import Line, Pins
    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch, Stamp

log = structlog.get_logger()


class Station:
    """Claims the pins of one device and emits what they say. A pin that cannot be had is BAD, and tried again."""

    def __init__(self, device: Device, pins: Pins, edges: Edges, clock: Clock, emit: Callable[[Batch], None]) -> None:
        self._name = device.name
        self._tags: list[tuple[str, GpioTag]] = list(device.config.tags.items())
        self._pins = pins
        self._edges = edges
        self._clock = clock
        self._changes = Changes(device.plan, emit)
        self._claimed: dict[int, tuple[Line, Contact]] = {}
        self._unavailable: set[int] = set()

    def begin(self) -> None:
        """Claim all pins and emit the present value of each."""
        stamp = self._clock.now()
        for position in range(len(self._tags)):
            self._claim(position, stamp)
        self._changes.flush()

    def edge(self, edge: Edge) -> None:
        """Take one edge; what it changes is emitted at the next `flush`."""
        if edge.position in self._claimed:
            _, contact = self._claimed[edge.position]
            self._changed(edge.position, contact, contact.edge(edge.level, edge.stamp))

    def read(self) -> None:
        """Read every level again, so that a lost edge heals; changes are emitted at the next `flush`.

        Raises:
            LinkError: a pin cannot be read any more.
        """
        stamp = self._clock.now()
        for position, (line, contact) in self._claimed.items():
            self._changed(position, contact, contact.reading(self._pins.level(line), stamp))

    def claim_missing(self) -> None:
        """Try again the pins that could not be had; their values are emitted at the next `flush`."""
        stamp = self._clock.now()
        for position in sorted(self._unavailable):
            self._claim(position, stamp)

    def flush(self) -> None:
        """Emit what changed since the last flush."""
        self._changes.flush()

    def due_ns(self) -> int | None:
        """When the first doubtful level will have been stable long enough, monotonic; None without doubt."""
        return min((due for _, contact in self._claimed.values() if (due := contact.due_ns) is not None), default=None)

    def release(self) -> None:
        """Give all pins back; never raises."""
        for line, _ in self._claimed.values():
            line.release()
        self._claimed.clear()

    def _claim(self, position: int, stamp: Stamp) -> None:
        name, tag = self._tags[position]
        try:
            line = self._pins.claim(tag.pin, tag.pull, self._teller(position))
        except PinUnavailableError as error:
            self._missing(position, error, stamp)
            return
        if position in self._unavailable:
            self._unavailable.remove(position)
            log.info("pin_available", device=self._name, tag=name, pin=tag.address)
        contact = Contact(self._pins.level(line), round(tag.debounce_ms * 1e6))
        self._claimed[position] = (line, contact)
        self._changes.value(position, contact.level == tag.active_level, stamp)

    def _missing(self, position: int, error: PinUnavailableError, stamp: Stamp) -> None:
        if position in self._unavailable:
            return
        self._unavailable.add(position)
        name, tag = self._tags[position]
        log.warning("pin_unavailable", device=self._name, tag=name, pin=tag.address, reason=str(error))
        self._changes.bad(position, error.quality, str(error), stamp)

    def _teller(self, position: int) -> Callable[[bool], None]:
        return lambda level: self._edges.put(Edge(self._name, position, level, self._clock.now()))

    def _changed(self, position: int, contact: Contact, since: Stamp | None) -> None:
        if since is not None:
            _, tag = self._tags[position]
            self._changes.value(position, contact.level == tag.active_level, since)
