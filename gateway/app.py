"""The composition root: the only place that knows all parts and ties them together."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from gateway.clock import boot_id
from gateway.collect.collector import Collector
from gateway.flow import Flow
from gateway.outbox.outbox import Outbox
from gateway.outbox.spool import Spool
from gateway.state import next_run
from gateway.uplink import Uplink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.clock import Clock
    from gateway.config.load import LoadResult
    from gateway.config.schema import Configuration
    from gateway.state import State
    from gateway.status.notify import Notifier

log = structlog.get_logger()

_BEAT_S = 1.0
_STATE_FLUSH_S = 300.0
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
        kept = configuration.gateway.outbox
        spool = Spool.open(state.folder / "spool", clock, max_mb=kept.max_mb, keep_free_mb=kept.keep_free_mb)
        self._outbox = Outbox(run, clock, spool, spill_after_s=kept.spill_after_s)
        self._uplink = Uplink(self._outbox, clock, version("edge-gateway"), run)
        self._flow = Flow(self._outbox, clock, self._uplink.tell_status)
        self._collector = Collector(clock, self._flow)
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
            asyncio.create_task(_for_ever("reload", self._reload_when_wanted)),
        ]
        await self._apply(self._configuration)
        log.info("ready", gateway=self._configuration.gateway.gateway.id, devices=len(self._collector.devices()))
        self._notifier.ready()
        await self._stopping.wait()
        await self._close(tasks)

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        log.info("stopping")
        self._notifier.stopping()
        await self._collector.close()
        await self._uplink.close(_DRAIN_S, _UPLINK_CLOSE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outbox.close()
        self._state.close()
        log.info("stopped")

    async def _apply(self, configuration: Configuration) -> None:
        await self._collector.apply(configuration.connections)
        self._flow.carry(self._collector.devices())
        await self._uplink.apply(configuration, self._collector.described())
        self._configuration = configuration

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
        for problem in result.problems:
            log.error("configuration", problem=str(problem))
        if result.configuration is None or result.errors:
            log.error("reload refused, the old configuration goes on", errors=len(result.errors))
            return
        if result.configuration.gateway.outbox != self._configuration.gateway.outbox:
            log.warning("a changed `outbox` takes effect at the next start")
        await self._apply(result.configuration)
        log.info("reloaded", devices=len(self._collector.devices()))

    async def _beat(self) -> None:
        """Once a second: heartbeats of silent devices, the status line, the watchdog, now and then the state."""
        last_flush_s = self._clock.monotonic_s()
        while True:
            await asyncio.sleep(_BEAT_S)
            self._flow.send_heartbeats()
            self._notifier.status(self._summary())
            self._feed_watchdog()
            if self._clock.monotonic_s() - last_flush_s >= _STATE_FLUSH_S:
                last_flush_s = self._clock.monotonic_s()
                await asyncio.to_thread(self._state.flush)

    def _summary(self) -> str:
        """The line that `systemctl status` shows; a promise that cannot be kept at present is told there."""
        durability = self._outbox.durability
        unsafe = "" if durability.on_disk else f"; durability: none, {durability.cause}"
        return f"{self._flow.summary()}; {self._uplink.summary()}{unsafe}"

    def _feed_watchdog(self) -> None:
        stalled = self._collector.stalled()
        if stalled:
            log.error("no progress, the watchdog is not fed", connections=stalled)
        else:
            self._notifier.alive()


async def _for_ever(name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a part of the gateway until cancelled. What ends it is a defect: told, and the part begins anew."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("defect", part=name)
        await asyncio.sleep(1.0)
