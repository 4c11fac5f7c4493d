from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.driver import ModbusDriver
from gateway.collect.plan import devices_of
from gateway.driver import LinkError, NoReply, PollingDriver
from gateway.model import Quality
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.driver import Request
    from gateway.model import Cell
    from tests.drivers.modbus.conftest import Bench, MakeConnection, Open, Plc

FLOATS = {"a": {"address": "holding:0", "type": "float32"}, "b": {"address": "holding:2", "type": "float32"}}


@pytest.fixture
async def opened(plc: Plc, make_connection: MakeConnection) -> AsyncIterator[Open]:
    """Makes an open driver and its requests from tags."""
    drivers = []

    async def make(tags: dict[str, Any], **settings: Any) -> tuple[ModbusDriver, Sequence[Request]]:
        config = make_connection(port=plc.port, devices={"meter": {"tags": tags, "timeout_s": 20.0, **settings}})
        driver = ModbusDriver(config, ManualClock())
        drivers.append(driver)
        await driver.open()
        return driver, driver.requests(devices_of(config))

    yield make
    for driver in drivers:
        await driver.close()


def test_it_is_a_polling_driver(make_connection: MakeConnection) -> None:
    """The core tells the kinds apart by their methods."""
    config = make_connection(devices={"d": {"tags": {"t": {"address": "coil:1"}}}})
    assert isinstance(ModbusDriver(config, ManualClock()), PollingDriver)


@pytest.mark.parametrize(
    ("tags", "request_pdu", "reply_pdu", "values"),
    [
        # Application Protocol V1.1b3, sections 6.1 to 6.4: the examples of the standard, from byte to value.
        ({"a": {"address": "coil:19"}, "z": {"address": "coil:37"}}, "01 0013 0013", "01 03 CD6B05", [True, True]),
        (
            {"a": {"address": "discrete:196"}, "z": {"address": "discrete:217"}},
            "02 00C4 0016",
            "02 03 ACDB35",
            [False, True],
        ),
        (
            {"a": {"address": "holding:107"}, "b": {"address": "40109"}, "c": {"address": "400110"}},
            "03 006B 0003",
            "03 06 022B 0000 0064",
            [555, 0, 100],
        ),
        ({"a": {"address": "30009"}}, "04 0008 0001", "04 02 000A", [10]),
    ],
)
async def test_the_examples_of_the_standard(  # noqa: PLR0917 - what goes out and what comes back
    opened: Open, plc: Plc, tags: dict[str, Any], request_pdu: str, reply_pdu: str, values: list[Cell]
) -> None:
    """What goes out and what comes back, bytes typed by hand."""
    driver, (request,) = await opened(tags, unit_id=17, max_gap=124)
    plc.answer = lambda asked: [asked.reply(pdu=bytes.fromhex(reply_pdu))]
    assert list((await driver.read(request)).values) == values
    assert plc.asked[-1].raw == bytes.fromhex(f"0001 0000 0006 11 {request_pdu}")


async def test_identical_bytes_are_marked_and_not_decoded_again(opened: Open, plc: Plc) -> None:
    """The first reading and each that differs are news; a repetition brings the same values, marked."""
    driver, (request,) = await opened(FLOATS)
    told = [(0x428E, 0x999A, 0, 0), (0x428E, 0x999A, 0, 0), (0x428E, 0x999A, 0x3F80, 0), (0x428E, 0x999A, 0x3F80, 0)]
    replies = iter(told)
    plc.answer = lambda asked: [asked.reply(*next(replies))]
    got = [await driver.read(request) for _ in told]
    assert [reply.unchanged for reply in got] == [False, True, False, True]
    assert [list(reply.values) for reply in got] == [[71.3, 0.0], [71.3, 0.0], [71.3, 1.0], [71.3, 1.0]]


async def test_a_repeated_reply_keeps_its_quality(opened: Open, plc: Plc) -> None:
    """A float that is no number stays not available when nothing changes."""
    driver, (request,) = await opened(FLOATS)
    plc.answer = lambda asked: [asked.reply(0x7FC0, 0, 0x3F80, 0)]
    for unchanged in (False, True):
        reply = await driver.read(request)
        assert (reply.values, reply.unchanged) == ([None, 1.0], unchanged)
        assert reply.quality == [Quality.NOT_AVAILABLE, Quality.GOOD]


async def test_after_a_failure_the_same_bytes_are_news(bench: Bench) -> None:
    """A device that was silent is told good again, though it says what it said before."""
    assert not (await bench.read("patient", 100)).unchanged
    assert (await bench.read("patient", 100)).unchanged
    bench.plc.answer = lambda asked: [asked.refused(0x0B)]
    with pytest.raises(NoReply):
        await bench.read("patient", 100)
    bench.plc.answer = lambda asked: [asked.reply()]
    assert not (await bench.read("patient", 100)).unchanged


async def test_after_a_new_connection_the_same_bytes_are_news(bench: Bench) -> None:
    """So they are after the link was down."""
    await bench.read("patient", 100)
    await bench.driver.open()
    assert not (await bench.read("patient", 100)).unchanged


async def test_one_request_is_not_compared_with_another(bench: Bench) -> None:
    """Two requests with equal replies are each news."""
    bench.plc.answer = lambda asked: [asked.reply(5)]
    assert [(await bench.read("patient", address)).unchanged for address in (100, 200, 300)] == [False] * 3


async def test_transaction_ids_go_on_over_a_new_connection(bench: Bench) -> None:
    """What a converter still answers to the old connection fits no request of the new one."""
    await bench.read("patient", 100)
    await bench.driver.open()
    await bench.read("patient", 100)
    await bench.driver.close()
    await bench.driver.open()
    await bench.read("patient", 100)
    assert [asked.transaction for asked in bench.plc.asked] == [1, 2, 3]


async def test_each_read_sends_one_request(bench: Bench) -> None:
    """Trying again is the core's business."""
    bench.plc.answer = lambda asked: []
    with pytest.raises(NoReply):
        await bench.read("impatient", 100)
    assert len(bench.plc.asked) == 1


async def test_requests_are_made_anew_while_the_link_is_open(bench: Bench, make_connection: MakeConnection) -> None:
    """Other tags are read over the same connection; the old requests still work."""
    config = make_connection(
        devices={"other": {"unit_id": 3, "timeout_s": 20.0, "tags": {"t": {"address": "holding:7"}}}}
    )
    (request,) = bench.driver.requests(devices_of(config))
    assert (await bench.driver.read(request)).values == [7]
    assert bench.plc.asked[-1].unit == 3
    assert (await bench.read("patient", 100)).values == [100]


async def test_nothing_is_read_over_a_closed_link(bench: Bench) -> None:
    """Before it is opened and after it is closed, a reading says so; closing twice does nothing."""
    await bench.driver.close()
    await bench.driver.close()
    with pytest.raises(LinkError, match="is not connected"):
        await bench.read("patient", 100)
    await bench.driver.open()
    assert (await bench.read("patient", 100)).values == [100]
