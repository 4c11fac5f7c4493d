"""Writing one tag: the value as bytes, sent by the function that fits, and read back.

What cannot be written exactly is refused before anything is sent. Nothing is ever written twice: whoever gets no answer
knows that it is unknown whether the device took the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from drivers.modbus.datatypes import encode, in_order
from drivers.modbus.question import Question
from drivers.modbus.refusals import refusal_of_write
from drivers.modbus.reply import is_exception
from drivers.modbus.writes import (
    MOST_REGISTERS,
    MOST_REGISTERS_READ_WRITE,
    READ_WRITE_REGISTERS,
    Write,
    mask_register,
    read_write_registers,
    write_coil,
    write_coils,
    write_register,
    write_registers,
)
from gateway.driver import CannotWrite, LinkError, NoReply, NotKept, WrongReply

if TYPE_CHECKING:
    from drivers.modbus.config import ModbusDevice
    from drivers.modbus.tag import ModbusTag
    from gateway.driver import Device
    from gateway.model import Value

_WRITABLE: Final = {"holding", "coil"}
_UNKNOWN: Final = "The value may have been written: look at it before writing again"
_DATA: Final = 2
"""Where the data begins in the answer to a read: behind function and byte count."""


class Ask(Protocol):
    """What carries a question to the unit and brings the PDU of its answer."""

    async def __call__(self, question: Question) -> bytes:
        """Of the asked function, or an exception.

        Raises:
            LinkError: the connection is lost.
            NoReply: the unit kept silent.
            WrongReply: another unit or function answered.
        """
        ...


async def write(ask: Ask, device: Device, tag_name: str, value: Value) -> None:
    """Write the raw value of one tag and read it back.

    Raises:
        CannotWrite: nothing was sent, since the tag cannot be written or cannot hold this value.
        NotKept: the device confirmed it and then held something else.
        DeviceRefused: the device answered that it will not.
        LinkError: the connection is lost; it is unknown whether the device took the value.
        NoReply: the unit kept silent; it is unknown as well.
        WrongReply: the answer does not fit.
    """
    await _Writing(ask, device, tag_name).write(value)


class _Writing:
    """One tag while it is written."""

    def __init__(self, ask: Ask, device: Device, tag_name: str) -> None:
        config: ModbusDevice = device.config
        self._ask_unit = ask
        self._device = device
        self._config = config
        self._tag = _writable(device.name, tag_name, config.tags.get(tag_name))
        self._name = tag_name
        self._place = self._tag.place

    def __str__(self) -> str:
        where = self._place.span(self._tag.span)
        return f"{self._device.name} (unit {self._config.unit_id}), {self._name} at {where}"

    async def write(self, value: Value) -> None:
        """Send and compare."""
        if self._place.table.is_bits:
            await self._write_coil(value)
        elif self._mask is None:
            await self._write_whole(self._encoded(value))
        else:
            await self._write_bits(int.from_bytes(self._encoded(value), "big"))

    async def _write_coil(self, value: Value) -> None:
        if value not in {True, False}:
            raise CannotWrite(f"{self}: {value!r} is neither true nor false")
        state, number = bool(value), self._place.number
        multiple = self._config.writes == "multiple"
        await self._send(write_coils(number, [state]) if multiple else write_coil(number, state=state))
        kept = bool((await self._read())[0] & 1)
        if kept is not state:
            raise self._not_kept(str(value), str(kept))

    async def _write_whole(self, octets: bytes) -> None:
        """All bits of the registers."""
        await self._send(self._write_of(octets))
        kept = await self._read()
        if kept != octets:
            raise self._not_kept(octets.hex(), kept.hex())

    async def _write_bits(self, bits: int) -> None:
        """Some bits of one register, by a function that leaves the others alone where the device has one."""
        assert self._mask is not None
        if self._config.bit_writes == "mask":
            await self._send(mask_register(self._place.number, self._mask, bits))
        else:
            others = int.from_bytes(await self._read(), "big") & ~self._mask
            await self._send(self._write_of((others | bits).to_bytes(2, "big")))
        kept = int.from_bytes(await self._read(), "big") & self._mask
        if kept != bits:
            raise self._not_kept(f"{bits:04x}", f"{kept:04x}")

    @property
    def _mask(self) -> int | None:
        """The bits that belong to the tag as they stand on the wire; None where all do."""
        mask = self._tag.all_values_type().mask
        return None if mask is None else int.from_bytes(in_order(mask.to_bytes(2, "big"), self._tag.byte_order), "big")

    def _encoded(self, value: Value) -> bytes:
        data_type = self._tag.all_values_type()
        try:
            return encode(value, data_type, self._tag.byte_order)
        except ValueError as error:
            raise CannotWrite(f"{self}: {error}") from None

    def _write_of(self, octets: bytes) -> Write:
        """The request that writes whole registers, by what the device's `writes` says."""
        most = MOST_REGISTERS_READ_WRITE if self._config.writes == "read_write" else MOST_REGISTERS
        if self._tag.span > most:
            raise CannotWrite(f"{self}: it takes {self._tag.span} registers, and one request writes at most {most}")
        if self._config.writes == "read_write":
            return read_write_registers(self._place.number, octets)
        if self._config.writes == "multiple" or self._tag.span > 1:
            return write_registers(self._place.number, octets)
        return write_register(self._place.number, octets)

    async def _send(self, write: Write) -> None:
        answer = await self._confirmed(write)
        is_same_size = len(answer) == len(write.answer) and answer[:_DATA] == write.answer[:_DATA]
        if write.function == READ_WRITE_REGISTERS and is_same_size and answer != write.answer:
            raise self._not_kept(write.answer[_DATA:].hex(), answer[_DATA:].hex())
        if answer != write.answer:
            raise WrongReply(
                f"{self}: the device confirmed something else than it was asked for ({answer.hex()} instead of "
                f"{write.answer.hex()}); look at the value before writing again"
            )

    async def _confirmed(self, write: Write) -> bytes:
        """The answer to a write; of a silence the error says that nobody knows what the device did."""
        try:
            return await self._ask(write.pdu, is_repeatable=False)
        except NoReply as error:
            raise NoReply(f"{error}. {_UNKNOWN}", error.again_s) from error
        except LinkError as error:
            raise LinkError(f"{error}. {_UNKNOWN}") from error

    async def _read(self) -> bytes:
        """What the registers, or the coil, hold now."""
        table, span = self._place.table, self._tag.span
        head = bytes([table.read_function]) + self._place.number.to_bytes(2, "big") + span.to_bytes(2, "big")
        answer = await self._ask(head, is_repeatable=not self._tag.read_once)
        wanted = (span + 7) // 8 if table.is_bits else 2 * span
        if len(answer) != _DATA + wanted or answer[1] != wanted:
            raise WrongReply(f"{self}: reading it back gave {len(answer) - _DATA} bytes instead of {wanted}")
        return answer[_DATA:]

    async def _ask(self, pdu: bytes, *, is_repeatable: bool) -> bytes:
        question = Question(self._config.unit_id, pdu, self._device.timing.timeout_s, self, is_repeatable)
        answer = await self._ask_unit(question)
        if is_exception(answer, question.function):
            raise refusal_of_write(str(self), question.function, answer[1])
        return answer

    def _not_kept(self, written: str, kept: str) -> NotKept:
        return NotKept(
            f"{self}: {written} was written and confirmed, and then it held {kept}; the device may limit it, be in "
            f"local mode, or be written by others as well"
        )


def _writable(device: str, name: str, tag: ModbusTag | None) -> ModbusTag:
    """The tag, where it can be written at all."""
    if tag is None:
        raise CannotWrite(f"{device} has no tag {name!r}")
    place = tag.place
    if place.table.name not in _WRITABLE:
        raise CannotWrite(
            f"{device}, {name} at {place}: Modbus has no way to write a point of the table {place.table.name}; see the "
            f"device's manual whether it has the point as a holding register or a coil as well"
        )
    if tag.length is not None and tag.length % 2:
        raise CannotWrite(
            f"{device}, {name} at {place}: it ends in the middle of a register, and writing it would change the other "
            f"half as well"
        )
    return tag
