"""A real file system of 1 MB that fills up."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Batch, Notice, Tag
from gateway.outbox.files import Folder
from gateway.testing import sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.outbox.entry import Entry

NewRig = Any


def told(entries: list[Entry]) -> Counter[str]:
    """How many batches of each device the gap records of these entries count."""
    counts: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry.item, Notice) and entry.item.topic == "gaps":
            assert entry.item.body["reason"] == "spool_full"
            counts[str(entry.item.body["device"])] += int(entry.item.body["count"] or 0)
    return counts


def delivered(entries: list[Entry]) -> Counter[str]:
    """How many batches of each device are among these entries."""
    return Counter(entry.device for entry in entries if isinstance(entry.item, Batch))


async def outage(rig: Any, rounds: int, each: int = 20) -> Counter[str]:
    """Readings arrive and nobody takes them. Returns how many were put, by device."""
    for _ in range(rounds):
        rig.put(each, "press-12")
        rig.put(each // 4, "meter")
        await rig.tend(1.1)
    return Counter({"press-12": rounds * each, "meter": rounds * (each // 4)})


def fill(file: Path) -> None:
    """Take all that is left of a disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(descriptor, bytes(4096)):
            pass
    os.close(descriptor)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A real file system of 1 MB, away from pytest's folders: what a killed run leaves disturbs no later one."""
    place = Path(mkdtemp(prefix="edge-gateway-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        place.rmdir()
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()


async def test_a_real_disk_that_fills_up_keeps_the_newest(small_disk: Path, new_rig: Callable[..., Any]) -> None:
    """Twice as much as fits: the process goes on, delivered and counted are together what was put."""
    rig = new_rig(Folder(small_disk / "spool"))
    random = Random(1)  # noqa: S311 - numbers that cannot be compressed, no secret
    plan = sample_plan("meter", *(Tag(f"tag{at}", f"holding:{at}", "float64") for at in range(50)))
    for _ in range(50):
        for _ in range(100):
            rig.outbox.put(sample_batch(plan, [random.random() for _ in range(50)], rig.clock.now()))
        await rig.tend(1.1)
        assert rig.outbox.durability.on_disk, rig.outbox.durability.cause
    assert rig.outbox.counters.spool_bytes < 1024 * 1024
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == Counter({"meter": 5000})
    assert told(drained).total() > 1000
    await rig.outbox.close()


async def test_a_real_disk_that_others_fill_is_left_alone_and_taken_up_again(
    small_disk: Path, new_rig: Callable[..., Any]
) -> None:
    """No byte is left: nothing crashes, memory holds what waits, and when there is room again all of it is safe."""
    rig = new_rig(Folder(small_disk / "spool"))
    put = await outage(rig, 3)
    filler = small_disk / "filler"
    fill(filler)
    put += await outage(rig, 3)
    assert not rig.outbox.durability.on_disk
    filler.unlink()
    await rig.tend(40)
    assert rig.outbox.durability.on_disk
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put
    await rig.outbox.close()
