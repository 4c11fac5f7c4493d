"""What happens to a batch between driver and outbox, compiled once a plan.

In this order: what is no number is refused, counters are guarded, raw values become engineering values, these are
judged, and what is worth sending is chosen. Each stage works on whole columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.processing.counters import Counters
from gateway.processing.finite import Finite
from gateway.processing.flatline import FlatLine
from gateway.processing.rate import RateLimits
from gateway.processing.raw_ends import RawEnds
from gateway.processing.reporting import Reporter
from gateway.processing.scale_from import ScaleFrom
from gateway.processing.scaling import Scaling
from gateway.processing.validity import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.model import Batch, Notice, Plan, Stamp
    from gateway.processing.counters import Store

    class Stage(Protocol):
        """One step of the way of a batch."""

        @property
        def positions(self) -> Sequence[int]:
            """The tags that it looks at; a stage without any is left out."""
            ...

        def apply(self, batch: Batch) -> None:
            """Change the batch in place."""
            ...


def _nobody(_: Notice) -> None:
    """Where events go that nobody wants."""


class Pipeline:
    """The stages of one device. A stage that no tag of the plan uses is left out.

    Args:
        plan: of the driver; batches come in by it, and leave by `plan.published`.
        store: where totals of counters are kept between runs.
        tell: takes an event for each repair of a counter.
    """

    def __init__(self, plan: Plan, store: Store | None = None, tell: Callable[[Notice], None] = _nobody) -> None:
        self.plan = plan
        self._counters = Counters(plan, store, tell)
        self._stages = [stage for stage in _stages(plan, self._counters) if stage.positions]
        self._reporter = Reporter(plan.published)

    def process(self, batch: Batch) -> list[Batch]:
        """What to send of a batch, in its order; see `report`."""
        self.refine(batch)
        return self.report(batch)

    def refine(self, batch: Batch) -> None:
        """Scale and judge each value in place. What is calculated from these values sees every one of them."""
        for stage in self._stages:
            stage.apply(batch)

    def report(self, batch: Batch) -> list[Batch]:
        """What is worth sending of a refined batch, which is changed in place; nothing where all is held back.

        Points that a swinging door held back till now go first, in batches of their own times.
        """
        return self._reporter.report(batch)

    def heartbeat(self, stamp: Stamp) -> Batch | None:
        """A snapshot of last values where one is overdue because the device yields nothing; else None.

        Also tells of the tags that have just become stale.
        """
        return self._reporter.heartbeat(stamp)

    def finish(self) -> list[Batch]:
        """What is still held back. To be sent before this pipeline is let go, and after its last batch."""
        self.save()
        return self._reporter.finish()

    def save(self) -> None:
        """Put the totals of counters into the store."""
        self._counters.save()

    @property
    def repaired(self) -> bool:
        """A total was repaired since the last `save`, which should not wait."""
        return self._counters.repaired


def _stages(plan: Plan, counters: Counters) -> Sequence[Stage]:
    published = plan.published
    return (
        Finite(plan),
        counters,
        RawEnds(published),
        Scaling(published),
        ScaleFrom(published),
        Limits(published),
        RateLimits(published),
        FlatLine(published),
    )
