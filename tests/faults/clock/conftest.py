"""A whole gateway on a clock that a test sets, in one process with the test; broker and subscriber are real."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

import gateway.app
from gateway.app import App
from gateway.config.load import load
from gateway.model import ClockState, Stamp
from gateway.state import State
from gateway.status.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

GATEWAY = """\
version: 1
gateway:
  id: bench-1
  location: {{enterprise: acme, site: ehv}}
broker: {{url: {url}}}
clock: {{{clock}}}
"""

PLANT = """\
version: 1
driver: sim
defaults: {{period_s: {period_s}}}
devices:
  machine:
    tags:
      count: {{address: counter}}
      oil: {{address: "constant:95.5", unit: °C, alarms: {{hot: {{above: 80}}}}}}
"""

EPOCH_1970 = 0


class SetClock:
    """Runs like the clocks of this machine; the wall clock is whatever it was set to, the boot whenever it was."""

    def __init__(self, wall_ns: int, state: ClockState = ClockState.FREE_RUNNING) -> None:
        self._booted_ns = time.monotonic_ns() - 5_000_000_000
        self.state = state
        self._offset_ns = 0
        self.set(wall_ns)

    def set(self, wall_ns: int, state: ClockState | None = None) -> None:
        """Set the wall clock, as a time server or a person does."""
        self._offset_ns = wall_ns - self._monotonic_ns()
        self.state = state or self.state

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._offset_ns += round(seconds * 1e9)

    def true(self) -> None:
        """A time server has set it."""
        self.set(time.time_ns(), ClockState.SYNCED)

    def now(self) -> Stamp:
        """This instant on both clocks."""
        monotonic = self._monotonic_ns()
        return Stamp(monotonic + self._offset_ns, monotonic, self.state)

    def monotonic_s(self) -> float:
        """The monotonic clock in seconds."""
        return self._monotonic_ns() / 1e9

    def _monotonic_ns(self) -> int:
        return time.monotonic_ns() - self._booted_ns


class Plant:
    """The files of one gateway, and its runs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._config, self._state = folder / "config", folder / "state"
        (self._config / "connections").mkdir(parents=True)
        self._monkeypatch = monkeypatch

    def write(self, url: str, clock: str = "", period_s: float = 0.2) -> None:
        """Write the files."""
        (self._config / "gateway.yaml").write_text(GATEWAY.format(url=url, clock=clock))
        (self._config / "connections" / "plant.yaml").write_text(PLANT.format(period_s=period_s))

    @asynccontextmanager
    async def running(self, clock: SetClock, boot: str = "boot-1") -> AsyncIterator[App]:
        """A run of the gateway, ended in good order."""
        self._monkeypatch.setattr(gateway.app, "boot_id", lambda: boot)
        result = load(self._config)
        assert result.configuration is not None, result.problems
        app = App(result.configuration, State.open(self._state), clock, Notifier({}), lambda: load(self._config))
        task = asyncio.create_task(app.run())
        try:
            yield app
        finally:
            app.stop()
            await task


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    folder = tmp_path / "plant"
    folder.mkdir()
    return Plant(folder, monkeypatch)


def seconds(message: dict[str, Any]) -> float:
    """The time of a message, s since 1970."""
    return datetime.fromisoformat(message["time"]).timestamp()


def without_hole(batches: list[dict[str, Any]]) -> bool:
    """Whether the batches of each run are 1, 2, 3, ..."""
    seqs: dict[str, set[int]] = {}
    for batch in batches:
        seqs.setdefault(batch["run"], set()).add(batch["seq"])
    return all(known == set(range(1, max(known) + 1)) for known in seqs.values())
