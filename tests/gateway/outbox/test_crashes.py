"""Whatever happens, in whatever order: what was on disk comes back, no row is wrong, duplicates are few."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from errno import EIO, ENOSPC, EROFS
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gateway.model import Batch

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.outbox.entry import Entry

DEVICES = st.sampled_from(["press-12", "meter"])
TROUBLED = [
    *("create", "write", "sync", "rename", "unlink", "truncate", "sync_folder"),
    *("create done", "write done", "sync done", "rename done", "unlink done", "truncate done", "sync_folder done"),
]
MOMENTS = st.sampled_from(TROUBLED)


class Life(RuleBasedStateMachine):
    """An outbox through outages, failures of its disk, crashes in the middle of any operation, and restarts.

    Batches go by their values, each of which is put once. `safe` are those that may not be lost any more: on disk and
    synced. `done` are those that may not be sent again: acknowledged, and that noted on disk.
    """

    rig_type: Any
    power_cut_error: type[Exception]

    @initialize(segment_bytes=st.sampled_from([300, 2000, 100_000]))
    def begin(self, segment_bytes: int) -> None:
        """A new gateway with an empty disk."""
        self.runner = asyncio.Runner()
        self.rig = self.rig_type(segment_bytes=segment_bytes)
        self.put_at: dict[int, float] = {}
        self.safe: set[int] = set()
        self.acknowledged: set[int] = set()
        """By this process."""
        self.delivered: set[int] = set()
        self.was_full = False
        self.gaps: dict[tuple[str, int], dict[str, Any]] = {}
        self.done: set[int] = set()
        self.under_way: list[Entry] = []
        self.newest: dict[tuple[str, str, bool], int] = {}

    @rule(device=DEVICES, how_many=st.integers(1, 5))
    def put(self, device: str, how_many: int) -> None:
        """Readings arrive."""
        for value in self.rig.put(how_many, device):
            self.put_at[value] = self.rig.clock.monotonic_s()

    @rule()
    def tell(self) -> None:
        """The gateway notes something about itself."""
        self.rig.notice()

    @rule(most=st.integers(1, 16))
    def take(self, most: int) -> None:
        """The broker is there."""
        for _ in range(most):
            entry = self.do(self.rig.take_next())
            if entry is None:
                return
            self.check(entry)
            self.under_way.append(entry)

    @rule(which=st.integers(0, 15))
    def acknowledge(self, which: int) -> None:
        """A PUBACK comes, not always in order."""
        if self.under_way:
            entry = self.under_way.pop(which % len(self.under_way))
            self.rig.outbox.acknowledge(entry)
            self.note_delivered(entry)

    @rule()
    def acknowledge_all(self) -> None:
        """PUBACKs for all that is under way."""
        while self.under_way:
            self.acknowledge(0)

    @rule()
    def lose_link(self) -> None:
        """What is under way may or may not have reached the broker."""
        self.rig.outbox.give_back()
        self.under_way.clear()
        self.newest.clear()

    @rule(seconds=st.sampled_from([0.1, 0.6, 1.1, 5.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        """A round of disk work after some time."""
        self.do(self.rig.tend(seconds))
        if self.rig.outbox.durability.on_disk:
            late = self.rig.clock.monotonic_s() - 2.0
            self.safe |= {value for value, at in self.put_at.items() if at <= late}
            if seconds >= 1.0:
                self.done |= self.acknowledged

    @rule(moment=MOMENTS, error=st.sampled_from([EIO, ENOSPC, EROFS]), times=st.integers(1, 3))
    def fail_then_recover(self, moment: str, error: int, times: int) -> None:
        """The disk refuses some operations of one kind, then is well again."""
        left = [times]
        self.was_full |= error == ENOSPC

        def fault(operation: str, _name: str) -> None:
            if operation == moment and left[0]:
                left[0] -= 1
                raise OSError(error, "the disk fails")

        self.rig.disk.fault = fault
        self.do(self.rig.tend(1.1))
        self.rig.disk.fault = lambda _operation, _name: None

    @rule(moment=MOMENTS, seed=st.integers(0, 2**32))
    def lose_power_during(self, moment: str, seed: int) -> None:
        """The machine stops at the first operation of a kind, if there is one, during a round of disk work."""
        self.crash_at(moment, self.rig.tend(1.1), seed)

    @rule(seed=st.integers(0, 2**32))
    def lose_power(self, seed: int) -> None:
        """The machine stops between two operations."""
        self.rig.power_cut(Random(seed))  # noqa: S311 - chance for a test, no secret
        self.restarted()

    @rule()
    def be_killed(self) -> None:
        """`kill -9`: nothing that was written is lost."""
        self.rig.killed()
        self.restarted()

    @rule()
    def restart(self) -> None:
        """An orderly end, after which everything is on disk, and a new start."""
        self.do(self.rig.outbox.close())
        if self.rig.outbox.durability.on_disk:
            self.safe |= set(self.put_at)
            self.done |= self.acknowledged
            assert "running" not in self.rig.disk.names
        self.rig.killed()
        self.restarted()

    @rule(moment=MOMENTS, seed=st.integers(0, 2**32))
    def lose_power_while_ending(self, moment: str, seed: int) -> None:
        """The machine stops during an orderly end."""
        self.crash_at(moment, self.rig.outbox.close(), seed)

    def teardown(self) -> None:
        """In the end everything that was safe has been delivered."""
        try:
            self.check_the_end()
        finally:
            self.runner.close()

    def check_the_end(self) -> None:
        """Drain all there is, on a disk that is well again."""
        self.rig.disk.fault = lambda _operation, _name: None
        self.lose_link()
        self.do(self.rig.tend(31.0))
        for entry in self.do(self.rig.drain()):
            self.check(entry)
            self.note_delivered(entry)
        missing = Counter(self.rig.names[value][0] for value in set(self.put_at) - self.delivered)
        counted: Counter[str] = Counter()
        for body in self.gaps.values():
            counted[body["device"]] += body["count"] or 0
        assert sum((missing - counted).values()) <= counted["*"], "lost without a word"
        assert self.rig.outbox.counters.waiting_in_memory == 0

    def crash_at(self, moment: str, work: Coroutine[Any, Any, None], seed: int) -> None:
        """Do some work, and stop the machine at one kind of operation."""
        clock = self.rig.clock.monotonic_s()

        def fault(operation: str, _name: str) -> None:
            if operation == moment:
                raise self.power_cut_error(operation)

        self.rig.disk.fault = fault
        try:
            self.do(work)
        except self.power_cut_error:
            assert self.rig.clock.monotonic_s() >= clock
        self.rig.power_cut(Random(seed))  # noqa: S311 - chance for a test, no secret
        self.restarted()

    def restarted(self) -> None:
        """What was not safe may be lost; what was acknowledged lately may come again."""
        self.put_at = {value: at for value, at in self.put_at.items() if value in self.safe}
        self.acknowledged.clear()
        self.under_way.clear()
        self.newest.clear()

    def check(self, entry: Entry) -> None:
        """No row is wrong, none comes again that was noted as delivered, and all come in order."""
        if isinstance(entry.item, Batch):
            key = (entry.device, entry.run, entry.history)
            assert entry.seq > self.newest.get(key, 0), "out of order"
            self.newest[key] = entry.seq
            [value] = entry.item.values
            assert (entry.device, entry.run, entry.seq) == self.rig.names[value], "a row wears another one's name"
            assert entry.item.plan.device == entry.device
            assert value not in self.done, "sent again"
            assert value not in numbers_of(self.under_way), "sent twice at a time"
        elif entry.item.topic == "gaps" and not self.was_full:
            assert entry.item.body["reason"] == "crash", "a gap is told where nothing is lost"

    def note_delivered(self, entry: Entry) -> None:
        """The consumer has it."""
        if isinstance(entry.item, Batch):
            self.acknowledged.add(entry.item.values[0])
            self.delivered.add(entry.item.values[0])
        elif entry.item.topic == "gaps":
            self.gaps[entry.run, entry.seq] = dict(entry.item.body)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run to its end in the loop of this life."""
        return self.runner.run(work)


class Bounded(Life):
    """As before, with bounds in bytes and age that a reload changes: what is dropped for them is counted."""

    @rule(max_bytes=st.sampled_from([2_000, 8_000, 10**9]), max_age_s=st.sampled_from([None, 30, 3600]))
    def reload(self, max_bytes: int, max_age_s: int | None) -> None:
        """Other bounds, from now on and after the next start."""
        self.was_full = True
        age_ns = None if max_age_s is None else max_age_s * 1_000_000_000
        self.rig.room = replace(self.rig.room, max_bytes=max_bytes, max_age_ns=age_ns)
        self.rig.spool.room = self.rig.room


def numbers_of(entries: list[Entry]) -> list[Any]:
    """The values of the batches among these entries."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


@pytest.fixture(autouse=True)
def a_rig_of_its_own(new_rig: Any, power_cut_error: type[Exception]) -> None:
    """What a life is made of."""
    Life.rig_type, Life.power_cut_error = new_rig, power_cut_error


FEW = settings(max_examples=60, stateful_step_count=30, suppress_health_check=list(HealthCheck), deadline=None)


def test_no_life_of_an_outbox_breaks_a_promise() -> None:
    """Short random lives, which are cut down to the shortest where one fails."""
    run_state_machine_as_test(Life, settings=FEW)


def test_no_life_with_changing_bounds_breaks_a_promise() -> None:
    """What a bound in bytes or age drops, with crashes and failures in the middle of dropping, is counted exactly."""
    run_state_machine_as_test(Bounded, settings=FEW)


@pytest.mark.parametrize("seed", range(40))
def test_no_long_life_breaks_a_promise(seed: int) -> None:
    """Long lives, in which outages, failures and crashes meet a spool of many segments."""
    random = Random(seed)  # noqa: S311 - chance for a test, no secret
    life = Bounded()
    life.begin(segment_bytes=random.choice([300, 1000, 5000]))
    try:
        for _ in range(150):
            live_on(life, random)
    finally:
        life.teardown()


def live_on(life: Bounded, random: Random) -> None:
    """One more step; readings, the broker and time come more often than trouble."""
    device, seed, moment = random.choice(["press-12", "meter"]), random.randrange(2**32), random.choice(TROUBLED)
    steps = {
        lambda: life.put(device=device, how_many=random.randint(1, 5)): 8,
        life.tell: 1,
        lambda: life.take(most=random.randint(1, 8)): 6,
        lambda: life.acknowledge(which=random.randint(0, 15)): 8,
        life.acknowledge_all: 1,
        lambda: life.pass_time(seconds=random.choice([0.1, 0.6, 1.1, 1.1, 1.1, 40.0])): 10,
        life.lose_link: 1,
        lambda: life.reload(
            max_bytes=random.choice([4_000, 10**9, 10**9]), max_age_s=random.choice([None, None, 60])
        ): 0.2 * (seed % 2),
        lambda: life.fail_then_recover(
            moment=moment, error=random.choice([EIO, ENOSPC, EROFS]), times=random.randint(1, 3)
        ): 1,
        lambda: life.lose_power_during(moment=moment, seed=seed): 1,
        lambda: life.lose_power(seed=seed): 0.3,
        life.be_killed: 0.3,
        life.restart: 0.3,
        lambda: life.lose_power_while_ending(moment=moment, seed=seed): 0.3,
    }
    random.choices(list(steps), list(steps.values()))[0]()
