"""Feeds the Modbus driver with frames of all kinds: `make fuzz`, or `python -m tests.fuzz [--frames N] [--seed S]`.

Exit code 1 where anything but the driver's own errors came out, a value was wrong, a worker hung, or memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.fuzz.targets import TARGETS, pool, run_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.modbus.plan import Block

CHUNK: Final = 20_000
"""Frames that a worker does at a time."""
HUNG_AFTER_S: Final = 120.0
"""A chunk takes about 3 s."""
GROWTH_MB: Final = 4.0
"""What the memory of a worker may grow in the second half of a run, when caches and the allocator's stock are full."""
SHARES: Final = {"tcp": 0.7, "rtu": 0.12, "decoders": 0.13, "writes": 0.05}
"""Of all frames."""


class Done(NamedTuple):
    """One chunk."""

    target: str
    outcomes: Counter[str]
    cpu_s: float
    worker: int
    rss_mb: float


@cache
def _blocks(seed: int) -> list[Block]:
    return pool(seed)


def chunk(target: str, seed: int, number: int, frames: int) -> Done:
    """Do one chunk; the same arguments do the same."""
    faulthandler.dump_traceback_later(HUNG_AFTER_S, exit=True, file=sys.__stderr__)
    begun_s = time.process_time()
    rng = Random(f"{seed}/{target}/{number}")  # noqa: S311 - the same every time, on purpose
    try:
        one = TARGETS[target](_blocks(seed))
        asyncio.run(run_steps(one, rng, frames))
    except Exception as error:
        raise RuntimeError(f"{target}: --seed {seed}, chunk {number}: {type(error).__name__}: {error}") from error
    faulthandler.cancel_dump_traceback_later()
    return Done(target, one.outcomes, time.process_time() - begun_s, os.getpid(), _rss_mb())


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _work(frames: int) -> Iterator[tuple[str, int, int]]:
    """Target, number and frames of each chunk; targets in turn, so that each run soon meets all of them."""
    left = {target: round(frames * share) for target, share in SHARES.items()}
    for number in count():
        for target in [target for target, frames_left in left.items() if frames_left]:
            size = min(CHUNK, left[target])
            left[target] -= size
            yield target, number, size
        if not any(left.values()):
            return


def run(frames: int, seed: int, processes: int) -> list[Done]:
    """Do all chunks, telling how far it got."""
    done: list[Done] = []
    with ProcessPoolExecutor(processes) as workers:
        futures = [workers.submit(chunk, target, seed, number, size) for target, number, size in _work(frames)]
        try:
            for future in as_completed(futures):
                done.append(future.result())
                fed = sum(one.outcomes.total() for one in done)
                sys.stderr.write(f"\r{fed:>12,} of {frames:,} frames")
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            sys.stderr.write("\n")
    return done


def growth_mb(done: list[Done]) -> float:
    """By how much the memory of the worst worker grew in the second half of its chunks."""
    grown = [0.0]
    for worker in {one.worker for one in done}:
        sizes = [one.rss_mb for one in done if one.worker == worker]
        grown.append(sizes[-1] - sizes[len(sizes) // 2])
    return max(grown)


def table(done: list[Done]) -> str:
    """What came out of each target."""
    lines = [f"{'target':<10}{'frames':>12}{'us a frame':>12}   outcomes"]
    for target in SHARES:
        own = [one for one in done if one.target == target]
        outcomes = sum((one.outcomes for one in own), Counter[str]())
        cpu_us = 1e6 * sum(one.cpu_s for one in own) / max(outcomes.total(), 1)
        told = ", ".join(f"{name} {count:,}" for name, count in outcomes.most_common())
        lines.append(f"{target:<10}{outcomes.total():>12,}{cpu_us:>12.1f}   {told}")
    return "\n".join(lines)


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000_000, help="frames in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed feeds other frames (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: one a processor")
    args = parser.parse_args()
    begun_s = time.monotonic()
    try:
        done = run(args.frames, args.seed, args.processes)
    except Exception as error:  # noqa: BLE001 - whatever came out is what this program looks for
        sys.stdout.write(f"found: {error}\n")
        return 1
    grown_mb = growth_mb(done)
    took_s = time.monotonic() - begun_s
    grown = f"memory of a worker grew by {grown_mb:.1f} MB in the second half"
    sys.stdout.write(f"{table(done)}\n{took_s:.0f} s; {grown}\n")
    return int(grown_mb > GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
