"""The way of a batch from the field to the outbox: each device's pipeline between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gateway.model import DeviceState
from gateway.processing.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch, DeviceStatus
    from gateway.outbox.outbox import Outbox


log = structlog.get_logger()


class Flow:
    """What the collector hands its batches and reports to."""

    def __init__(self, outbox: Outbox, clock: Clock, on_status: Callable[[DeviceStatus], None]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._on_status = on_status
        self._pipelines: dict[str, Pipeline] = {}
        self.statuses: dict[str, DeviceStatus] = {}
        """The newest state of each device that was heard of."""
        self.failures: dict[str, int] = {}
        """Failed readings of each device since the start."""

    def carry(self, devices: Iterable[Device]) -> None:
        """Carry the batches of these devices from now on. A plan that is the same object as before keeps its memory."""
        before = self._pipelines
        self._pipelines = {}
        for device in devices:
            known = before.get(device.name)
            keep = known is not None and known.plan is device.plan
            self._pipelines[device.name] = known if known is not None and keep else Pipeline(device.plan)
        self.statuses = {name: status for name, status in self.statuses.items() if name in self._pipelines}

    def emit(self, batch: Batch) -> None:
        """A batch as acquired. One made with a plan that a reload replaced is let go."""
        pipeline = self._pipelines.get(batch.plan.device)
        if pipeline is None or pipeline.plan is not batch.plan:
            return
        processed = pipeline.process(batch)
        if processed is not None:
            self._outbox.put(processed)

    def report(self, status: DeviceStatus) -> None:
        """A device changed its state."""
        if status.device in self._pipelines:
            self.statuses[status.device] = status
            tell = log.info if status.state is DeviceState.ONLINE else log.warning
            tell(f"device_{status.state}", device=status.device, reason=status.reason)
            self._on_status(status)

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

    def summary(self) -> str:
        """`2 of 3 devices online`, for a status line."""
        online = sum(status.state is DeviceState.ONLINE for status in self.statuses.values())
        return f"{online} of {len(self._pipelines)} devices online"
