"""The way to the broker: one publisher, exchanged when a reload names another broker or another place in the plant."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gateway.config.secrets import resolve
from gateway.config.tls_files import tls_files
from gateway.publish.contract import About
from gateway.publish.encoders import encoder_of
from gateway.publish.failover import Failover
from gateway.publish.publisher import Publisher
from gateway.publish.restamp import ClockSettings, Restamped
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.clock import Clock
    from gateway.clock.watch import ClockWatch
    from gateway.config.schema import ClockConfig, Configuration
    from gateway.driver import Device
    from gateway.model import DeviceStatus, Notice, Run
    from gateway.outbox.outbox import Outbox
    from gateway.processing.alarms import ActiveAlarm
    from gateway.publish.ports import EntryQueue

_DRAIN_STEP_S = 0.05
_EXCHANGE_S = 1.0


class Described(NamedTuple):
    """A device and where it comes from."""

    device: Device
    connection: str
    """Empty for a virtual device."""
    driver: str


class Uplink:
    """Owns the publisher, and what the broker holds retained of each device."""

    def __init__(self, outbox: Outbox, clock: Clock, watch: ClockWatch, version: str, run: Run) -> None:
        self._outbox = outbox
        self._clock = clock
        self._watch = watch
        self._version = version
        self._run = run
        self._configuration: Configuration | None = None
        self._session: _Session | None = None
        self._statuses: dict[str, DeviceStatus] = {}
        self._alarms: dict[str, Sequence[ActiveAlarm]] = {}
        self._since: dict[str, int] = {}
        """When each device changed its state, monotonic, ns."""

    async def apply(self, configuration: Configuration, devices: Iterable[Described]) -> None:
        """Publish by this configuration, and describe these devices, from now on."""
        described = list(devices)
        names = {one.device.name for one in described}
        self._statuses = {name: status for name, status in self._statuses.items() if name in names}
        self._alarms = {name: active for name, active in self._alarms.items() if name in names}
        if self._session is None or not self._session.serves(configuration):
            await self._begin(configuration)
        assert self._session is not None
        self._session.describe(described, self._about(configuration))
        for status in self._statuses.values():
            self._session.tell(status)
        for name, active in self._alarms.items():
            self._session.tell_alarms(name, active)

    def tell_status(self, status: DeviceStatus) -> None:
        """A device changed its state."""
        now = self._clock.now()
        self._since[status.device] = now.monotonic - (now.time - status.since)
        self._statuses[status.device] = status
        if self._session is not None:
            self._session.tell(status)

    def tell_alarms(self, device: str, active: Sequence[ActiveAlarm]) -> None:
        """These are the active alarms of a device from now on."""
        self._alarms[device] = active
        if self._session is not None:
            self._session.tell_alarms(device, active)

    def tell_event(self, notice: Notice) -> None:
        """Something happened that somebody has to know of."""
        self._outbox.put(notice)

    def clock_stepped(self) -> None:
        """The wall clock was set: what the broker holds of earlier times follows it."""
        for name, status in self._statuses.items():
            self._statuses[name] = replace(status, since=self._watch.wall(self._since[name]))
        if self._session is not None:
            for status in self._statuses.values():
                self._session.tell(status)

    def summary(self) -> str:
        """`broker connected`, or why it is not, for a status line."""
        if self._session is None:
            return "no broker"
        state = self._session.publisher.state
        if not state.connected:
            return state.reason
        lesser = "" if state.is_preferred else f" ({state.broker}, not the preferred one)"
        return "; ".join([f"broker connected{lesser}", *(str(expiry) for expiry in state.expiring)])

    def trouble(self) -> str:
        """Why there is no session with the broker; empty while there is one."""
        return "" if self._session is None else self._session.publisher.state.reason

    async def close(self, drain_s: float, close_s: float) -> None:
        """Let what waits go out for `drain_s`, then say goodbye within `close_s`."""
        if self._session is None:
            return
        await self._drain(drain_s)
        await self._session.close(close_s)
        self._session = None

    async def _begin(self, configuration: Configuration) -> None:
        """Exchange the session. The old one goes only when the new one could be made, and before it starts."""
        queue = Restamped(self._outbox, self._clock, self._watch, clock_settings(configuration.gateway.clock))
        session = _Session(configuration, queue, self._clock, self._about(configuration))
        if self._session is not None:
            self._session.forget_devices_if_elsewhere(configuration)
            await self._session.close(_EXCHANGE_S)
        self._session = session
        session.start()

    async def _drain(self, drain_s: float) -> None:
        deadline_s = self._clock.monotonic_s() + drain_s
        while self._may_drain() and self._clock.monotonic_s() < deadline_s:  # noqa: ASYNC110 - acks are not events here
            await asyncio.sleep(_DRAIN_STEP_S)

    def _may_drain(self) -> bool:
        assert self._session is not None
        return self._session.publisher.state.connected and self._outbox.counters.waiting_in_memory > 0

    def _about(self, configuration: Configuration) -> About:
        return About(self._version, str(self._run), configuration.digest)


class _Session:
    """One publisher and its topics, for one broker and one place in the plant."""

    def __init__(self, configuration: Configuration, queue: EntryQueue, clock: Clock, about: About) -> None:
        self._gateway = configuration.gateway
        identity, broker = self._gateway.gateway, self._gateway.broker
        self._topics = Topics(identity.location.levels(), identity.id)
        self._encoder = encoder_of(self._gateway.publish, self._topics)
        password = None if broker.password is None else resolve(broker.password, configuration.folder)
        tls = tls_files(broker.tls, configuration.folder)
        brokers = Failover(BrokerSettings.of(broker, identity.id, password, tls), clock)
        self.publisher = Publisher(brokers, self._encoder, queue, clock, about)
        self._described: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and keep connected."""
        self._task = asyncio.create_task(self.publisher.run(), name="publisher")

    def serves(self, configuration: Configuration) -> bool:
        """Whether this session is also the one that the configuration asks for."""
        asked, has = configuration.gateway, self._gateway
        return all(getattr(asked, part) == getattr(has, part) for part in ("gateway", "broker", "publish", "clock"))

    def describe(self, devices: Iterable[Described], about: About) -> None:
        """Have the broker hold the meta data of these devices and of no others."""
        self.publisher.introduce(about)
        names = set()
        for device, connection, driver in devices:
            names.add(device.name)
            self.publisher.retain(
                self._encoder.meta(
                    device.plan.published,
                    connection=connection,
                    driver=driver,
                    description=device.config.description,
                )
            )
        self._forget(self._described - names)
        self._described = names

    def tell(self, status: DeviceStatus) -> None:
        """Have the broker hold this state of a device."""
        self.publisher.retain(self._encoder.device_status(status))

    def tell_alarms(self, device: str, active: Sequence[ActiveAlarm]) -> None:
        """Have the broker hold these active alarms of a device."""
        self.publisher.retain(self._encoder.alarms(device, active))

    def forget_devices_if_elsewhere(self, configuration: Configuration) -> None:
        """Leave nothing retained under topics that the gateway will not use again."""
        if configuration.gateway.gateway != self._gateway.gateway:
            self._forget(self._described)

    async def close(self, within_s: float) -> None:
        """Say offline and end."""
        await self.publisher.close(within_s)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _forget(self, devices: Iterable[str]) -> None:
        for device in devices:
            self.publisher.forget(self._topics.meta(device))
            self.publisher.forget(self._topics.status(device))
            self.publisher.forget(self._topics.alarms(device))


def clock_settings(config: ClockConfig) -> ClockSettings:
    """What a technician wrote of the clock, as the publisher's queue needs it."""
    return ClockSettings(
        hold_s=config.hold_s if config.before_sync == "hold" else 0.0,
        lowers_quality=config.policy == "uncertain",
    )
