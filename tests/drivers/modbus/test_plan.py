from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.config import ModbusConnection
from drivers.modbus.datatypes import REGISTER_TYPES
from drivers.modbus.plan import REQUEST_OVERHEAD_BYTES, requests_of
from gateway.collect.plan import devices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.driver import Device
    from tests.drivers.modbus.conftest import MakeDevices, MakeRequest


def blocks_of(devices: list[Device]) -> list[tuple[str, int]]:
    """Start and count of each request, by the wire."""
    return [(r.detail.start.wire, r.detail.count) for device in devices for r in requests_of(device)]


def registers(*numbers: int, **keys: Any) -> dict[str, Any]:
    """Tags on holding registers."""
    return {f"t{number}": {"address": f"holding:{number}"} | keys for number in numbers}


def test_neighbours_are_read_in_one_request(make_devices: MakeDevices) -> None:
    """A block of neighbouring tags costs one request, whatever their order in the file."""
    assert blocks_of(make_devices(registers(102, 100, 101))) == [("holding:100", 3)]


def test_positions_follow_the_values_of_the_reply(make_devices: MakeDevices) -> None:
    """The reply's values stand by address; positions say which tags they are."""
    (device,) = make_devices(registers(102, 100, 101))
    (request,) = requests_of(device)
    assert [device.plan.tags[at].name for at in request.positions] == ["t100", "t101", "t102"]


def test_tables_units_and_periods_are_read_apart(make_devices: MakeDevices) -> None:
    """A request has one function, one unit and one period."""
    tags = {
        "h": {"address": "holding:1"},
        "i": {"address": "input:1"},
        "c": {"address": "coil:1"},
        "d": {"address": "discrete:1"},
        "slow": {"address": "holding:2", "period_s": 10.0},
    }
    (device,) = make_devices(tags, unit_id=9, period_s=2.0, timeout_s=0.5)
    requests = requests_of(device)
    assert [(r.detail.start.wire, r.period_s) for r in requests] == [
        ("holding:1", 2.0),
        ("input:1", 2.0),
        ("coil:1", 2.0),
        ("discrete:1", 2.0),
        ("holding:2", 10.0),
    ]
    assert {(r.device, r.detail.unit_id, r.detail.timeout_s) for r in requests} == {("meter", 9, 0.5)}


@pytest.mark.parametrize(
    ("max_gap", "second", "blocks"),
    [
        (0, 102, [("holding:100", 1), ("holding:102", 1)]),
        (1, 102, [("holding:100", 3)]),
        (16, 117, [("holding:100", 18)]),
        (16, 118, [("holding:100", 1), ("holding:118", 1)]),
        (124, 100 + 1 + REQUEST_OVERHEAD_BYTES // 2, [("holding:100", 2 + REQUEST_OVERHEAD_BYTES // 2)]),
        (124, 102 + 1 + REQUEST_OVERHEAD_BYTES // 2, [("holding:100", 1), ("holding:171", 1)]),
    ],
)
def test_a_gap_is_read_along_while_it_is_allowed_and_cheaper(
    make_devices: MakeDevices, max_gap: int, second: int, blocks: list[tuple[str, int]]
) -> None:
    """Another request costs 137 bytes, so 68 registers are cheaper and 69 are not; max_gap bounds it before that."""
    assert blocks_of(make_devices(registers(100, second), max_gap=max_gap)) == blocks


def test_a_full_block_is_cut_at_a_gap_rather_than_behind_it(make_devices: MakeDevices) -> None:
    """Two requests are needed anyway; reading the gap along would cost bytes for nothing."""
    devices = make_devices(registers(*range(60), *range(70, 135)))
    assert blocks_of(devices) == [("holding:0", 60), ("holding:70", 65)]


def test_values_are_never_cut(make_devices: MakeDevices) -> None:
    """At the limit of 125 registers the number that would be cut begins the next request."""
    devices = make_devices(registers(*range(0, 130, 2), type="float32"))
    assert blocks_of(devices) == [("holding:0", 124), ("holding:124", 6)]


def test_max_registers_bounds_a_request(make_devices: MakeDevices) -> None:
    """Some devices give 80 registers at once, or 8."""
    assert [count for _, count in blocks_of(make_devices(registers(*range(20)), max_registers=8))] == [8, 8, 4]


def test_bits_come_two_thousand_at_once(make_devices: MakeDevices) -> None:
    """Coils have their own limit, that of the standard."""
    tags = {f"c{n}": {"address": f"coil:{n}"} for n in range(2001)}
    assert blocks_of(make_devices(tags)) == [("coil:0", 2000), ("coil:2000", 1)]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (8, 1), (9, 2), (16, 2)])
def test_a_reply_of_bits_has_the_bytes_they_fill(make_request: MakeRequest, count: int, expected: int) -> None:
    """Eight states a byte, the last one filled up."""
    request = make_request({"a": {"address": "coil:0"}, "b": {"address": f"coil:{count - 1}"}})
    assert (request.detail.count, request.detail.data_bytes) == (count, expected)


@st.composite
def devices(draw: st.DrawFn) -> Device:
    """A device with any tags and limits."""
    tags = {}
    for n in range(draw(st.integers(1, 40))):
        table = draw(st.sampled_from(["holding", "input", "coil", "discrete"]))
        is_bits = table in {"coil", "discrete"}
        address = draw(st.integers(0, 300) | st.integers(0, 65534))
        tags[f"t{n}"] = {"address": f"{table}:{address}", "period_s": draw(st.sampled_from([1.0, 5.0]))}
        if not is_bits:
            tags[f"t{n}"]["type"] = draw(st.sampled_from(sorted(REGISTER_TYPES)))
    limits = {"max_registers": draw(st.integers(2, 125)), "max_gap": draw(st.integers(0, 124))}
    file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"meter": {"tags": tags} | limits}}
    (device,) = devices_of(ModbusConnection.model_validate(file))
    return device


@given(devices())
def test_every_tag_is_read_exactly_once_and_whole(device: Device) -> None:
    """No tag is lost, doubled, cut, or read at another's table or period."""
    requests = requests_of(device)
    assert sorted(at for request in requests for at in request.positions) == list(range(len(device.plan.tags)))
    for request in requests:
        block, tags = request.detail, list(device.config.tags.values())
        for at in request.positions:
            place, planned = tags[at].place, device.plan.tags[at]
            width = 1 if place.table.is_bits else tags[at].register_type.registers
            assert (place.table, planned.period_s) == (block.start.table, request.period_s)
            assert block.start.number <= place.number
            assert place.number + width <= block.start.number + block.count


@given(devices())
def test_no_request_exceeds_a_limit(device: Device) -> None:
    """The standard's limit, the device's, and the longest gap allowed."""
    for request in requests_of(device):
        block, tags = request.detail, list(device.config.tags.values())
        is_bits = block.start.table.is_bits
        assert 1 <= block.count <= (2000 if is_bits else device.config.max_registers)
        assert block.start.number + block.count <= 65536
        reached = block.start.number
        for at in request.positions:
            assert tags[at].place.number - reached <= device.config.max_gap
            reached = max(reached, tags[at].place.number + (1 if is_bits else tags[at].register_type.registers))


def cost(blocks: Iterable[Sequence[int]]) -> int:
    """What the plan says a list of blocks costs on holding registers, in bytes."""
    return sum(REQUEST_OVERHEAD_BYTES + 2 * (last - first + 1) for first, last in blocks)


def cheapest_by_trying_all(numbers: list[int], most: int, max_gap: int) -> int:
    """The cost of the best of all ways to cut sorted registers into blocks."""
    best = None
    for cuts in range(1 << (len(numbers) - 1)):
        blocks = [[numbers[0], numbers[0]]]
        for at, (before, number) in enumerate(pairwise(numbers)):
            if cuts >> at & 1 or number - before - 1 > max_gap:
                blocks.append([number, number])
            blocks[-1][1] = number
        if all(last - first < most for first, last in blocks):
            best = min(best or cost(blocks), cost(blocks))
    assert best is not None
    return best


@given(st.lists(st.integers(0, 400), min_size=1, max_size=9, unique=True), st.integers(2, 125), st.integers(0, 124))
def test_no_other_plan_is_cheaper(numbers: list[int], most: int, max_gap: int) -> None:
    """Held against all ways to cut the same registers."""
    tags = registers(*numbers)
    limits = {"max_registers": most, "max_gap": max_gap}
    file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"meter": {"tags": tags} | limits}}
    (device,) = devices_of(ModbusConnection.model_validate(file))
    planned = [(r.detail.start.number, r.detail.start.number + r.detail.count - 1) for r in requests_of(device)]
    assert cost(planned) == cheapest_by_trying_all(sorted(numbers), most, max_gap)
