"""P6: a device that answers with exceptions 01, 02, 03, 04, 05, 06, 0A: only what it refuses is BAD, and nothing else.

The server is pymodbus's own; what it lacks is said register by register.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import SimData, SimDevice
from pymodbus.simulator.simcore import SimCore

from drivers.modbus.spec import SPEC
from gateway.clock import SystemClock
from gateway.collect.learned import Learned, forget
from gateway.collect.plan import devices_of
from gateway.collect.polling import PollingConnection
from gateway.model import ABSENT, DeviceState, Quality
from gateway.state import State
from gateway.testing import Collected, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from gateway.connection import ConnectionConfig
    from gateway.model import Batch

PERIOD_S = 0.1
WITHIN_POLLS = 3
TAGS = 300
ILLEGAL = (17, 150, 151)
"""Three of 300 registers: two of them neighbours, which fall on both sides of where a full request ends."""


class Unit(SimCore):
    """A unit whose every register holds its own address, and that refuses what it is told to refuse."""

    def __init__(self) -> None:
        super().__init__(SimDevice(0, simdata=[SimData(0)]))
        self.refuses: Callable[[int, int, int], ExcCodes | None] = lambda _function, _address, _count: None
        self.asked: list[tuple[int, int, int]] = []

    async def async_getValues(  # noqa: N802 - pymodbus calls it so
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        self.asked.append((func_code, address, count))
        refusal = self.refuses(func_code, address, count)
        if refusal is not None:
            return refusal
        if func_code in {1, 2}:
            return [True] * count
        return list(range(address, address + count))


def lacks(*registers: int, code: ExcCodes = ExcCodes.ILLEGAL_ADDRESS) -> Callable[[int, int, int], ExcCodes | None]:
    """Refuse each request that has one of these registers in it."""

    def refuses(_function: int, address: int, count: int) -> ExcCodes | None:
        return code if any(address <= register < address + count for register in registers) else None

    return refuses


@asynccontextmanager
async def served(unit: Unit) -> AsyncIterator[int]:
    """Serve a unit; its port."""
    server = ModbusTcpServer(SimDevice(0, simdata=[SimData(0)]), address=("127.0.0.1", 0))
    server.context = unit
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


class Polling:
    """A connection of one device, polled."""

    def __init__(self, config: ConnectionConfig, state: State | None = None) -> None:
        clock = SystemClock()
        self.devices = devices_of(config)
        self.collected = Collected()
        learned = Learned(state, config.reached_by())
        self.runner = PollingConnection(SPEC.build(config, clock), self.devices, clock, self.collected, learned)

    def quality(self, batch: Batch) -> dict[str, Quality]:
        """Of what is in a batch."""
        cells = zip(batch.plan.tags, batch.values, batch.quality, strict=True)
        return {tag.name: quality for tag, value, quality in cells if value is not ABSENT}

    def first_good(self) -> dict[str, int]:
        """The poll in which each tag was first GOOD; polls are counted from 1."""
        first: dict[str, int] = {}
        for poll, batch in enumerate(self.collected.batches, 1):
            for name, quality in self.quality(batch).items():
                if quality is Quality.GOOD:
                    first.setdefault(name, poll)
        return first

    def latest(self) -> dict[str, Quality]:
        """The last that was told of each tag."""
        told: dict[str, Quality] = {}
        for batch in self.collected.batches:
            told |= self.quality(batch)
        return told


@asynccontextmanager
async def polled(port: int, tags: dict[str, Any], state: State | None = None, **keys: Any) -> AsyncIterator[Polling]:
    """Poll one device of these tags until the block ends."""
    device = {"period_s": PERIOD_S, "timeout_s": 10.0, "tags": tags, **keys}
    file = {"version": 1, "driver": "modbus", "host": "127.0.0.1", "port": port, "devices": {"press": device}}
    polling = Polling(SPEC.connection.model_validate(file), state)
    task = asyncio.create_task(polling.runner.run())
    try:
        yield polling
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def registers(numbers: Iterable[int], **keys: Any) -> dict[str, Any]:
    """Tags on holding registers."""
    return {f"r{number}": {"address": f"holding:{number}", **keys} for number in numbers}


def bad(told: dict[str, Quality]) -> set[str]:
    """The names of the tags that are not GOOD."""
    return {name for name, quality in told.items() if quality is not Quality.GOOD}


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Durable state in a folder of its own."""
    return State.open(tmp_path / "state")


async def test_p6_three_illegal_registers_among_300_leave_the_others_good_within_3_polls(state: State) -> None:
    """All others GOOD within three polls, the three BAD and told once; and again at once after a restart."""
    unit = Unit()
    unit.refuses = lacks(*ILLEGAL)
    illegal = {f"r{number}" for number in ILLEGAL}
    async with served(unit) as port:
        async with polled(port, registers(range(TAGS)), state) as first:
            await eventually(lambda: len(first.latest()) == TAGS)
            assert bad(first.latest()) == illegal
            assert max(first.first_good().values()) <= WITHIN_POLLS
            assert first.collected.statuses[-1].state is DeviceState.DEGRADED
        state.close()
        before = len(unit.asked)
        again = State.open(state.folder)
        async with polled(port, registers(range(TAGS)), again) as second:
            await eventually(lambda: second.collected.batches)
            assert bad(second.latest()) == illegal
            assert set(second.first_good().values()) == {1}
            refused = [one for one in unit.asked[before:] if unit.refuses(*one) is not None]
            assert sorted(address for _, address, _ in refused) == sorted(ILLEGAL)
        again.close()


async def test_p6_the_requests_after_a_search_are_as_few_as_can_be(state: State) -> None:
    """What was found stands alone, and the neighbours are not left in the pieces that the search made of them."""
    unit = Unit()
    unit.refuses = lacks(*ILLEGAL)
    async with served(unit) as port, polled(port, registers(range(TAGS)), state) as polling:
        await eventually(lambda: len(polling.latest()) == TAGS)
        polls = len(polling.collected.batches)
        before = len(unit.asked)
        await eventually(lambda: len(polling.collected.batches) >= polls + 4)
        spans = {(address, count) for _, address, count in unit.asked[before + 4 :]}
    assert len(spans) == 5  # 17 registers, 132 and 148, of which a request reads 125
    assert sum(count for _, count in spans) == TAGS - len(ILLEGAL)
    state.close()


async def test_p6_illegal_registers_in_both_halves_leave_no_cut_between_them() -> None:
    """Both halves were refused, but each for a register of its own: nothing forbids to read across the middle."""
    unit = Unit()
    unit.refuses = lacks(10, 110)
    async with served(unit) as port, polled(port, registers(range(120))) as polling:
        await eventually(lambda: len(polling.latest()) == 120)
        polls = len(polling.collected.batches)
        await eventually(lambda: len(polling.collected.batches) >= polls + 3)
        assert unit.asked[-1][1:] in {(0, 10), (11, 99), (111, 9)}
        assert bad(polling.latest()) == {"r10", "r110"}
        last = {(address, count) for _, address, count in unit.asked[-3:]}
    assert last == {(0, 10), (11, 99), (111, 9)}


async def test_p6_an_illegal_register_in_a_gap_is_read_along_no_more() -> None:
    """No tag is at fault: all are GOOD, and the gap is left out from then on."""
    unit = Unit()
    unit.refuses = lacks(5)
    async with served(unit) as port, polled(port, registers([*range(5), *range(6, 12)])) as polling:
        await eventually(lambda: len(polling.latest()) == 11)
        before, polls = len(unit.asked), len(polling.collected.batches)
        await eventually(lambda: len(polling.collected.batches) > polls + 2)
        assert not bad(polling.latest())
        assert all(unit.refuses(*one) is None for one in unit.asked[before + 1 :])


@pytest.mark.parametrize("most", [8, 50])
async def test_p6_a_device_that_gives_fewer_registers_at_once_is_read_in_smaller_requests(most: int) -> None:
    """Exception 03 for too many: all tags become GOOD, and no request is refused any more."""
    unit = Unit()
    unit.refuses = lambda _function, _address, count: ExcCodes.ILLEGAL_VALUE if count > most else None
    async with served(unit) as port, polled(port, registers(range(120))) as polling:
        await eventually(lambda: len(polling.latest()) == 120)
        before, polls = len(unit.asked), len(polling.collected.batches)
        await eventually(lambda: len(polling.collected.batches) > polls + 2)
        assert not bad(polling.latest())
        assert all(count <= most for _, _, count in unit.asked[before + 16 :])


async def test_p6_exception_04_is_searched_only_when_a_smaller_request_is_answered() -> None:
    """Three times on the block, then halves: the register at fault is found, its neighbours are GOOD again."""
    unit = Unit()
    unit.refuses = lacks(33, code=ExcCodes.DEVICE_FAILURE)
    async with served(unit) as port, polled(port, registers(range(100))) as polling:
        await eventually(lambda: bad(polling.latest()) == {"r33"} and len(polling.latest()) == 100, within_s=20)
        whole = [one for one in unit.asked if one == (3, 0, 100)]
    assert len(whole) == 3


async def test_p6_a_device_that_answers_04_to_everything_is_not_searched() -> None:
    """It is at fault itself; it gets no more than a few probes, and comes back whole."""
    unit = Unit()
    unit.refuses = lambda _function, _address, _count: ExcCodes.DEVICE_FAILURE
    async with served(unit) as port, polled(port, registers(range(100)), bad_after=3) as polling:
        await eventually(lambda: len(bad(polling.latest())) == 100, within_s=20)
        assert len([one for one in unit.asked if one[2] < 100]) <= 2 * 7
        unit.refuses = lacks()
        await eventually(lambda: not bad(polling.latest()), within_s=20)
        assert unit.asked[-1] == (3, 0, 100)


async def test_p6_exception_01_switches_the_function_off_for_the_device() -> None:
    """The coils are BAD at once and asked no more; the registers are read on."""
    unit = Unit()
    unit.refuses = lambda function, _address, _count: ExcCodes.ILLEGAL_FUNCTION if function == 1 else None
    coils = {f"c{number}": {"address": f"coil:{number}"} for number in (0, 500, 1000)}
    async with served(unit) as port, polled(port, registers(range(5)) | coils) as polling:
        await eventually(lambda: len(polling.collected.batches) >= 6)
        assert bad(polling.latest()) == set(coils)
        assert max(polling.first_good().values()) == 1
        assert [one for one in unit.asked if one[0] == 1] == [(1, 0, 1)]


async def test_p6_exception_01_to_one_address_of_a_table_that_is_there_harms_only_that_one() -> None:
    """Some devices say 01 where they mean 02: a table that was answered before is not switched off."""
    unit = Unit()
    unit.refuses = lacks(205, code=ExcCodes.ILLEGAL_FUNCTION)
    async with served(unit) as port, polled(port, registers([*range(10), *range(200, 210)])) as polling:
        await eventually(lambda: len(polling.latest()) == 20)
        assert bad(polling.latest()) == {"r205"}


@pytest.mark.parametrize("code", [ExcCodes.ACKNOWLEDGE, ExcCodes.DEVICE_BUSY, ExcCodes.GATEWAY_PATH_UNAVIABLE])
async def test_p6_a_device_that_is_busy_is_asked_less_and_never_searched(code: ExcCodes) -> None:
    """05, 06 and 0A pass: the request stays whole, is asked less often, and is GOOD when the device is."""
    unit = Unit()
    unit.refuses = lambda function, _address, _count: code if function == 4 else None
    inputs = {f"i{number}": {"address": f"input:{number}"} for number in range(5)}
    async with served(unit) as port, polled(port, registers(range(5)) | inputs) as polling:
        await eventually(lambda: bad(polling.latest()) == set(inputs))
        before = len(unit.asked)
        await eventually(lambda: len(unit.asked) > before + 30, within_s=30)
        others = [one for one in unit.asked[before:] if one[0] == 4]
        assert set(others) <= {(4, 0, 5)}
        assert len(others) < 15
        unit.refuses = lacks()
        await eventually(lambda: not bad(polling.latest()), within_s=20)


async def test_p6_what_is_refused_is_asked_again_when_the_link_is_opened() -> None:
    """A module that was plugged in meanwhile is found without a human."""
    unit = Unit()
    unit.refuses = lacks(3)
    async with served(unit) as port, polled(port, registers(range(8))) as polling:
        await eventually(lambda: bad(polling.latest()) == {"r3"} and len(polling.latest()) == 8)
        unit.refuses = lacks()
        polls = len(polling.collected.batches)
        await eventually(lambda: len(polling.collected.batches) > polls + 3)
        assert bad(polling.latest()) == {"r3"}
        await polling.runner._link.close()
        await eventually(lambda: not bad(polling.latest()))
        before = len(unit.asked)
        await eventually(lambda: len(unit.asked) > before + 3)
        assert unit.asked[-1] == (3, 0, 8)


async def test_p6_what_was_learned_can_be_forgotten(state: State) -> None:
    """After that the device is asked as if it were new."""
    unit = Unit()
    unit.refuses = lacks(3)
    async with served(unit) as port:
        async with polled(port, registers(range(8)), state) as polling:
            await eventually(lambda: bad(polling.latest()) == {"r3"} and len(polling.latest()) == 8)
        assert forget(state, "press")
        assert not forget(state, "press")
        unit.refuses, unit.asked = lacks(), []
        async with polled(port, registers(range(8)), state) as polling:
            await eventually(lambda: unit.asked)
        assert unit.asked[0] == (3, 0, 8)
    state.close()


async def test_p6_a_changed_configuration_is_asked_anew(state: State) -> None:
    """What was learned of other tags is not taken for true of these."""
    unit = Unit()
    unit.refuses = lacks(3)
    async with served(unit) as port:
        async with polled(port, registers(range(8)), state) as polling:
            await eventually(lambda: bad(polling.latest()) == {"r3"} and len(polling.latest()) == 8)
        unit.refuses, unit.asked = lacks(), []
        async with polled(port, registers(range(9)), state) as polling:
            await eventually(lambda: unit.asked)
        assert unit.asked[0] == (3, 0, 9)
    state.close()
