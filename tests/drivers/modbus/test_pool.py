from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drivers.modbus.counts import LinkCounts
from drivers.modbus.pool import Pool
from drivers.modbus.question import Question
from gateway.driver import LinkError, NoReply
from gateway.testing import eventually
from tests.drivers.modbus.conftest import PATIENT_S, connection_of

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Asked, Plc

DEVICES = {"d": {"tags": {"t": {"address": "coil:1"}}}}


def pool_on(plc: Plc, connections: int = 1, **keys: object) -> Pool:
    """A pool that is not open."""
    return Pool(connection_of(port=plc.port, connections=connections, devices=DEVICES, **keys), LinkCounts())


def question(address: int, timeout_s: float = PATIENT_S) -> Question:
    """One register."""
    return Question(17, b"\x03" + address.to_bytes(2, "big") + b"\x00\x01", timeout_s, f"holding:{address}")


def number(pdu: bytes) -> int:
    """The register in an answer."""
    return int.from_bytes(pdu[2:], "big")


@pytest.mark.parametrize("connections", [1, 2, 4])
async def test_never_more_connections_than_configured(plc: Plc, connections: int) -> None:
    """Many questions at a time: each is answered by its own register, on at most so many sockets."""
    pool = pool_on(plc, connections)
    await pool.open()
    answers = await asyncio.gather(*(pool.ask(question(address)) for address in range(60)))
    assert [number(answer) for answer in answers] == list(range(60))
    assert len(plc._serving) == connections
    await pool.close()


async def test_one_question_at_a_time_needs_one_connection(plc: Plc) -> None:
    """The others are opened when they are needed, not before."""
    pool = pool_on(plc, 4)
    await pool.open()
    for address in range(5):
        assert number(await pool.ask(question(address))) == address
    assert len(plc._serving) == 1
    await pool.close()


async def test_several_connections_answer_at_a_time(plc: Plc) -> None:
    """Four questions are under way together, though none is answered yet."""
    silent = pool_on(plc, 4)
    plc.answer = lambda asked: []
    await silent.open()
    asking = [asyncio.create_task(silent.ask(question(address))) for address in range(6)]
    await eventually(lambda: len(plc.asked) == 4)
    await silent.close()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [LinkError] * 6


async def test_a_plc_that_refuses_the_second_connection_is_asked_on_the_first(plc: Plc) -> None:
    """Its sockets are taken by others: no error comes out, and everything is answered."""
    pool = pool_on(plc, 3)
    await pool.open()
    config = pool._config
    pool._config = config.model_copy(update={"port": 1})  # where nobody listens
    answers = await asyncio.gather(*(pool.ask(question(address)) for address in range(10)))
    assert [number(answer) for answer in answers] == list(range(10))
    assert len(plc._serving) == 1
    await pool.close()


async def test_a_closed_pool_says_so(plc: Plc) -> None:
    """Before it is opened, and after it was closed."""
    pool = pool_on(plc)
    with pytest.raises(LinkError, match=r"127\.0\.0\.1:\d+ is not connected"):
        await pool.ask(question(1))
    await pool.open()
    await pool.close()
    with pytest.raises(LinkError, match="is not connected"):
        await pool.ask(question(1))


async def test_a_cancelled_question_gives_its_connection_back(plc: Plc) -> None:
    """Whether it waited for an answer or for a connection."""
    pool = pool_on(plc)
    plc.answer = lambda asked: [] if asked.address == 100 else [asked.reply()]
    await pool.open()
    under_way = asyncio.create_task(pool.ask(question(100)))
    await eventually(lambda: plc.asked)
    waiting = asyncio.create_task(pool.ask(question(200)))
    await asyncio.sleep(0)
    waiting.cancel()
    under_way.cancel()
    await asyncio.wait([waiting, under_way])
    assert number(await pool.ask(question(300))) == 300
    await pool.close()


async def test_a_pause_is_kept_between_an_answer_and_the_next_question(plc: Plc) -> None:
    """50 ms of the connection, and 150 ms of the unit that needs more."""
    loop, times = asyncio.get_running_loop(), []

    def answer(asked: Asked) -> list[bytes]:
        times.append(loop.time())
        return [asked.reply()]

    plc.answer = answer
    pool = pool_on(plc, request_gap_ms=50.0)
    await pool.open()
    for own_ms in (None, 150.0):
        pool.gaps_ms = {17: own_ms}
        times.clear()
        for address in (100, 200):
            await pool.ask(question(address))
        await pool.ask(question(300))
        pauses = [after - before for before, after in pairwise(times)]
        assert all(pause >= (own_ms or 50.0) / 1000 for pause in pauses)
    await pool.close()


async def test_the_first_question_waits_for_a_device_that_needs_time(plc: Plc) -> None:
    """`connect_delay_s` lies between the connection and the first request."""
    loop = asyncio.get_running_loop()
    pool = pool_on(plc, connect_delay_s=0.2)
    begun = loop.time()
    await pool.open()
    await pool.ask(question(1))
    assert loop.time() - begun >= 0.2
    await pool.close()


async def test_transactions_go_on_over_connections(plc: Plc) -> None:
    """What is still answered to the old connection answers nothing on the new one."""
    pool = pool_on(plc)
    for _ in range(3):
        await pool.open()
        await pool.ask(question(1))
        await pool.ask(question(2))
    assert [asked.transaction for asked in plc.asked] == [1, 2, 3, 4, 5, 6]
    await pool.close()


async def test_everything_is_counted(plc: Plc) -> None:
    """Connections, requests and silences."""
    pool = pool_on(plc)
    await pool.open()
    await pool.ask(question(1))
    plc.answer = lambda asked: []
    with pytest.raises(NoReply):
        await pool.ask(question(2, timeout_s=0.02))
    counts = pool._counts
    assert (counts.connects, counts.requests, counts.silences) == (1, 2, 1)
    await pool.close()
