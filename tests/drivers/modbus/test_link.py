from __future__ import annotations

import asyncio
import random
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.link import SILENCES_TO_GIVE_UP
from gateway.driver import DeviceRefused, DriverError, LinkError, NoReply, WrongReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.drivers.modbus.conftest import Asked, Bench

LIE = 0xDEAD
"""What the PLC puts into every reply that must not be believed."""


NOBODY = 64_999
"""A transaction id that no test reaches."""


def silent(asked: Asked) -> list[bytes]:
    """No answer."""
    return []


def lying(asked: Asked, **changed: Any) -> bytes:
    """A reply with something changed, so that its registers must not be believed."""
    return asked.reply(*[LIE] * asked.count, **changed)


WRONG: dict[str, tuple[type[DriverError], Callable[[Asked], list[bytes]]]] = {
    "another transaction": (WrongReply, lambda asked: [lying(asked, transaction=NOBODY)]),
    "transaction 0": (WrongReply, lambda asked: [lying(asked, transaction=0)]),
    "another unit": (WrongReply, lambda asked: [lying(asked, unit=asked.unit + 1)]),
    "unit 0": (WrongReply, lambda asked: [lying(asked, unit=0)]),
    "another function": (WrongReply, lambda asked: [lying(asked, function=4)]),
    "no registers": (WrongReply, lambda asked: [asked.reply(pdu=b"\x03\x00")]),
    "half a register": (WrongReply, lambda asked: [asked.reply(pdu=b"\x03\x01\xde")]),
    "one register too many": (WrongReply, lambda asked: [asked.reply(LIE, LIE)]),
    "byte count too high": (WrongReply, lambda asked: [lying(asked, byte_count=4)]),
    "byte count too low": (WrongReply, lambda asked: [lying(asked, byte_count=1)]),
    "head alone": (WrongReply, lambda asked: [asked.reply(pdu=b"\x03")]),
    "exception of another function": (WrongReply, lambda asked: [asked.reply(pdu=b"\x84\x02")]),
    "exception without code": (WrongReply, lambda asked: [asked.reply(pdu=b"\x83")]),
    "exception": (DeviceRefused, lambda asked: [asked.refused(2)]),
    "exception 0B": (NoReply, lambda asked: [asked.refused(0x0B)]),
    "nothing": (NoReply, silent),
    "half a reply": (NoReply, lambda asked: [asked.reply()[:9]]),
    "half a head": (NoReply, lambda asked: [asked.reply()[:3]]),
    "length too high": (NoReply, lambda asked: [struct.pack(">HHH", asked.transaction, 0, 200) + asked.reply()[6:]]),
    "length too low": (WrongReply, lambda asked: [struct.pack(">HHH", asked.transaction, 0, 3) + asked.reply()[6:]]),
    "length 0": (LinkError, lambda asked: [struct.pack(">HHH", asked.transaction, 0, 0) + asked.reply()[6:]]),
    "length 65535": (LinkError, lambda asked: [struct.pack(">HHH", asked.transaction, 0, 65535) + asked.reply()[6:]]),
    "another protocol id": (LinkError, lambda asked: [lying(asked, protocol=1)]),
    "text": (LinkError, lambda asked: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
    "Modbus RTU": (LinkError, lambda asked: [bytes.fromhex("11 03 02 DE AD 61 5B")]),
    "a flood": (LinkError, lambda asked: [b"\xff" * 100_000]),
    "the end of the connection": (LinkError, lambda asked: [b""]),
    "half a reply and the end": (LinkError, lambda asked: [asked.reply()[:9], b""]),
}

WAITS = {"another transaction", "transaction 0", "nothing", "half a reply", "half a head", "length too high"}
"""What leaves the driver waiting until the time-out, since the right reply may still come."""


async def error_that_says(bench: Bench, error: type[DriverError], text: str) -> None:
    """Read impatiently until the error comes; on a busy machine the PLC may be slower than the time-out at first."""
    said = []
    for _ in range(200):
        try:
            await bench.read("impatient", 100)
        except LinkError:
            await bench.driver.open()
        except DriverError as raised:
            if type(raised) is error and text in str(raised):
                return
            said.append(raised)
    raise AssertionError(said)


@pytest.mark.parametrize("kind", WRONG)
async def test_a_wrong_reply_is_an_error_and_the_next_reading_is_right(bench: Bench, kind: str) -> None:
    """Each way to answer wrongly has its error, no value, and no after-effect."""
    error, bench.plc.answer = WRONG[kind]
    if kind in WAITS:
        await error_that_says(bench, error, "holding:100")
    else:
        with pytest.raises(error) as raised:
            await bench.read("patient", 100)
        assert type(raised.value) is error
    await bench.recovers()


RIGHT: dict[str, Callable[[Asked], list[bytes]]] = {
    "byte by byte": lambda asked: [bytes([byte]) for byte in asked.reply()],
    "after a reply to nobody": lambda asked: [lying(asked, transaction=NOBODY), asked.reply()],
    "merged with a reply to nobody": lambda asked: [lying(asked, transaction=NOBODY) + asked.reply()],
    "after transaction 0": lambda asked: [lying(asked, transaction=0) + asked.reply()],
    "twice": lambda asked: [asked.reply() + lying(asked)],
    "before the next one": lambda asked: [asked.reply() + lying(asked, transaction=asked.transaction + 1)],
    "after a hundred others": lambda asked: [lying(asked, transaction=0) * 100 + asked.reply()],
}


@pytest.mark.parametrize("kind", RIGHT)
async def test_a_right_reply_is_found_however_it_comes(bench: Bench, kind: str) -> None:
    """Split, merged, doubled or behind strays: the value is that of the reply which fits."""
    bench.plc.answer = RIGHT[kind]
    for address in (100, 200, 300, 200):
        assert (await bench.read("patient", address)).values == [address]


class Late:
    """Answers a request only when the next one comes, then that one as well."""

    def __init__(self, *, answers_both: bool) -> None:
        self.held: Asked | None = None
        self.answers_both = answers_both

    def __call__(self, asked: Asked) -> list[bytes]:
        late, self.held = self.held, asked
        if late is None:
            return []
        return [late.reply(*[LIE] * late.count), asked.reply()] if self.answers_both else [late.reply()]


async def test_a_late_reply_is_never_booked_on_the_next_request(bench: Bench) -> None:
    """It comes while another register is waited for, of the same unit, function and length, and is dropped."""
    bench.plc.answer = Late(answers_both=True)
    with pytest.raises(NoReply, match="no answer"):
        await bench.read("impatient", 100)
    for address in (200, 300, 100):
        assert (await bench.read("patient", address)).values == [address]


async def test_a_device_that_is_always_late_is_named_as_that(bench: Bench) -> None:
    """Only replies to earlier requests come: nothing is believed, and the remedy is the time-out."""
    bench.plc.answer = Late(answers_both=False)
    await error_that_says(bench, NoReply, "no answer from")
    await error_that_says(bench, NoReply, "answers later than 0.05 s: raise timeout_s")
    await bench.recovers()


async def test_a_late_device_keeps_its_connection(bench: Bench) -> None:
    """Something comes in each time-out or in the next, so the connection lives, however often nothing fits."""
    bench.plc.answer = Late(answers_both=False)
    for _ in range(2 * SILENCES_TO_GIVE_UP):
        with pytest.raises(NoReply):
            await bench.read("impatient", 100)


async def test_a_late_reply_between_two_requests_is_dropped(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It comes while nothing is waited for; not even pymodbus's log takes notice."""
    came = asyncio.Event()

    def answer(asked: Asked) -> Iterator[bytes]:
        if asked.address != 100:
            yield asked.reply()
            return
        yield asked.reply(transaction=0)
        yield lying(asked)
        came.set()

    bench.plc.answer = answer
    reading = asyncio.create_task(bench.read("patient", 100))
    await bench.plc.was_asked.wait()
    reading.cancel()
    await asyncio.wait([reading])
    await asyncio.wait_for(came.wait(), 10)
    assert (await bench.read("patient", 200)).values == [200]
    assert not [record for record in caplog.records if record.name.startswith("pymodbus")]


async def test_a_reply_that_broke_off_gives_up_the_connection(bench: Bench) -> None:
    """Where the rest would begin is unknown, so no request goes out on that connection any more."""
    bench.plc.answer = lambda asked: [asked.reply()[:9]]
    with pytest.raises(NoReply):
        await bench.read("impatient", 100)
    sent = len(bench.plc.asked)
    with pytest.raises(LinkError, match="no Modbus TCP frame"):
        await bench.read("patient", 200)
    assert len(bench.plc.asked) == sent


async def test_damage_behind_a_right_reply_gives_up_the_connection(bench: Bench) -> None:
    """The reply came whole and counts; the next request does not go out any more."""
    bench.plc.answer = lambda asked: [asked.reply() + b"\xff" * 20]
    assert (await bench.read("patient", 100)).values == [100]
    with pytest.raises(LinkError, match="no Modbus TCP frame"):
        await bench.read("patient", 200)
    assert len(bench.plc.asked) == 1


async def test_a_connection_in_which_nothing_comes_is_given_up(bench: Bench) -> None:
    """The device may have forgotten the connection: after four requests without a byte it is made anew."""
    bench.plc.answer = silent
    for _ in range(SILENCES_TO_GIVE_UP - 1):
        with pytest.raises(NoReply):
            await bench.read("impatient", 100)
    with pytest.raises(LinkError, match="left 4 requests unanswered"):
        await bench.read("impatient", 100)
    await bench.driver.open()
    await bench.recovers()


async def test_a_silent_unit_does_not_cost_the_others_their_connection(bench: Bench) -> None:
    """Where another unit answers in between, the connection stays, however often one keeps silent."""
    bench.plc.answer = lambda asked: [] if asked.address == 100 else [asked.reply()]
    for _ in range(2 * SILENCES_TO_GIVE_UP):
        with pytest.raises(NoReply):
            await bench.read("impatient", 100)
        assert (await bench.read("patient", 200)).values == [200]


async def test_a_lost_connection_ends_the_wait_at_once(bench: Bench) -> None:
    """A patient request does not wait for its time-out when the PLC hangs up."""
    bench.plc.answer = lambda asked: [b""]
    begun = time.monotonic()
    with pytest.raises(LinkError, match=r"127\.0\.0\.1:\d+ closed the connection while .* holding:100"):
        await bench.read("patient", 100)
    assert time.monotonic() - begun < 10


async def test_closing_ends_the_wait_at_once(bench: Bench) -> None:
    """Whoever still waits for a reply is told that there is no connection any more."""
    bench.plc.answer = silent
    reading = asyncio.create_task(bench.read("patient", 100))
    await bench.plc.was_asked.wait()
    await bench.driver.close()
    with pytest.raises(LinkError):
        await asyncio.wait_for(reading, 10)


async def test_a_cancelled_reading_stops_at_once(bench: Bench) -> None:
    """The time-out of 20 s is not waited for, and the link goes on afterwards."""
    bench.plc.answer = silent
    reading = asyncio.create_task(bench.read("patient", 100))
    await bench.plc.was_asked.wait()
    begun = time.monotonic()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert time.monotonic() - begun < 5
    await bench.recovers()


FORESEEN = {"before the next one"}
"""A PLC that answers the next request before it is sent, and late, is believed: nothing tells it from an honest one."""


def mutated(asked: Asked, chance: random.Random, held: list[Asked]) -> list[bytes]:
    """The parts that a malicious PLC sends for one request."""
    kind = chance.choice(sorted({*WRONG, *RIGHT, "honest", "late", "noise", "flipped", "cut"} - FORESEEN))
    if kind == "honest":
        return [asked.reply()]
    if kind == "late":
        late, held[:] = list(held), [asked]
        return [lying(one) for one in late]
    if kind == "noise":
        return [chance.randbytes(chance.randrange(1, 300))]
    if kind == "cut":
        return [asked.reply()[: chance.randrange(1, 11)]]
    if kind == "flipped":
        damaged = bytearray(lying(asked))
        damaged[chance.randrange(2, 9)] ^= 1 << chance.randrange(8)
        return [bytes(damaged)]
    return RIGHT[kind](asked) if kind in RIGHT else WRONG[kind][1](asked)


@pytest.mark.parametrize("seed", range(3))
async def test_no_wrong_value_comes_out_of_a_malicious_plc(bench: Bench, seed: int) -> None:
    """Many requests, each answered in a way drawn by lot: a value that is read is the right one."""
    chance, right = random.Random(seed), 0  # noqa: S311 - drawn lots, no secrets
    held: list[Asked] = []
    bench.plc.answer = lambda asked: mutated(asked, chance, held)
    for _ in range(80):
        address = chance.choice([100, 200, 300])
        try:
            reply = await bench.read("impatient", address)
        except LinkError:
            await bench.driver.open()
        except DriverError:
            pass
        else:
            assert reply.values == [address]
            right += 1
    assert right > 0
    await bench.recovers()
