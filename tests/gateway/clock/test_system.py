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


def test_synchronisation_is_asked_for_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stamp on the way of every batch costs no system call and no look at a file."""
    said = [False, True, True]
    asked: list[bool] = []
    clock = SystemClock(lambda: asked.append(said[len(asked)]) or asked[-1])
    begin = time.monotonic_ns()
    monotonic = [begin]
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic[0])
    assert [clock.now().clock for _ in range(100)] == [ClockState.FREE_RUNNING] * 100
    monotonic[0] = begin + 999_999_999
    assert clock.now().clock is ClockState.FREE_RUNNING
    monotonic[0] = begin + 1_000_000_000
    assert clock.now().clock is ClockState.SYNCED
    assert len(asked) == 2


def test_boot_id_is_the_kernels_and_empty_without_one(tmp_path: Path) -> None:
    """A machine that tells none is no reason to stop."""
    (tmp_path / "boot_id").write_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8\n")
    assert boot_id(tmp_path / "boot_id") == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert boot_id(tmp_path / "nothing") == ""
