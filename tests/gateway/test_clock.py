"""The clocks of this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway.clock import SystemClock, boot_id
from gateway.model import ClockState

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_now_reads_both_clocks() -> None:
    """Wall and monotonic time of one instant."""
    before = (time.time_ns(), time.monotonic_ns())
    stamp = SystemClock().now()
    after = (time.time_ns(), time.monotonic_ns())
    assert before[0] <= stamp.time <= after[0]
    assert before[1] <= stamp.monotonic <= after[1]


def test_synchronisation_is_what_timesyncd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark appears once the clock was set; it is looked up at most once a second."""
    mark = tmp_path / "synchronized"
    clock = SystemClock(mark)
    assert clock.now().clock is ClockState.FREE_RUNNING
    mark.touch()
    assert clock.now().clock is ClockState.FREE_RUNNING
    later = time.monotonic_ns() + 2_000_000_000
    monkeypatch.setattr(time, "monotonic_ns", lambda: later)
    assert clock.now().clock is ClockState.SYNCED


def test_boot_id_is_the_kernels_and_empty_without_one(tmp_path: Path) -> None:
    """A machine that tells none is no reason to stop."""
    (tmp_path / "boot_id").write_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8\n")
    assert boot_id(tmp_path / "boot_id") == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert boot_id(tmp_path / "nothing") == ""
