"""The live table of the demo: every tag with its value, unit, quality and age."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gateway.cli.arrivals import Arrival, Arrivals

_STYLES = {"good": "green", "uncertain": "yellow", "bad": "bold red", "": "dim"}


class LiveTable:
    """The table, drawn again at each `show`. Where the output is no terminal it is printed once, at the end."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = Live(auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, arrivals: Arrivals) -> None:
        """Draw what has arrived by now."""
        self._live.update(arrivals_table(arrivals, self._title), refresh=True)


def arrivals_table(arrivals: Arrivals, title: str) -> Table:
    """One row a tag, for a terminal of 80 columns."""
    caption = f"{arrivals.messages} messages, {arrivals.messages_per_s():.1f} a second"
    table = Table(title=title, caption=caption, expand=False, pad_edge=False)
    for heading in ("device", "tag"):
        table.add_column(heading, no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("quality", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    shown = ""
    for arrival in arrivals.tags.values():
        table.add_row(*_row(arrival, "" if arrival.device == shown else arrival.device))
        shown = arrival.device
    return table


def _row(arrival: Arrival, device: str) -> tuple[str | Text, ...]:
    quality = Text(arrival.quality or "waiting", style=_STYLES[arrival.quality.partition(":")[0]])
    return device, arrival.tag, _value(arrival.value), arrival.unit, quality, _age(arrival)


def _value(value: bool | float | str | None) -> str:  # noqa: FBT001 - a tag may hold a bool
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _age(arrival: Arrival) -> str:
    return f"{time.monotonic() - arrival.arrived_s:.1f} s" if arrival.count else ""
