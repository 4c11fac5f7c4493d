"""The latest value of each tag that another one is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ABSENT, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import Batch, Plan, Value


class LatestValues:
    """Values and qualities in two columns. A tag that was never heard of is BAD, not available.

    Args:
        names: the tags, each as `device.tag`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.index = {name: position for position, name in enumerate(dict.fromkeys(names))}
        """Where each tag stands."""
        self.values: list[Value | None] = [None] * len(self.index)
        self.quality: list[Quality] = [Quality.NOT_AVAILABLE] * len(self.index)

    def take_over(self, before: LatestValues, devices: Iterable[str]) -> None:
        """Begin with what an earlier table knows of the tags of these devices."""
        still = frozenset(devices)
        for name, position in self.index.items():
            if name in before.index and name.partition(".")[0] in still:
                self.values[position] = before.values[before.index[name]]
                self.quality[position] = before.quality[before.index[name]]


class Feed:
    """The way of one device's batches into a table.

    Args:
        device: its name.
        table: where the values go.
    """

    def __init__(self, device: str, table: LatestValues) -> None:
        self._table = table
        here = [(name.partition(".")[2], place) for name, place in table.index.items() if name.startswith(f"{device}.")]
        self._places = dict(here)
        self._plan: Plan | None = None
        self._columns: list[tuple[int, int]] = []

    def take(self, batch: Batch) -> Sequence[tuple[int, int]]:
        """Put what is fresh into the table; returns each as its position in the batch and its place in the table."""
        if batch.plan is not self._plan:
            self._prepare(batch.plan)
        cells, qualities = batch.values, batch.quality
        values, quality = self._table.values, self._table.quality
        fresh = [column for column in self._columns if cells[column[0]] is not ABSENT]
        for position, place in fresh:
            values[place] = cells[position]  # type: ignore[assignment]  # what is ABSENT was left out above
            quality[place] = qualities[position]
        return fresh

    def _prepare(self, plan: Plan) -> None:
        self._plan = plan
        self._columns = [
            (position, self._places[tag.name]) for position, tag in enumerate(plan.tags) if tag.name in self._places
        ]
