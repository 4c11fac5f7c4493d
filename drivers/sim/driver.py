"""Reads devices that do not exist, and fails as real ones do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.driver import DeviceRefused, LinkError, NoReply, Reply, Request, WrongReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.sim.config import SimConnection
    from drivers.sim.signal import Signal
    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Tag, Value

SLOW: Final = 0.8
"""Share of the time-out after which a slow device answers."""


@dataclass(frozen=True, slots=True)
class _Poll:
    """What one request reads, and what is wrong with the device."""

    points: tuple[tuple[Tag, Signal], ...]
    fault: str
    timeout_s: float


class SimDriver:
    """A polling driver. Its devices remember their counters for as long as it lives, also while the link is closed."""

    def __init__(self, config: SimConnection, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._is_open = False
        self._counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._last: dict[tuple[str, tuple[int, ...]], list[Value]] = {}

    async def open(self) -> None:
        """Open the link.

        Raises:
            LinkError: `link: down`, or the simulation has ended.
        """
        if self._config.link == "down":
            raise LinkError(f"the simulated link to {self._where()} is down (link: down)")
        self._check_plug()
        self._is_open = True

    async def close(self) -> None:
        """Close the link."""
        self._is_open = False

    def requests(self, devices: Sequence[Device]) -> Sequence[Request]:
        """One request for each period of each device. What was read before counts as no reply to these."""
        self._last.clear()
        return [request for device in devices for request in _requests(device)]

    async def read(self, request: Request) -> Reply:
        """The signals now, or the device's fault.

        Raises:
            LinkError: the link is not open, or the simulation has ended.
            NoReply: `fault: dead`, after the time-out.
            DeviceRefused: `fault: refuse`.
            WrongReply: `fault: garbage`.
        """
        if not self._is_open:
            raise LinkError(f"the simulated link to {self._where()} is not open")
        self._check_plug()
        poll: _Poll = request.detail
        await _suffer(poll, request.device)
        key = (request.device, request.positions)
        last = self._last.get(key)
        values = last if last is not None and poll.fault == "frozen" else self._values(request.device, poll)
        self._last[key] = values
        return Reply(values, unchanged=values == last)

    def _values(self, device: str, poll: _Poll) -> list[Value]:
        now_s = self._clock.monotonic_s()
        return [
            signal.value(f"{device}.{tag.name}", tag, self._count(device, tag), now_s) for tag, signal in poll.points
        ]

    def _count(self, device: str, tag: Tag) -> int:
        self._counts[device, tag.name] += 1
        return self._counts[device, tag.name]

    def _check_plug(self) -> None:
        if self._config.plug is not None and not self._config.plug.is_in:
            raise LinkError(f"the simulated link to {self._where()} is gone: its simulation has ended")

    def _where(self) -> str:
        return ", ".join(self._config.devices)


def _requests(device: Device) -> list[Request]:
    groups: defaultdict[float, list[int]] = defaultdict(list)
    for position, tag in enumerate(device.plan.tags):
        groups[tag.period_s].append(position)
    return [Request(device.name, period_s, tuple(group), _poll(device, group)) for period_s, group in groups.items()]


def _poll(device: Device, positions: Sequence[int]) -> _Poll:
    signals = [tag.signal for tag in device.config.tags.values()]
    points = tuple((device.plan.tags[position], signals[position]) for position in positions)
    return _Poll(points, device.config.fault, device.timing.timeout_s)


async def _suffer(poll: _Poll, device: str) -> None:
    """Do what is wrong with the device."""
    match poll.fault:
        case "dead":
            await asyncio.sleep(poll.timeout_s)
            raise NoReply(f"no reply from {device} within {poll.timeout_s:g} s (fault: dead)")
        case "refuse":
            raise DeviceRefused(f"{device} answered that it will not (fault: refuse)")
        case "garbage":
            raise WrongReply(f"the answer of {device} does not fit the question (fault: garbage)")
        case "slow":
            await asyncio.sleep(SLOW * poll.timeout_s)
        case _:
            pass
