"""Processing: a batch of 100 numbers against one list comprehension, and how well swinging doors compress.

The ratio is between two loops over the same values in the same run, taken alternately, the best of many rounds each.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import ABSENT, Batch, Plan, Quality, Stamp, Tag
from gateway.processing.pipeline import Pipeline
from gateway.testing import ManualClock
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TAGS = 100
ROUNDS = 40
BATCHES = 200
MOST_TIMES_A_COMPREHENSION = 6
SAMPLES = 20_000


class Signal(NamedTuple):
    """A signal sampled once a second, and the error that its trend may have."""

    name: str
    error: float
    values: list[float]


def measure() -> list[Figure]:
    """The speed of the stages that most tags use, and the compression of three signals."""
    return [*_speed(), *(figure for signal in _signals() for figure in _compression(signal))]


def _speed() -> list[Figure]:
    plain = Plan("bench", tuple(Tag(f"t{at}", "a", "uint16") for at in range(TAGS)), heartbeat_s=1e9)
    full = Plan("bench", tuple(_scaled_tag(at) for at in range(TAGS)), heartbeat_s=1e9)
    compiled, without_stages = Pipeline(full), Pipeline(plain)
    columns = [[(1000 + 7 * at + 31 * turn) % 30_000 for at in range(TAGS)] for turn in range(BATCHES)]
    comprehension, stages, unused, bare = _alternately(
        lambda: _comprehensions(columns),
        lambda: _processed(compiled, columns),
        lambda: _processed(without_stages, columns),
        lambda: _made(full, columns),
    )
    note = f"{TAGS} tags, all changing; one list comprehension takes {1e6 * comprehension / BATCHES:.1f} us"
    return [
        Figure(
            "scaling, range and deadband of a batch",
            (stages - bare) / comprehension,
            "times",
            MOST_TIMES_A_COMPREHENSION,
            note=note,
        ),
        Figure("the same batch", 1e6 * (stages - bare) / BATCHES, "us"),
        Figure("a batch whose tags use no stage", 1e6 * (unused - bare) / BATCHES, "us"),
    ]


def _scaled_tag(at: int) -> Tag:
    return Tag(f"t{at}", "a", "uint16", scale=0.1, range=(0.0, 5000.0), deadband=0.5)


def _batches(plan: Plan, columns: Sequence[list[int]]) -> Iterator[Batch]:
    """As the collector makes them, one after the other."""
    clock = ManualClock()
    good = [Quality.GOOD] * TAGS
    for turn, column in enumerate(columns):
        yield Batch(plan, list(column), good.copy(), Stamp(0, turn * 10**9, clock.state), whole=True)


def _made(plan: Plan, columns: Sequence[list[int]]) -> None:
    """What making the batches costs alone."""
    for _ in _batches(plan, columns):
        pass


def _processed(pipeline: Pipeline, columns: Sequence[list[int]]) -> None:
    for batch in _batches(pipeline.plan, columns):
        pipeline.process(batch)


def _comprehensions(columns: Sequence[list[int]]) -> None:
    for column in columns:
        [value * 0.1 + 5.0 for value in column]


def _alternately(*loops: Callable[[], None]) -> list[float]:
    times: list[list[float]] = [[] for _ in loops]
    for _ in range(ROUNDS):
        for loop, taken in zip(loops, times, strict=True):
            taken.append(_seconds(loop))
    return [min(taken) for taken in times]


def _seconds(loop: Callable[[], object]) -> float:
    begun = perf_counter()
    loop()
    return perf_counter() - begun


def _signals() -> list[Signal]:
    """Three that a shop floor has: a slow temperature with noise, a sawtooth of a filling, a load in steps."""
    chance = random.Random(7)  # noqa: S311 - the same signal in every run
    temperature = [
        60 + 15 * math.sin(second / 1800) + 2 * math.sin(second / 120) + chance.gauss(0, 0.05)
        for second in range(SAMPLES)
    ]
    filling = [(second % 300) / 3 + chance.gauss(0, 0.1) for second in range(SAMPLES)]
    load, level = [], 40.0
    for _ in range(SAMPLES):
        level = chance.uniform(0, 100) if chance.random() < 1 / 200 else level
        load.append(round(level + chance.gauss(0, 0.2), 1))
    return [
        Signal("temperature in °C, error 0.25", 0.25, temperature),
        Signal("filling in %, error 0.5", 0.5, filling),
        Signal("load in %, error 1", 1.0, load),
    ]


def _compression(signal: Signal) -> list[Figure]:
    points = _sent(signal)
    worst = max(
        abs(value - _drawn(before, after, second))
        for before, after in pairwise(points)
        for second in range(before[0], after[0] + 1)
        for value in (signal.values[second],)
    )
    gaps = [after[0] - before[0] for before, after in pairwise(points)]
    return [
        Figure(f"swinging door, {signal.name}", len(signal.values) / len(points), "to 1", 1, at_least=True),
        Figure("    worst error in parts of the bound", worst / signal.error, "", 1 + 1e-9),
        Figure("    samples between two points, median", median(gaps), ""),
    ]


def _sent(signal: Signal) -> list[tuple[int, float]]:
    """The points that leave the pipeline: second and value."""
    plan = Plan("bench", (Tag("signal", "a", "float64", swinging_door=signal.error),), heartbeat_s=1e9)
    pipeline, clock = Pipeline(plan), ManualClock(time_ns=0)
    clock.monotonic_ns = 0
    batches: list[Batch] = []
    for value in signal.values:
        batches += pipeline.process(Batch(plan, [value], [Quality.GOOD], clock.now(), whole=True))
        clock.advance(1.0)
    batches += pipeline.finish()
    return [(round(batch.stamp.time / 1e9), _number(batch)) for batch in batches]


def _number(batch: Batch) -> float:
    (value,) = batch.values
    assert value is not ABSENT
    assert isinstance(value, float)
    return value


def _drawn(before: tuple[int, float], after: tuple[int, float], second: int) -> float:
    """What a consumer that draws straight lines shows."""
    return before[1] + (after[1] - before[1]) * (second - before[0]) / (after[0] - before[0])
