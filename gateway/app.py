"""The composition root: the only place that knows all parts and ties them together."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from gateway.acceptance import Acceptance
from gateway.clock import boot_id
from gateway.clock.watch import ClockWatch
from gateway.collect.collector import Collector
from gateway.collect.virtual import virtual_devices_of
from gateway.config.problems import Severity
from gateway.flow import Flow
from gateway.model import ClockState
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.processing.alarm_memory import AlarmMemory
from gateway.processing.alarms import Alarms
from gateway.processing.service import Marker
from gateway.service_desk import Means, ServiceDesk
from gateway.state import next_run, runs_of_boot
from gateway.uplink import Described, Uplink
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from gateway.clock import Clock
    from gateway.config.load import LoadResult
    from gateway.config.problems import Problem
    from gateway.config.schema import Configuration
    from gateway.processing.derived.virtual import VirtualDevice
    from gateway.state import State
    from gateway.status.notify import Notifier

log = structlog.get_logger()

_BEAT_S = 1.0
_STATE_FLUSH_S = 300.0
_ALARM_FLUSH_S = 5.0
_DRAIN_S = 2.0
_UPLINK_CLOSE_S = 3.0


class App:
    """One running gateway.

    Args:
        configuration: the checked files.
        state: what outlives the process; the spool lies in its folder.
        clock: where times come from.
        notifier: what systemd is told.
        load: reads the configuration again, for a reload.
    """

    def __init__(
        self,
        configuration: Configuration,
        state: State,
        clock: Clock,
        notifier: Notifier,
        load: Callable[[], LoadResult],
    ) -> None:
        self._configuration = configuration
        self._state = state
        self._clock = clock
        self._notifier = notifier
        self._load = load
        run = next_run(state, boot_id())
        self._watch = ClockWatch(clock, runs_of_boot(state, run.boot) | {str(run)})
        kept = configuration.gateway.outbox
        spool = Spool.open(state.folder / "spool", clock, Room.of(kept), run.boot)
        self._outbox = Outbox(run, clock, spool)
        self._uplink = Uplink(self._outbox, clock, self._watch, version("edge-gateway"), run)
        self._flow = Flow(self._outbox, clock, self._uplink.tell_status, state)
        self._alarm_memory = AlarmMemory(state, run.boot)
        self._alarms = Alarms(self._watch, self._alarm_memory, self._uplink)
        marker = Marker()
        self._desk = ServiceDesk(state, clock, run.boot, Means(marker, self._alarms, self._outbox.put))
        self._flow.watchers = (marker.mark, self._alarms.see)
        self._collector = Collector(clock, self._flow, state)
        self._acceptance = Acceptance(state.folder, clock, self._outbox.put)
        self._virtual: list[VirtualDevice] = []
        self._stopping = asyncio.Event()
        self._reload_wanted = asyncio.Event()

    def stop(self) -> None:
        """End `run` in good order."""
        self._stopping.set()

    def request_reload(self) -> None:
        """Read the configuration again soon."""
        self._reload_wanted.set()

    async def run(self) -> None:
        """Collect and forward until `stop`; then everything is flushed and closed, within 10 s."""
        tasks = [
            asyncio.create_task(_for_ever("outbox", self._outbox.run)),
            asyncio.create_task(_for_ever("beat", self._beat)),
            asyncio.create_task(_for_ever("derived tags", self._flow.keep_time)),
            asyncio.create_task(_for_ever("reload", self._reload_when_wanted)),
            asyncio.create_task(_for_ever("service desk", self._desk.run)),
        ]
        await self._apply(self._configuration)
        await self._acceptance.took_over(self._configuration, "start")
        log.info("ready", gateway=self._configuration.gateway.gateway.id, devices=len(self._collector.devices()))
        self._notifier.ready()
        await self._stopping.wait()
        await self._close(tasks)

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        log.info("stopping")
        self._notifier.stopping()
        await self._collector.close()
        self._flow.finish()
        await self._uplink.close(_DRAIN_S, _UPLINK_CLOSE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outbox.close()
        self._state.close()
        log.info("stopped")

    async def _apply(self, configuration: Configuration) -> None:
        self._outbox.apply(configuration.gateway.outbox)
        await self._collector.apply(configuration.connections)
        self._virtual = virtual_devices_of(configuration, self._virtual)
        devices = [*self._collector.devices(), *(virtual.device for virtual in self._virtual)]
        self._flow.carry(self._collector.devices(), self._virtual)
        self._alarms.carry(devices, self._clock.now())
        self._desk.carry(devices)
        await self._uplink.apply(configuration, self._described())
        self._configuration = configuration

    def _described(self) -> list[Described]:
        """All devices with where they come from, virtual ones behind the others."""
        read = [Described(device, one.name, one.spec.name) for one, device in self._collector.described()]
        return [*read, *(Described(virtual.device, "", "derived") for virtual in self._virtual)]

    async def _reload_when_wanted(self) -> None:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            self._notifier.reloading(self._clock.now().monotonic)
            await self._reload()
            self._notifier.ready()

    async def _reload(self) -> None:
        """Take over the files if all of them are good; else keep what runs and say so."""
        result = await asyncio.to_thread(self._load)
        tell_problems(result.problems)
        if result.configuration is None or result.errors:
            event = "reload refused, the old configuration goes on"
            log.error(event, errors=len(result.errors), code=Code.RELOAD_REFUSED)
            await self._acceptance.answer(result, accepted=False)
            return
        await self._apply(result.configuration)
        await self._acceptance.took_over(result.configuration, "reload")
        await self._acceptance.answer(result, accepted=True)
        log.info("reloaded", devices=len(self._collector.devices()))

    async def _beat(self) -> None:
        """Once a second: heartbeats of silent devices, the status line, the watchdog, now and then the state."""
        last_flush_s = self._clock.monotonic_s()
        while True:
            await asyncio.sleep(_BEAT_S)
            self._look_at_clock()
            self._explain_outage()
            self._flow.send_heartbeats()
            self._alarms.tick(self._clock.now())
            self._notifier.status(self._summary())
            self._feed_watchdog()
            if self._flush_is_due(self._clock.monotonic_s() - last_flush_s):
                last_flush_s = self._clock.monotonic_s()
                self._flow.save()
                self._alarm_memory.changed = False
                await asyncio.to_thread(self._state.flush)

    def _flush_is_due(self, age_s: float) -> bool:
        soon = self._alarm_memory.changed and age_s >= _ALARM_FLUSH_S
        return self._flow.urgent or soon or age_s >= _STATE_FLUSH_S

    def _explain_outage(self) -> None:
        trouble = self._uplink.trouble()
        if trouble:
            self._outbox.explain_outage(trouble)

    def _look_at_clock(self) -> None:
        change = self._watch.look()
        if change is not None:
            log.warning(change.event.value, step_s=round(change.step / 1e9, 3))
            self._uplink.clock_stepped()
            self._alarms.clock_stepped()
            self._outbox.put(change.notice())

    def _summary(self) -> str:
        """The line that `systemctl status` shows; a promise that cannot be kept at present is told there."""
        durability = self._outbox.durability
        unsafe = "" if durability.on_disk else f"; durability: none, {durability.cause} [{Code.DISK}]"
        clock = "" if self._watch.state is ClockState.SYNCED else "; clock free running"
        unused = self._configuration.unused()
        left_out = f"; not used: {unused}" if unused else ""
        wear = self._outbox.counters.wear
        return f"{self._flow.summary()}; {self._uplink.summary()}; {wear}{clock}{unsafe}{left_out}"

    def _feed_watchdog(self) -> None:
        stalled = self._collector.stalled()
        if stalled:
            log.error("no progress, the watchdog is not fed", connections=stalled)
        else:
            self._notifier.alive()


def tell_problems(problems: Iterable[Problem]) -> None:
    """Log what is wrong with a configuration, each problem as grave as it is."""
    tell = {Severity.ERROR: log.error, Severity.WARNING: log.warning, Severity.NOTE: log.info}
    for problem in problems:
        tell[problem.severity]("configuration", problem=str(problem))


async def _for_ever(name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a part of the gateway until cancelled. What ends it is a defect: told, and the part begins anew."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("defect", part=name, code=Code.DEFECT)
        await asyncio.sleep(1.0)
