"""Carries out what technicians order by the command line: maintenance and acknowledgements, each told as an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from gateway.maintenance import FILE, Orders, OrdersError, read_orders
from gateway.model import Notice, iso_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.maintenance import Acknowledgement, Outage
    from gateway.model import Stamp
    from gateway.processing.alarms import Alarms
    from gateway.processing.service import Marker
    from gateway.state import Json, State

_OUT_KEY: Final = "out_of_service"
_ACKNOWLEDGED_KEY: Final = "acknowledged"
_MOST_REMEMBERED: Final = 200
_LOOK_S: Final = 1.0

log = structlog.get_logger()

_Version = tuple[int, int, int] | None


class Means(NamedTuple):
    """By what orders are carried out."""

    marker: Marker
    alarms: Alarms
    tell: Callable[[Notice], None]
    """Takes the events."""


class ServiceDesk:
    """Looks at the orders about once a second. A file that is wrong is told once; what was ordered before goes on.

    Args:
        state: knows what was carried out before a restart; the orders lie in its folder.
        clock: for expiries.
        boot: the kernel's id of this boot.
        means: by what orders are carried out.
    """

    def __init__(self, state: State, clock: Clock, boot: str, means: Means) -> None:
        self._state = state
        self._clock = clock
        self._boot = boot
        self._means = means
        self._orders = Orders()
        self._version: _Version = None
        self._in_force: frozenset[str] = frozenset()
        self._names: frozenset[str] = frozenset()

    def carry(self, devices: Iterable[Device]) -> None:
        """These devices are there from now on; orders for others are kept and told of."""
        names = [
            [device.name, *(f"{device.name}.{tag.name}" for tag in device.plan.published.tags)] for device in devices
        ]
        self._names = frozenset(name for some in names for name in some)

    async def run(self) -> None:
        """Look once a second, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Read the orders where they changed, and carry out what is new or over."""
        version, orders = await asyncio.to_thread(_read_if_changed, self._state.folder, self._version)
        if version != self._version:
            self._version = version
            self._take(orders)
        stamp = self._clock.now()
        self._carry_out(stamp)
        self._acknowledge(stamp)

    def _take(self, orders: Orders | OrdersError) -> None:
        if isinstance(orders, OrdersError):
            log.error("orders_ignored", reason=str(orders))
            return
        self._orders = orders
        for one in orders.out_of_service:
            if one.ended_by is None and one.what not in self._names:
                log.warning("out_of_service_unknown", what=one.what, remedy="edge-gateway check shows the names")

    def _carry_out(self, stamp: Stamp) -> None:
        """Put out of service what is to be, and tell what began and ended since the last time, also in a run before."""
        holding = {one.id: one for one in self._orders.out_of_service if one.holds(stamp, self._boot)}
        in_force = frozenset(one.what for one in holding.values())
        told = self._told()
        for id_, what in told.items():
            if id_ not in holding and what not in in_force:
                self._tell_end(id_, what, stamp)
        for one in holding.values():
            if one.id not in told:
                self._tell_begin(one, stamp)
        if holding.keys() != told.keys():
            self._state.put(_OUT_KEY, {one.id: one.what for one in holding.values()})
        if in_force != self._in_force:
            self._in_force = in_force
            self._means.marker.take_out(in_force)

    def _told(self) -> dict[str, str]:
        told = self._state.get(_OUT_KEY)
        return {id_: what for id_, what in told.items() if isinstance(what, str)} if isinstance(told, dict) else {}

    def _tell_begin(self, one: Outage, stamp: Stamp) -> None:
        log.info("out_of_service", what=one.what, by=one.by, reason=one.reason)
        said = {"reason": one.reason, "by": one.by, "until": iso_time(one.until)}
        self._means.tell(Notice("events", {"event": "out_of_service", **_named(one.what), **said}, stamp))

    def _tell_end(self, id_: str, what: str, stamp: Stamp) -> None:
        order = next((one for one in self._orders.out_of_service if one.id == id_), None)
        if order is None:
            said = {"why": "removed"}
        else:
            said = {"why": "expired"} if order.ended_by is None else {"why": "ended", "by": order.ended_by}
        log.info("in_service", what=what, **said)
        self._means.tell(Notice("events", {"event": "in_service", **_named(what), **said}, stamp))

    def _acknowledge(self, stamp: Stamp) -> None:
        known = self._state.get(_ACKNOWLEDGED_KEY)
        done: list[Json] = known if isinstance(known, list) else []
        news = [order for order in self._orders.acknowledgements if order.id not in done]
        for order in news:
            self._acknowledge_one(order, stamp)
        if news:
            self._state.put(_ACKNOWLEDGED_KEY, [*done, *(order.id for order in news)][-_MOST_REMEMBERED:])

    def _acknowledge_one(self, order: Acknowledgement, stamp: Stamp) -> None:
        device, _, alarm = order.what.partition(".")
        count = self._means.alarms.acknowledge(device, alarm or None, order.by, stamp)
        log.info("acknowledged", what=order.what, by=order.by, alarms=count)


def _named(what: str) -> dict[str, str]:
    device, _, tag = what.partition(".")
    return {"device": device, "tag": tag} if tag else {"device": device}


def _read_if_changed(folder: Path, known: _Version) -> tuple[_Version, Orders | OrdersError]:
    """The orders where the file is another one than the known one; in a thread, since a disk can be slow."""
    try:
        found = (folder / FILE).stat()
    except OSError:
        return None, Orders()
    version = (found.st_mtime_ns, found.st_size, found.st_ino)
    if version == known:
        return version, Orders()
    try:
        return version, read_orders(folder)
    except OrdersError as error:
        return version, error
