"""What happens to a batch between driver and outbox, compiled once a plan: scaling, validity, reporting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.processing.reporting import Reporter
from gateway.processing.scaling import Scaling
from gateway.processing.validity import Limits

if TYPE_CHECKING:
    from gateway.model import Batch, Plan, Stamp


class Pipeline:
    """The stages of one device. A stage that no tag of the plan uses is left out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._stages = [stage for stage in (Scaling(plan), Limits(plan)) if stage.positions]
        self._reporter = Reporter(plan)

    def process(self, batch: Batch) -> Batch | None:
        """The batch to send, changed in place; None where deadbands hold all of it back."""
        for stage in self._stages:
            stage.apply(batch)
        return self._reporter.report(batch)

    def heartbeat(self, stamp: Stamp) -> Batch | None:
        """A snapshot of last values where one is overdue because the device yields nothing; else None."""
        return self._reporter.heartbeat(stamp)
