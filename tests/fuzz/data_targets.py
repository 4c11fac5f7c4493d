"""The decoders alone, held against the plainest reading of the same bytes; and writes that are answered strangely."""

from __future__ import annotations

import struct
from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from drivers.modbus.address import HOLDING
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.counts import LinkCounts
from drivers.modbus.decode import Placed, decoder_of
from drivers.modbus.question import RawReply
from drivers.modbus.reply import answer_of
from drivers.modbus.writing import write
from gateway.collect.plan import devices_of
from gateway.driver import DriverError
from tests.drivers.modbus.writable_unit import Unit
from tests.fuzz.damage import damaged
from tests.fuzz.outcome import checked, random_data
from tests.fuzz.plants import ORDERS, random_tag

if TYPE_CHECKING:
    from drivers.modbus.decode import Decoder
    from drivers.modbus.plan import Block
    from drivers.modbus.question import Question
    from drivers.modbus.tag import ModbusTag
    from gateway.driver import Device

_POOL: Final = 200
_REGISTERS: Final = 100


class _Sheet(NamedTuple):
    """Tags anywhere in a block of registers, also over one another."""

    placed: list[Placed]
    decode: Decoder


class Decoders:
    """Blocks of data of the right size; numbers are compared with a reading of their own."""

    def __init__(self, _blocks: list[Block]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._sheets = _sheets()

    def step(self, rng: Random) -> None:
        """One block of data."""
        placed, decode = rng.choice(self._sheets)
        data = random_data(rng, 2 * _REGISTERS)
        decoded = decode(data)
        self.outcomes[checked(decoded)] += 1
        offset, tag = placed[at := rng.randrange(len(placed))]
        octets = data[2 * offset : 2 * (offset + tag.span)]
        assert _means(tag, octets, decoded.values[at]), f"{tag.data_type()} {octets.hex()} became {decoded.values[at]}"


@cache
def _sheets() -> list[_Sheet]:
    rng = Random(1)  # noqa: S311 - the same every time, on purpose
    return [_sheet(rng) for _ in range(_POOL)]


def _sheet(rng: Random) -> _Sheet:
    """Each tag by itself is one that a technician could write."""
    placed = []
    for _ in range(rng.randint(1, 40)):
        tags = {"t": random_tag(rng, "holding", rng.randint(0, _REGISTERS - 7))}
        (press,) = _devices(tags, order=rng.choice(ORDERS))
        tag = press.config.tags["t"]
        placed.append(Placed(tag.place.number, tag))
    return _Sheet(placed, decoder_of(HOLDING, placed, _REGISTERS))


def _devices(tags: dict[str, Any], **device: Any) -> list[Device]:
    file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"press": {"tags": tags, **device}}}
    return devices_of(ModbusConnection.model_validate(file))


def _means(tag: ModbusTag, octets: bytes, value: Any) -> bool:
    """Whether numbers, digits, bits and bytes are read as anybody would by hand; text and clocks are not judged."""
    words = [octets[at : at + 2] for at in range(0, len(octets), 2)]
    if tag.byte_order in {"CDAB", "DCBA"}:
        words.reverse()
    ordered = b"".join(word[::-1] if tag.byte_order in {"BADC", "DCBA"} else word for word in words)
    name, pattern = tag.data_type(), int.from_bytes(ordered, "big")
    if name == "bytes":
        return bool(value == ordered[: tag.length].hex())
    if name.startswith("float"):
        packed = struct.pack(f">{ {2: 'e', 4: 'f', 8: 'd'}[len(ordered)] }", value or 0.0)
        return value is None or packed == ordered or (value == 0.0 and not any(ordered[1:]))
    if name.startswith("bcd"):
        digits = f"{pattern:x}"
        return value == (int(digits) if digits.isdecimal() else None)
    if name == "bool" or name.lstrip("u").startswith("int"):
        return value is None or value == _whole(tag, pattern, 8 * len(octets))
    return True


def _whole(tag: ModbusTag, pattern: int, bits: int) -> int:
    if tag.part is not None:
        pattern, bits = pattern >> tag.part.low & (1 << tag.part.width) - 1, tag.part.width
    is_negative = tag.data_type().startswith("int") and pattern >> bits - 1
    return pattern - (1 << bits) if is_negative else pattern


class Writes:
    """Values written to a unit whose answers are damaged: success is told only where all were right."""

    def __init__(self, _blocks: list[Block]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._counts = LinkCounts()
        places = ("holding:7", "holding:7.3", "holding:7.4-7", "coil:7")
        settings = [{"writes": w, "bit_writes": b} for w in ("auto", "multiple", "read_write") for b in _BIT_WRITES]
        self._devices = [
            device for place in places for keys in settings for device in _devices({"t": {"address": place}}, **keys)
        ]

    def step(self, rng: Random) -> None:
        """One value."""
        unit, device, damages, answer, right = Unit(), rng.choice(self._devices), 0, b"", b""

        async def ask(question: Question) -> bytes:
            nonlocal damages, answer, right
            right = await unit.ask(question)
            answer = damaged(rng, right) if rng.random() < 0.4 else right
            damages += answer != right and not (question.is_repeatable and _same_shape(answer, right))
            reply = RawReply(question.unit_id, answer or b"\x00", question.unit_id)
            return answer_of(reply, question, self._counts)

        writing = write(ask, device, "t", rng.choice((0, 1, 1, 5)))
        try:
            writing.send(None)
        except StopIteration:
            assert not damages, "a write with a damaged answer was called a success"
            assert _shown(device, answer) == _shown(device, right), "what was read back differs from what was written"
            self.outcomes["written"] += 1
        except DriverError as error:
            self.outcomes[type(error).__name__] += 1


def _same_shape(answer: bytes, right: bytes) -> bool:
    """Whether only data of a reading differ: nobody can tell that of them, so checksums of the transport must."""
    return len(answer) == len(right) and answer[:2] == right[:2]


def _shown(device: Device, answer: bytes) -> int:
    """The bits of the tag in the answer to a reading."""
    tag = device.config.tags["t"]
    mask = 1 if tag.place.table.is_bits else 0xFFFF if tag.part is None else tag.part.mask
    return int.from_bytes(answer[2:], "big") & mask


_BIT_WRITES: Final = ("mask", "read_modify_write")
