from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.cost import NETWORK, NETWORK_OVERHEAD_BYTES
from drivers.modbus.numerals import NUMERALS
from drivers.modbus.plan import halves_of, requests_of
from gateway.collect.plan import devices_of
from gateway.driver import Cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.driver import Device, Request
    from tests.drivers.modbus.conftest import MakeDevices, MakeRequest


def blocks_of(devices: list[Device]) -> list[tuple[str, int]]:
    """Start and count of each request, by the wire."""
    return [(r.detail.start.wire, r.detail.count) for device in devices for r in requests_of(device, NETWORK)]


def registers(*numbers: int, **keys: Any) -> dict[str, Any]:
    """Tags on holding registers."""
    return {f"t{number}": {"address": f"holding:{number}"} | keys for number in numbers}


def test_neighbours_are_read_in_one_request(make_devices: MakeDevices) -> None:
    """A block of neighbouring tags costs one request, whatever their order in the file."""
    assert blocks_of(make_devices(registers(102, 100, 101))) == [("holding:100", 3)]


def test_positions_follow_the_values_of_the_reply(make_devices: MakeDevices) -> None:
    """The reply's values stand by address; positions say which tags they are."""
    (device,) = make_devices(registers(102, 100, 101))
    (request,) = requests_of(device, NETWORK)
    assert [device.plan.tags[at].name for at in request.positions] == ["t100", "t101", "t102"]


def test_tables_are_read_apart(make_devices: MakeDevices) -> None:
    """A request has one function and one unit."""
    tags = {
        "h": {"address": "holding:1"},
        "i": {"address": "input:1"},
        "c": {"address": "coil:1"},
        "d": {"address": "discrete:1"},
    }
    (device,) = make_devices(tags, unit_id=9, period_s=2.0, timeout_s=0.5)
    requests = requests_of(device, NETWORK)
    assert [(r.detail.start.wire, r.period_s) for r in requests] == [
        ("holding:1", 2.0),
        ("input:1", 2.0),
        ("coil:1", 2.0),
        ("discrete:1", 2.0),
    ]
    assert {(r.device, r.detail.unit_id, r.detail.timeout_s) for r in requests} == {("meter", 9, 0.5)}


@pytest.mark.parametrize(
    ("max_gap", "second", "blocks"),
    [
        (0, 102, [("holding:100", 1), ("holding:102", 1)]),
        (1, 102, [("holding:100", 3)]),
        (16, 117, [("holding:100", 18)]),
        (16, 118, [("holding:100", 1), ("holding:118", 1)]),
        (124, 100 + 1 + NETWORK_OVERHEAD_BYTES // 2, [("holding:100", 2 + NETWORK_OVERHEAD_BYTES // 2)]),
        (124, 102 + 1 + NETWORK_OVERHEAD_BYTES // 2, [("holding:100", 1), ("holding:171", 1)]),
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
        data_type = None if is_bits else draw(st.sampled_from(sorted(NUMERALS)))
        width = NUMERALS[data_type].registers if data_type else 1
        # Aligned to their width, values never overlap in part, which is refused.
        address = width * draw(st.integers(0, 300 // width) | st.integers(0, 65535 // width))
        tags[f"t{n}"] = {"address": f"{table}:{address}", "period_s": draw(st.sampled_from([1.0, 5.0]))}
        if data_type:
            tags[f"t{n}"]["type"] = data_type
    limits = {"max_registers": draw(st.integers(4, 125)), "max_gap": draw(st.integers(0, 124))}
    file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"meter": {"tags": tags} | limits}}
    (device,) = devices_of(ModbusConnection.model_validate(file))
    return device


@given(devices())
def test_every_tag_is_read_exactly_once_and_whole(device: Device) -> None:
    """No tag is lost, doubled, cut, or read at another's table; a slower one rides along as often as it should."""
    requests = requests_of(device, NETWORK)
    assert sorted(at for request in requests for at in request.positions) == list(range(len(device.plan.tags)))
    for request in requests:
        block, tags, riders = request.detail, list(device.config.tags.values()), dict(request.riders)
        for number, at in enumerate(request.positions):
            place, planned = tags[at].place, device.plan.tags[at]
            width = 1 if place.table.is_bits else tags[at].register_type.registers
            assert place.table is block.start.table
            assert planned.period_s == request.period_s * riders.get(number, 1)
            assert block.start.number <= place.number
            assert place.number + width <= block.start.number + block.count


@given(devices())
def test_no_request_exceeds_a_limit(device: Device) -> None:
    """The standard's limit, the device's, and the longest gap allowed."""
    for request in requests_of(device, NETWORK):
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
    return sum(NETWORK_OVERHEAD_BYTES + 2 * (last - first + 1) for first, last in blocks)


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
    planned = [
        (r.detail.start.number, r.detail.start.number + r.detail.count - 1) for r in requests_of(device, NETWORK)
    ]
    assert cost(planned) == cheapest_by_trying_all(sorted(numbers), most, max_gap)


def test_a_hole_is_never_read_along(make_devices: MakeDevices) -> None:
    """Not even one address of it; a gap beside it is."""
    tags = registers(100, 103, 106)
    assert blocks_of(make_devices(tags, holes=["holding:101-102"])) == [("holding:100", 1), ("holding:103", 4)]
    assert blocks_of(make_devices(tags, holes=["input:101-102", "40108"])) == [("holding:100", 7)]


def test_cuts_that_were_learned_part_requests(make_devices: MakeDevices) -> None:
    """What was found out at the device counts like what the file says."""
    (device,) = make_devices(registers(*range(10)))
    cuts = [Cut("holding", 4), Cut("holding", 5), Cut("input", 2), Cut("holding", 40)]
    assert [str(r.span) for r in requests_of(device, NETWORK, cuts)] == ["holding:0-3", "holding:4", "holding:5-9"]


def test_tags_to_be_read_together_are_in_one_request(make_devices: MakeDevices) -> None:
    """A value and its scale factor belong to one reading, though the gap is longer than allowed."""
    tags = registers(100, 150, 101)
    assert blocks_of(make_devices(tags, max_gap=0)) == [("holding:100", 2), ("holding:150", 1)]
    together = make_devices(tags, max_gap=0, read_together=[["t100", "t150"]])
    assert blocks_of(together) == [("holding:100", 51)]


def test_a_register_that_reading_clears_is_read_alone_and_never_along(make_devices: MakeDevices) -> None:
    """Not with its neighbours, and not in a gap between others."""
    tags = registers(100, 102) | registers(101, read_once=True)
    (device,) = make_devices(tags)
    requests = requests_of(device, NETWORK)
    assert [(str(r.span), r.once, r.detail.question.is_repeatable) for r in requests] == [
        ("holding:101", True, False),
        ("holding:100", False, True),
        ("holding:102", False, True),
    ]


def test_bits_of_a_register_that_reading_clears_are_read_at_once(make_devices: MakeDevices) -> None:
    """The second reading would find nothing left."""
    bits = {f"b{n}": {"address": f"holding:101.{n}", "read_once": True} for n in range(3)}
    (device,) = make_devices(bits)
    assert [len(r.positions) for r in requests_of(device, NETWORK)] == [3]


def test_slower_tags_ride_along_and_say_how_often_they_count(make_devices: MakeDevices) -> None:
    """A tag of 5 s in a request of 1 s counts in each fifth reading."""
    (device,) = make_devices(registers(100, 102) | registers(101, period_s=5.0))
    (request,) = requests_of(device, NETWORK)
    assert (request.period_s, request.positions, request.riders) == (1.0, (0, 2, 1), ((1, 5),))


def halves_by_span(device: Device, request: Request) -> list[str]:
    """The spans of the halves."""
    return [str(half.span) for half in halves_of(device, request)]


def test_halves_are_of_about_half_the_addresses_each(make_devices: MakeDevices) -> None:
    """Down to one number, which is not parted."""
    (device,) = make_devices(registers(*range(0, 20, 2), type="uint32"))
    (request,) = requests_of(device, NETWORK)
    assert halves_by_span(device, request) == ["holding:0-9", "holding:10-19"]
    last = halves_of(device, halves_of(device, request)[0])[0]
    while halves_of(device, last):
        last = halves_of(device, last)[0]
    assert str(last.span) == "holding:0-1"


def test_what_must_stay_together_is_not_parted(make_devices: MakeDevices) -> None:
    """Groups, and tags on the same registers."""
    (group,) = make_devices(registers(1, 2, 3), read_together=[["t1", "t2", "t3"]])
    same = {"whole": {"address": "holding:1"}, "bit": {"address": "holding:1.3"}}
    (overlapping,) = make_devices(same)
    for device in (group, overlapping):
        (request,) = requests_of(device, NETWORK)
        assert halves_of(device, request) == []


@given(devices())
def test_halves_read_what_the_whole_reads(device: Device) -> None:
    """The same tags as often, in order of their addresses, each half shorter than the whole."""
    for request in requests_of(device, NETWORK):
        halves = halves_of(device, request)
        if not halves:
            continue
        first, second = halves
        assert sorted(first.positions + second.positions) == sorted(request.positions)
        assert first.span.last < second.span.first
        assert {half.period_s for half in halves} == {request.period_s}
        assert len(first.riders) + len(second.riders) == len(request.riders)


def test_a_plan_of_many_tags_and_periods_is_made_in_no_time(make_devices: MakeDevices) -> None:
    """Two thousand registers of three periods take well under the time of a restart."""
    tags = {f"t{n}": {"address": f"holding:{2 * n}", "period_s": (1.0, 5.0, 60.0)[n % 3]} for n in range(2000)}
    (device,) = make_devices(tags)
    begun_s = time.process_time()
    requests_of(device, NETWORK)
    assert time.process_time() - begun_s < 10
