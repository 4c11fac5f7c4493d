"""Real processes on a real disk: killed in the middle of their work, and what the next one finds."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.clock import SystemClock
from gateway.model import Batch
from gateway.outbox.files import Folder
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.outbox.entry import Entry

GATEWAY = """
import asyncio, sys
from pathlib import Path
from gateway.clock import SystemClock
from gateway.model import Run
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.testing import sample_batch, sample_plan

async def main(folder, run):
    clock = SystemClock()
    outbox = Outbox(Run(run, "8c1f9a3e", ""), clock, Spool.open(folder, clock, Room(10**9)), spill_after_s=0.02)
    running = asyncio.create_task(outbox.run())
    plan, safe = sample_plan(), 0
    for number in range(1, 1_000_000):
        outbox.put(sample_batch(plan, [number / 7, number % 2 == 0, number], clock.now()))
        await asyncio.sleep(0.0005)
        batches = outbox.counters.spilled - outbox._seqs.get("_gateway", 0)
        if batches > safe:
            safe = batches
            print(safe, flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""
"""A gateway without a broker: it puts numbered batches, and prints how many of them are safe on disk."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Starts such gateways, one after the other, on one folder."""
    started: list[subprocess.Popen[str]] = []

    def new_process() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", GATEWAY, str(tmp_path / "spool"), str(len(started) + 1)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        return started[-1]

    yield new_process
    for process in started:
        process.kill()
        process.wait()


def killed_after(process: subprocess.Popen[str], times: int) -> int:
    """Kill a gateway when it has said so often that more is safe. Returns how many batches it said were safe."""
    assert process.stdout is not None
    said: list[int] = []
    for line in process.stdout:
        said += [int(line)] if line.strip().isdigit() else []
        if len(said) == times:
            process.kill()
    process.stdout.close()
    assert len(said) >= times, "the gateway ended by itself"
    return said[-1]


def read_all(folder: Path) -> list[Entry]:
    """All that lies in a spool, every row checked."""
    spool = Spool.open(folder, SystemClock(), Room(10**9))
    assert spool.failure is None
    found: list[Entry] = []
    while loaded := spool.read():
        assert loaded.losses == []
        found += [entry for _, entry in loaded.entries]
    for entry in found:
        if isinstance(entry.item, Batch):
            number = entry.seq
            assert entry.item.values == [number / 7, number % 2 == 0, number], "a wrong row"
    return found


def test_killed_ten_times_nothing_that_was_safe_is_lost(start: Any, tmp_path: Path) -> None:
    """`kill -9` in the middle of spilling: each start finds all that every gateway before had said to be on disk."""
    safe = {run: killed_after(start(), times=2 + run % 3) for run in range(1, 11)}
    found = read_all(tmp_path / "spool")
    for run, count in safe.items():
        seqs = [entry.seq for entry in found if entry.run == f"{run:06d}-8c1f9a3e" and isinstance(entry.item, Batch)]
        assert count > 0
        assert seqs == list(range(1, len(seqs) + 1)), "out of order"
        assert len(seqs) >= count, "lost"
    assert (tmp_path / "spool" / "running").exists()


def test_no_kill_goes_untold(start: Any, tmp_path: Path) -> None:
    """The gap of the first kill is on disk before the second one strikes, and stays there until it is told."""
    killed_after(start(), times=3)
    first_kill = time.time_ns()
    for _ in range(2):
        killed_after(start(), times=3)
    found = Spool.open(tmp_path / "spool", SystemClock(), Room(10**9)).take_found()
    assert found is not None
    assert {(gap.device, gap.count, gap.reason) for gap in found.gaps} == {("*", None, "crash")}
    assert min(gap.start for gap in found.gaps) <= first_kill


def test_a_start_is_quick_however_much_waits(tmp_path: Path) -> None:
    """Three hundred segments on a real disk: the folder is listed and the newest read, nothing else."""
    (tmp_path / "spool").mkdir()
    files = Folder(tmp_path / "spool")
    spool = Spool.open(tmp_path / "spool", SystemClock(), Room(10**9))
    spool.close(clean=True)
    for number in range(1, 301):
        name = f"{number:08d}-{1000 * number:012d}-0.v1.spool"
        (tmp_path / "spool" / name).write_bytes(bytes(100))
    begun = time.monotonic()
    spool = Spool.open(tmp_path / "spool", SystemClock(), Room(10**9))
    assert time.monotonic() - begun < 5
    assert spool.bytes_on_disk == 300 * 100
    assert len(files.sizes()) == 301
