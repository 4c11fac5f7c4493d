"""The way of a batch from the field to the outbox: each device's pipeline between the two."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gateway.derived_tags import DerivedTags
from gateway.model import DeviceState
from gateway.outbox.outages import Cause, Outages, Tally
from gateway.processing.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch, DeviceStatus, Plan
    from gateway.outbox.outbox import Outbox
    from gateway.processing.counters import Store
    from gateway.processing.derived.virtual import VirtualDevice


log = structlog.get_logger()


class Flow:
    """What the collector hands its batches and reports to."""

    def __init__(
        self, outbox: Outbox, clock: Clock, on_status: Callable[[DeviceStatus], None], store: Store | None = None
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._clock = clock
        self._on_status = on_status
        self._pipelines: dict[str, Pipeline] = {}
        self._outages = Outages(clock)
        self._derived = DerivedTags(self._refine, self.report, store)
        self.statuses: dict[str, DeviceStatus] = {}
        """The newest state of each device that was heard of."""
        self.failures: dict[str, int] = {}
        """Failed readings of each device since the start."""
        self.watchers: Sequence[Callable[[Batch], None]] = ()
        """See each batch after scaling and validity, before deadbands hold anything back; may change it in place."""

    def carry(self, devices: Iterable[Device], virtual: Sequence[VirtualDevice] = ()) -> None:
        """Carry the batches of these devices from now on. A plan that is the same object as before keeps its memory.

        Args:
            devices: those that are read.
            virtual: those whose tags are worked out from tags of any device.
        """
        plans = {device.name: device.plan for device in (*devices, *(one.device for one in virtual))}
        kept = {name: p for name, p in self._pipelines.items() if plans.get(name) is p.plan}
        self._finish([pipeline for name, pipeline in self._pipelines.items() if name not in kept])
        self._pipelines = {name: kept.get(name) or self._pipeline(plan) for name, plan in plans.items()}
        self.statuses = {name: status for name, status in self.statuses.items() if name in self._pipelines}
        self._outages.forget_devices_but(self._pipelines)
        self._derived.carry(virtual, kept)

    def emit(self, batch: Batch) -> None:
        """A batch as acquired. One made with a plan that a reload replaced is let go."""
        pipeline = self._pipelines.get(batch.plan.device)
        if pipeline is None or pipeline.plan is not batch.plan:
            return
        self._refine(batch)
        derived = self._derived.follow(batch)
        self._send(batch)
        for one in derived:
            self._send(one)

    async def keep_time(self) -> None:
        """Have derived tags worked out that wait for a time and not for a batch; for ever."""
        while True:
            await asyncio.sleep(self._derived.next_tick_s(self._clock.now()))
            for batch in self._derived.tick(self._clock.now()):
                self._send(batch)

    def report(self, status: DeviceStatus) -> None:
        """A device changed its state."""
        if status.device in self._pipelines:
            self.statuses[status.device] = status
            tell = log.info if status.state is DeviceState.ONLINE else log.warning
            tell(f"device_{status.state}", device=status.device, reason=status.reason)
            self._on_status(status)
            if not self._derived.makes(status.device):
                self._note_outage(status)

    def failed(self, device: str) -> None:
        """One reading failed."""
        self.failures[device] = self.failures.get(device, 0) + 1

    def send_heartbeats(self) -> None:
        """Snapshots of the devices that yield nothing by themselves; to be called about once a second."""
        stamp = self._clock.now()
        for pipeline in self._pipelines.values():
            snapshot = pipeline.heartbeat(stamp)
            if snapshot is not None:
                self._outbox.put(snapshot)

    @property
    def urgent(self) -> bool:
        """Whether `save` should not wait: the total of a counter was repaired."""
        return any(pipeline.repaired for pipeline in self._pipelines.values())

    def save(self) -> None:
        """Put into the store what outlives the process."""
        for pipeline in self._pipelines.values():
            pipeline.save()
        self._derived.save()

    def finish(self) -> None:
        """Send what is still held back, and save. For the end, after the last batch."""
        self._finish(list(self._pipelines.values()))
        self._derived.save()

    def _refine(self, batch: Batch) -> None:
        """Scale, judge, and let the watchers see."""
        self._pipelines[batch.plan.device].refine(batch)
        for watcher in self.watchers:
            watcher(batch)

    def _send(self, batch: Batch) -> None:
        for processed in self._pipelines[batch.plan.device].report(batch):
            self._outbox.put(processed)

    def _pipeline(self, plan: Plan) -> Pipeline:
        return Pipeline(plan, self._store, self._outbox.put)

    def _finish(self, pipelines: Iterable[Pipeline]) -> None:
        for pipeline in pipelines:
            for batch in pipeline.finish():
                self._outbox.put(batch)

    def summary(self) -> str:
        """`2 of 3 devices online`, for a status line."""
        online = sum(status.state is DeviceState.ONLINE for status in self.statuses.values())
        return f"{online} of {len(self._pipelines)} devices online"

    def _note_outage(self, status: DeviceStatus) -> None:
        """Tell of an outage of a device when it is over. What it costs are the readings that failed: none was kept."""
        failed = self.failures.get(status.device, 0)
        tally = Tally(failed, failed)
        if status.state is DeviceState.OFFLINE:
            self._outages.begin(Cause.DEVICE, status.device, status.reason, tally)
        else:
            notice = self._outages.end(Cause.DEVICE, status.device, tally)
            if notice is not None:
                self._outbox.put(notice)
