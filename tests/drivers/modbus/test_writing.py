from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.driver import ModbusDriver
from drivers.modbus.writing import write
from gateway.driver import CannotWrite, DeviceRefused, LinkError, NoReply, NotKept, WritingDriver, WrongReply
from gateway.testing import ManualClock
from tests.drivers.modbus.writable_unit import Unit

if TYPE_CHECKING:
    from gateway.driver import DriverError
    from tests.drivers.modbus.conftest import MakeConnection, MakeDevices


class Bench:
    """One tag of one device on a unit."""

    def __init__(self, unit: Unit, make: MakeDevices) -> None:
        self.unit = unit
        self._make = make

    async def write(
        self, value: Any, address: str = "holding:10", *, device: dict[str, Any] | None = None, **tag: Any
    ) -> None:
        (made,) = self._make({"t": {"address": address, **tag}}, unit_id=7, timeout_s=0.5, **(device or {}))
        await write(self.unit.ask, made, "t", value)

    def holds(self, count: int, address: int = 10) -> str:
        return "".join(f"{self.unit.registers[address + at]:04x}" for at in range(count))


@pytest.fixture
def unit() -> Unit:
    return Unit()


@pytest.fixture
def bench(unit: Unit, make_devices: MakeDevices) -> Bench:
    return Bench(unit, make_devices)


@pytest.mark.parametrize(
    ("tag", "value", "wire"),
    [
        ({}, 555, "022b"),
        ({"order": "BADC"}, 555, "2b02"),
        ({"type": "int16"}, -2, "fffe"),
        ({"type": "uint32"}, 0x01020304, "01020304"),
        ({"type": "float32", "order": "CDAB"}, 123.45, "e66642f6"),
        ({"type": "uint64", "order": "HGFEDCBA"}, 72623859790382856, "0807060504030201"),
        ({"type": "bcd32"}, 12345678, "12345678"),
        ({"type": "string", "length": 6}, "PM56", "504d35360000"),
        ({"type": "bytes", "length": 4, "order": "BADC"}, "c0a80105", "a8c00501"),
        ({"type": "cp56time2a"}, "2026-11-24T10:15:30.250", "001a0b180a0f762a"),
        ({"type": "unix32"}, "2012-05-16T10:36:46Z", "4fb3833e"),
    ],
)
@pytest.mark.parametrize("writes", ["auto", "multiple", "read_write"])
async def test_a_value_is_written_and_read_back(
    bench: Bench, tag: dict[str, Any], value: Any, wire: str, writes: str
) -> None:
    """By function 6 for one register, 16 for more, or as the device wants it; its neighbours stay."""
    await bench.write(value, device={"writes": writes}, **tag)
    registers = len(wire) // 4
    assert bench.holds(registers) == wire
    assert bench.holds(1, 9) == bench.holds(1, 10 + registers) == "a5a5"
    usual = 6 if registers == 1 else 16
    assert bench.unit.functions == [{"auto": usual, "multiple": 16, "read_write": 23}[writes], 3]


@pytest.mark.parametrize(("value", "held"), [(True, True), (False, False), (1, True), (0, False)])
@pytest.mark.parametrize(("writes", "function"), [("auto", 5), ("multiple", 15), ("read_write", 5)])
async def test_a_coil_is_written_and_read_back(
    bench: Bench, *, value: Any, held: bool, writes: str, function: int
) -> None:
    """By function 5, or 15 where the device wants it."""
    bench.unit.coils[4] = not held
    await bench.write(value, "coil:4", device={"writes": writes})
    assert bench.unit.coils[4] is held
    assert bench.unit.functions == [function, 1]


@pytest.mark.parametrize(
    ("address", "tag", "value", "before", "after"),
    [
        ("holding:10.3", {}, True, 0xA5A5, 0xA5AD),
        ("holding:10.0", {}, False, 0xA5A5, 0xA5A4),
        ("holding:10.4-7", {}, 3, 0xFFFF, 0xFF3F),
        ("holding:10.4-7", {"type": "int8"}, -1, 0x0000, 0x00F0),
        ("holding:10.high", {}, 0x12, 0xA5A5, 0x12A5),
        ("holding:10.high", {"order": "BADC"}, 0x12, 0xA5A5, 0xA512),
        ("holding:10.0", {"order": "BADC"}, True, 0x0000, 0x0100),
    ],
)
@pytest.mark.parametrize(
    ("device", "functions"),
    [
        ({}, [22, 3]),
        ({"bit_writes": "read_modify_write"}, [3, 6, 3]),
        ({"bit_writes": "read_modify_write", "writes": "multiple"}, [3, 16, 3]),
    ],
)
async def test_bits_are_written_and_the_others_stay(
    bench: Bench,
    *,
    address: str,
    tag: dict[str, Any],
    value: Any,
    before: int,
    after: int,
    device: dict[str, Any],
    functions: list[int],
) -> None:
    """By function 22; only where the device says so by reading, changing and writing the register."""
    bench.unit.registers[10] = before
    await bench.write(value, address, device=device, **tag)
    assert bench.unit.registers[10] == after
    assert bench.unit.functions == functions


async def test_only_what_reads_may_be_repeated(bench: Bench) -> None:
    """A link that asks twice after a silence must not write twice."""
    await bench.write(555)
    assert [question.is_repeatable for question in bench.unit.asked] == [False, True]
    assert {question.unit_id for question in bench.unit.asked} == {7}
    assert {question.timeout_s for question in bench.unit.asked} == {0.5}


async def test_a_register_that_reading_clears_is_read_back_once(bench: Bench) -> None:
    """A second reading would find it cleared."""
    await bench.write(555, read_once=True)
    assert [question.is_repeatable for question in bench.unit.asked] == [False, False]


@pytest.mark.parametrize(
    ("address", "tag", "value", "says"),
    [
        ("input:10", {}, 1, r"no way to write a point of the table input"),
        ("discrete:10", {}, True, r"no way to write a point of the table discrete"),
        ("holding:10", {}, 65536, r"65536 does not fit into uint16, which holds 0 to 65535"),
        ("holding:10", {}, -1, r"-1 does not fit into uint16"),
        ("holding:10", {}, 1.5, r"1.5 is no whole number"),
        ("holding:10", {}, True, r"True is no number"),
        ("holding:10.3", {}, 2, r"neither true nor false"),
        ("coil:10", {}, 2, r"neither true nor false"),
        ("coil:10", {}, "on", r"neither true nor false"),
        ("holding:10", {"type": "string", "length": 5}, "PM", r"in the middle of a register"),
        ("holding:10", {"type": "string", "length": 4}, "PM566", r"room for 4"),
        ("holding:10", {"type": "float32"}, float("nan"), r"is no number"),
        (
            "holding:10",
            {"type": "bytes", "length": 250},
            "00" * 250,
            r"125 registers, and one request writes at most 123",
        ),
    ],
)
async def test_what_cannot_be_written_exactly_is_not_sent(
    bench: Bench, address: str, tag: dict[str, Any], value: Any, says: str
) -> None:
    """The text names device, tag, both addresses and the reason."""
    with pytest.raises(CannotWrite, match=says) as refused:
        await bench.write(value, address, **tag)
    assert "meter" in str(refused.value)
    assert "(documented as " in str(refused.value)
    assert bench.unit.asked == []


async def test_an_unknown_tag_is_not_written(bench: Bench, make_devices: MakeDevices) -> None:
    """Nothing is sent."""
    (device,) = make_devices({"t": {"address": "holding:10"}})
    with pytest.raises(CannotWrite, match="meter has no tag 'other'"):
        await write(bench.unit.ask, device, "other", 1)
    assert bench.unit.asked == []


@pytest.mark.parametrize(("writes", "functions"), [("auto", [6, 3]), ("multiple", [16, 3]), ("read_write", [23])])
async def test_a_device_that_holds_something_else_is_told(bench: Bench, writes: str, functions: list[int]) -> None:
    """It confirmed the write and limited the value: that is not success."""
    bench.unit.keeps = lambda register: min(register, 100)
    with pytest.raises(NotKept, match=r"meter \(unit 7\), t at holding:10 .*022b was written .* it held 0064"):
        await bench.write(555, device={"writes": writes})
    assert bench.unit.functions == functions


async def test_a_coil_and_bits_that_do_not_change_are_told(bench: Bench) -> None:
    """Confirmed, but not done."""
    bench.unit.answers = {5: "050004ff00", 22: "16000afff70008"}
    with pytest.raises(NotKept, match="True was written and confirmed, and then it held False"):
        await bench.write(True, "coil:4")
    with pytest.raises(NotKept, match="0008 was written and confirmed, and then it held 0000"):
        await bench.write(True, "holding:10.3")


@pytest.mark.parametrize(
    ("address", "device", "function", "code", "error", "says"),
    [
        ("holding:10", {}, 6, 1, DeviceRefused, r"exception 01 .* does not know function 6: set writes at the device"),
        ("holding:10.3", {}, 22, 1, DeviceRefused, r"does not know function 22: set bit_writes: read_modify_write"),
        ("holding:10", {}, 6, 2, DeviceRefused, r"exception 02 .* or does not let it be written"),
        ("holding:10", {}, 6, 3, DeviceRefused, r"exception 03 .* does not take this value"),
        ("holding:10", {}, 6, 4, DeviceRefused, r"exception 04 .* local mode"),
        ("coil:10", {}, 5, 6, DeviceRefused, r"exception 06"),
        ("coil:10", {}, 5, 0x0B, NoReply, r"exception 0B"),
        ("holding:10", {}, 3, 2, DeviceRefused, r"exception 02 .* to function 3"),
        ("holding:10", {"writes": "read_write"}, 23, 1, DeviceRefused, r"does not know function 23: set writes"),
    ],
)
async def test_a_refusal_says_what_to_do(
    bench: Bench,
    *,
    address: str,
    device: dict[str, Any],
    function: int,
    code: int,
    error: type[Exception],
    says: str,
) -> None:
    """No other function is tried behind the technician's back."""
    bench.unit.refuses = {function: code}
    with pytest.raises(error, match=says):
        await bench.write(1, address, device=device)
    assert bench.unit.functions[-1] == function


@pytest.mark.parametrize(
    ("answers", "address", "tag", "says"),
    [
        ({6: "06000a0002"}, "holding:10", {}, "confirmed something else"),
        ({6: "06000b0001"}, "holding:10", {}, "confirmed something else"),
        ({6: "06"}, "holding:10", {}, "confirmed something else"),
        ({16: "10000a0001"}, "holding:10", {"type": "uint32"}, "confirmed something else"),
        ({5: "05000a0000"}, "coil:10", {}, "confirmed something else"),
        ({3: "0300"}, "holding:10", {}, "gave 0 bytes instead of 2"),
        ({3: "03020001ff"}, "holding:10", {}, "gave 3 bytes instead of 2"),
        ({1: "01"}, "coil:10", {}, "bytes instead of 1"),
    ],
)
async def test_a_wrong_answer_is_no_success(
    bench: Bench, answers: dict[int, str], address: str, tag: dict[str, Any], says: str
) -> None:
    """Every byte of the confirmation counts, and the number of bytes read back."""
    bench.unit.answers = answers
    with pytest.raises(WrongReply, match=says):
        await bench.write(1, address, **tag)


@pytest.mark.parametrize("silence", [NoReply("no answer", again_s=3.0), LinkError("the connection is lost")])
async def test_after_a_silence_it_is_unknown_what_the_device_did(bench: Bench, silence: DriverError) -> None:
    """The error says so, keeps its kind, and nothing is sent again."""
    bench.unit.silence = silence
    with pytest.raises(type(silence), match=f"^{silence}. The value may have been written: look at it") as raised:
        await bench.write(555)
    assert bench.unit.functions == [6]
    assert getattr(raised.value, "again_s", None) == getattr(silence, "again_s", None)


async def test_the_driver_can_write(make_connection: MakeConnection) -> None:
    """As the core asks drivers whether they can."""
    config = make_connection(devices={"d": {"tags": {"t": {"address": "coil:1"}}}})
    assert isinstance(ModbusDriver(config, ManualClock()), WritingDriver)
