from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from gateway.driver import DeviceRefused, DriverError, LinkError, NoReply, WrongReply
from gateway.testing import eventually
from tests.drivers.modbus.bus_units import IMPATIENT_S, BusBench, behind_a_converter, on_a_terminal, rtu

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.drivers.modbus.bus_units import Asked

LIE = 0xDEAD
"""What is put into every reply that must not be believed."""

Answer = list[tuple[float, bytes]]


@pytest.fixture(params=["pty", "tcp"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[BusBench]:
    """An open driver on two units, on a serial port and behind a converter."""
    async with (on_a_terminal if request.param == "pty" else behind_a_converter)() as units:
        bench = BusBench(units)
        await bench.driver.open()
        yield bench
        await bench.driver.close()


@pytest.fixture
async def pty() -> AsyncIterator[BusBench]:
    """An open driver on a serial port."""
    async with on_a_terminal() as units:
        bench = BusBench(units)
        await bench.driver.open()
        yield bench
        await bench.driver.close()


def silent(asked: Asked) -> Answer:
    """No answer."""
    return []


def honest(asked: Asked) -> Answer:
    """The right answer at once."""
    return [(0.0, asked.reply())]


async def test_each_unit_gives_its_own_values(bench: BusBench) -> None:
    """Units 1 and 2 on one bus, three registers each."""
    for unit in (1, 2):
        for address in (100, 200, 300):
            assert await bench.value(f"patient_{unit}", address) == 1000 * unit + address
    assert [asked.raw for asked in bench.units.asked[:1]] == [rtu(1, bytes.fromhex("03 0064 0001"))]


async def test_a_refusal_is_told_as_such(bench: BusBench) -> None:
    """An exception is an answer; the next question is asked at once."""
    bench.units.answer = lambda asked: [(0.0, asked.refused(2))]
    with pytest.raises(DeviceRefused, match="exception 02"):
        await bench.read("patient_1", 100)
    bench.units.answer = honest
    assert await bench.value("patient_1", 100) == 1100


RIGHT: dict[str, Callable[[Asked], Answer]] = {
    "byte by byte": lambda asked: [(0.004 * at, bytes([byte])) for at, byte in enumerate(asked.reply())],
    "behind noise": lambda asked: [(0.0, b"\x00\xff" + asked.reply())],
    "behind long noise": lambda asked: [(0.0, bytes(range(200)) + asked.reply())],
    "behind another unit's reply": lambda asked: [(0.0, asked.reply(LIE, unit=9) + asked.reply())],
    "behind a reply of another size": lambda asked: [(0.0, asked.reply(LIE, LIE) + asked.reply())],
    "behind a damaged reply": lambda asked: [(0.0, asked.reply(LIE)[:-1] + b"\x00" + asked.reply())],
    "before noise": lambda asked: [(0.0, asked.reply() + b"\x00\xff\x03")],
    "behind its echo": lambda asked: [(0.0, asked.raw + asked.reply())],
}


@pytest.mark.parametrize("kind", RIGHT)
async def test_a_right_reply_is_found_however_it_comes(bench: BusBench, kind: str) -> None:
    """Cut into bytes, or among bytes that belong to nobody."""
    bench.units.answer = RIGHT[kind]
    for address in (100, 200, 300):
        assert await bench.value("patient_1", address) == 1000 + address


DAMAGED: dict[str, Callable[[Asked], Answer]] = {
    "wrong CRC": lambda asked: [(0.0, asked.reply(LIE)[:-1] + b"\x00")],
    "cut short": lambda asked: [(0.0, asked.reply(LIE)[:-2])],
    "head alone": lambda asked: [(0.0, asked.reply(LIE)[:2])],
    "two registers for one": lambda asked: [(0.0, asked.reply(LIE, LIE))],
    "no registers": lambda asked: [(0.0, rtu(asked.unit, bytes([3, 0])))],
    "exception with a wrong CRC": lambda asked: [(0.0, asked.refused(2)[:-1] + b"\x00")],
}


@pytest.mark.parametrize("kind", DAMAGED)
async def test_after_a_damaged_answer_only_the_line_must_be_idle(bench: BusBench, kind: str) -> None:
    """The unit has answered: it is neither waited for until the time-out of 20 s nor left alone."""
    bench.units.answer = DAMAGED[kind]
    async with asyncio.timeout(15):
        with pytest.raises(WrongReply, match=r"damaged|something else"):
            await bench.read("patient_1", 100)
        bench.units.answer = honest
        assert await bench.value("patient_1", 200) == 1200
    assert bench.counts["garbled_replies"] + bench.counts["wrong_replies"] == 1


async def test_a_unit_that_was_silent_is_left_alone_and_others_are_not(bench: BusBench) -> None:
    """Nothing is asked of unit 1 while its late reply may come; unit 2 answers meanwhile as ever."""
    bench.units.answer = lambda asked: [] if asked.unit == 1 else honest(asked)
    with pytest.raises(NoReply, match="no answer") as error:
        await bench.read("impatient_1", 100)
    assert error.value.again_s == pytest.approx(3 * IMPATIENT_S)
    asked = len(bench.units.asked)
    with pytest.raises(NoReply, match="left alone") as error:
        await bench.read("patient_1", 200)
    assert 0 < error.value.again_s <= 3 * IMPATIENT_S
    assert await bench.value("patient_2", 200) == 2200
    assert [one.unit for one in bench.units.asked[asked:]] == [2]


async def test_the_first_reading_after_a_silence_is_done_twice(bench: BusBench) -> None:
    """And from the second reading on once, as ever."""
    bench.units.answer = silent
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    bench.units.answer = honest
    await asyncio.sleep(3 * IMPATIENT_S)
    asked = len(bench.units.asked)
    assert await bench.value("patient_1", 200) == 1200
    assert [one.address for one in bench.units.asked[asked:]] == [200, 200]
    assert await bench.value("patient_1", 300) == 1300
    assert len(bench.units.asked) == asked + 3


async def test_values_that_change_with_every_reading_come_back_after_a_silence(bench: BusBench) -> None:
    """Two readings of a running counter never agree; a reading of another size shows that nothing late is under way."""
    bench.units.answer = silent
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    await asyncio.sleep(3 * IMPATIENT_S)
    bench.units.answer = lambda asked: [(0.0, asked.reply(*[len(bench.units.asked)] * asked.count))]
    assert await bench.value("patient_1", 100) == len(bench.units.asked)
    assert [one.count for one in bench.units.asked[-4:]] == [1, 1, 2, 1]
    assert bench.counts["disagreements"] == 1


async def test_two_answers_that_differ_are_not_believed(bench: BusBench) -> None:
    """Where no reading of another size settles it, the unit is left alone anew."""
    bench.units.answer = silent
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    await asyncio.sleep(3 * IMPATIENT_S)
    bench.units.answer = lambda asked: (
        [(0.0, asked.refused(2))] if asked.count > 1 else [(0.0, asked.reply(len(bench.units.asked)))]
    )
    with pytest.raises(WrongReply, match="two readings after a silence differ"):
        await bench.read("impatient_1", 100)
    with pytest.raises(NoReply, match="left alone"):
        await bench.read("impatient_1", 100)


async def test_what_reading_changes_is_never_read_twice(bench: BusBench) -> None:
    """After a silence such a register is asked once, when no late reply can come any more."""
    bench.units.answer = silent
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    await asyncio.sleep(3 * IMPATIENT_S)
    bench.units.answer = honest
    asked = len(bench.units.asked)
    question = bench.requests["patient_1", 100].detail.question._replace(is_repeatable=False)
    await bench.driver.ask(question)
    assert len(bench.units.asked) == asked + 1


async def test_a_late_reply_of_a_unit_left_alone_is_thrown_away_and_counted(bench: BusBench) -> None:
    """It comes while the other unit is asked, and after it."""
    bench.units.answer = lambda asked: (
        [(1.5 * IMPATIENT_S, asked.reply(LIE)), (2 * IMPATIENT_S, asked.reply(LIE))]
        if asked.unit == 1
        else [(IMPATIENT_S, asked.reply())]
    )
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    for address in (100, 200, 300):
        assert await bench.value("patient_2", address) == 2000 + address
    assert bench.counts["stray_frames"] == 2


@pytest.mark.parametrize("late", [1.2, 1.9, 2.9])
async def test_a_late_reply_is_never_booked_on_another_question(bench: BusBench, late: float) -> None:
    """Same unit, same function, same size: only time tells them apart."""
    bench.units.answer = lambda asked: (
        [(late * IMPATIENT_S, asked.reply(LIE))] if asked.address == 100 else honest(asked)
    )
    for _ in range(3):
        with pytest.raises(NoReply):
            await bench.read("impatient_1", 100)
        assert await bench.value_after_silence("impatient_1", 200) == 1200


async def test_silence_is_remembered_over_a_new_connection(bench: BusBench) -> None:
    """Opening a port anew does not stop a unit from answering late."""
    bench.units.answer = lambda asked: [(2 * IMPATIENT_S, asked.reply(LIE))]
    with pytest.raises(NoReply):
        await bench.read("impatient_1", 100)
    await bench.driver.open()
    bench.units.answer = honest
    with pytest.raises(NoReply, match="left alone"):
        await bench.read("patient_1", 200)


async def test_a_configured_time_to_leave_alone_is_kept(pty: BusBench) -> None:
    """`late_reply_s` instead of three time-outs."""
    bench = BusBench(pty.units, late_reply_s=7.0)
    await pty.driver.close()
    await bench.driver.open()
    bench.units.answer = silent
    with pytest.raises(NoReply) as error:
        await bench.read("impatient_1", 100)
    assert error.value.again_s == pytest.approx(7.0)
    await bench.driver.close()


async def test_an_adapter_that_echoes_is_understood(pty: BusBench) -> None:
    """All that is sent comes back first, also in pieces; a coil's request can look like its own answer."""
    bench = BusBench(pty.units, local_echo="discard")
    await pty.driver.close()
    await bench.driver.open()
    bench.units.answer = lambda asked: [
        (0.0, asked.raw[:3]),
        (0.01, asked.raw[3:] + asked.reply()[:2]),
        (0.02, asked.reply()[2:]),
    ]
    for address in (100, 200, 300):
        assert await bench.value("patient_1", address) == 1000 + address
    assert bench.counts["garbage_bytes"] == 0
    await bench.driver.close()


async def test_a_line_that_is_never_idle_is_told(pty: BusBench) -> None:
    """Another master or noise: nothing is sent into it."""
    bench = BusBench(pty.units, baudrate=300)  # 3.5 characters are 117 ms
    await pty.driver.close()
    await bench.driver.open()

    async def chatter() -> None:
        while True:
            pty.units.say(b"\x55")
            await asyncio.sleep(0.002)

    talking = asyncio.create_task(chatter())
    await asyncio.sleep(0.05)
    with pytest.raises(NoReply, match="never idle"):
        await bench.read("impatient_1", 100)
    assert not bench.units.asked
    talking.cancel()
    await bench.driver.close()


async def test_a_lost_converter_ends_the_wait_at_once(bench: BusBench) -> None:
    """Whoever waits is told when the driver is closed under him."""
    bench.units.answer = silent
    reading = asyncio.create_task(bench.read("patient_1", 100))
    await eventually(lambda: bench.units.asked)
    await bench.driver.close()
    with pytest.raises(LinkError):
        await asyncio.wait_for(reading, 10)


async def test_a_converter_through_which_nothing_comes_is_connected_anew() -> None:
    """Eight silences in a row; a single dead unit among others does not do that."""
    async with behind_a_converter() as units:
        bench = BusBench(units, late_reply_s=0.001)
        await bench.driver.open()
        units.answer = silent
        for _ in range(7):
            with pytest.raises(NoReply):
                await bench.read("impatient_1", 100)
            await asyncio.sleep(0.002)
        with pytest.raises(LinkError, match="left 8 requests unanswered"):
            await bench.read("impatient_1", 100)
        await bench.driver.close()


async def test_a_cancelled_reading_stops_at_once(bench: BusBench) -> None:
    """And its answer, which comes all the same, is not booked on the next question."""
    bench.units.answer = lambda asked: [(0.15, asked.reply(LIE))] if asked.address == 100 else [(0.3, asked.reply())]
    question = bench.requests["patient_1", 100].detail.question._replace(timeout_s=0.5)
    reading = asyncio.create_task(bench.driver.ask(question))
    await eventually(lambda: bench.units.asked)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert await bench.value_after_silence("patient_1", 200) == 1200


def drawn(asked: Asked, chance: random.Random) -> Answer:
    """How a bus with every kind of trouble answers one request."""
    kind = chance.choice([*RIGHT, *DAMAGED, "silent", "late", "noise", "flipped", "honest", "honest"])
    if kind in RIGHT:
        return RIGHT[kind](asked)
    if kind in DAMAGED:
        return DAMAGED[kind](asked)
    if kind == "late":
        return [(chance.uniform(1.0, 3.0) * IMPATIENT_S, asked.reply())]
    if kind == "noise":
        return [(0.0, chance.randbytes(chance.randrange(1, 300)))]
    if kind == "flipped":
        damaged = bytearray(asked.reply())
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        return [(0.0, bytes(damaged))]
    return honest(asked) if kind == "honest" else []


@pytest.mark.parametrize("seed", range(2))
async def test_no_wrong_value_comes_out_of_a_bus_with_every_trouble(bench: BusBench, seed: int) -> None:
    """Each request answered in a way drawn by lot: a value that is read is the right one."""
    chance, right = random.Random(seed), 0  # noqa: S311 - drawn lots, no secrets
    bench.units.answer = lambda asked: drawn(asked, chance)
    for _ in range(60):
        unit, address = chance.choice([1, 2]), chance.choice([100, 200, 300])
        try:
            value: Any = await bench.value(f"impatient_{unit}", address)
        except LinkError:
            await bench.driver.open()
        except DriverError:
            await asyncio.sleep(0.02)
        else:
            assert value == 1000 * unit + address
            right += 1
    assert right > 0
    bench.units.answer = honest
    for unit in (1, 2):
        assert await bench.value_after_silence(f"impatient_{unit}", 300) == 1000 * unit + 300
