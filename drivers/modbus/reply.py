"""Whether a reply fits its question. Nothing of one that does not is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.modbus.refusals import refusal
from gateway.driver import WrongReply

if TYPE_CHECKING:
    from drivers.modbus.plan import Block

_UNIT: Final = 6
_FUNCTION: Final = 7
_BYTE_COUNT: Final = 8
_DATA: Final = 9
"""Places in a frame: transaction (2 bytes), protocol (2), length (2), unit, function, byte count, data (Modbus
Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3)."""

_EXCEPTION_BIT: Final = 0x80
_EXCEPTION_LENGTH: Final = 9


def data_of(frame: bytes, block: Block) -> bytes:
    """The data bytes of a reply, exactly as many as were asked for.

    Args:
        frame: from the transaction id to the last byte that its length field counts, at least 8 bytes.
        block: what was asked.

    Raises:
        DeviceRefused: the device answered with an exception.
        NoReply: a converter says that the unit behind it is silent.
        WrongReply: another unit, another function, or another number of bytes.
    """
    function, wanted = block.start.table.read_function, block.data_bytes
    if frame[_UNIT] != block.unit_id:
        raise WrongReply(
            f"{block}: unit {frame[_UNIT]} answered; check unit_id, and whether two devices share an address"
        )
    if frame[_FUNCTION] == function | _EXCEPTION_BIT and len(frame) == _EXCEPTION_LENGTH:
        raise refusal(block, frame[_BYTE_COUNT])
    if frame[_FUNCTION] != function:
        raise WrongReply(f"{block}: asked with function {function}, the answer has function {frame[_FUNCTION]}")
    if len(frame) != _DATA + wanted or frame[_BYTE_COUNT] != wanted:
        raise WrongReply(_about_size(frame, block))
    return frame[_DATA:]


def _about_size(frame: bytes, block: Block) -> str:
    announced = f", announced as {frame[_BYTE_COUNT]}" if len(frame) > _BYTE_COUNT else ""
    return (
        f"{block}: {max(len(frame) - _DATA, 0)} bytes of data came{announced}, {block.data_bytes} were asked for; "
        "the device may end before the last address, or give fewer registers at once: lower max_registers"
    )
