"""Whether a reply fits its question. Nothing of one that does not is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.modbus.question import EXCEPTION_BIT, EXCEPTION_PDU_BYTES
from drivers.modbus.refusals import refusal
from gateway.driver import WrongReply

if TYPE_CHECKING:
    from drivers.modbus.counts import LinkCounts
    from drivers.modbus.plan import Block
    from drivers.modbus.question import Question, RawReply

_BYTE_COUNT: Final = 1
_DATA: Final = 2
"""Places in the PDU of a read: function, byte count, data (Modbus Application Protocol V1.1b3, section 6)."""


def answer_of(reply: RawReply, question: Question, counts: LinkCounts) -> bytes:
    """The PDU of a reply that comes from the asked unit: of the asked function, or an exception of two bytes.

    Raises:
        WrongReply: another unit or another function; it is counted.
    """
    function = reply.pdu[0]
    if reply.unit_id == question.unit_id and (
        function == question.function or is_exception(reply.pdu, question.function)
    ):
        return reply.pdu
    counts.wrong_replies += 1
    if reply.unit_id != question.unit_id:
        raise WrongReply(
            f"{question.about}: unit {reply.unit_id} answered; check unit_id, and whether two devices share an address"
        )
    raise WrongReply(
        f"{question.about}: asked with function {question.function}, the answer has function {function}; this is a "
        "fault of the device: look for newer firmware"
    )


def is_exception(pdu: bytes, function: int) -> bool:
    """Whether a PDU says that the unit will not; its second byte is the exception code."""
    return pdu[0] == function | EXCEPTION_BIT and len(pdu) == EXCEPTION_PDU_BYTES


def data_of(pdu: bytes, block: Block) -> bytes:
    """The data bytes of the answer to a read, exactly as many as were asked for.

    Args:
        pdu: as `answer_of` gives it.
        block: what was asked.

    Raises:
        DeviceRefused: the device answered with an exception.
        NoReply: a converter says that the unit behind it is silent.
        WrongReply: another number of bytes.
    """
    wanted = block.data_bytes
    if is_exception(pdu, block.start.table.read_function):
        raise refusal(block, pdu[_BYTE_COUNT])
    if len(pdu) != _DATA + wanted or pdu[_BYTE_COUNT] != wanted:
        raise WrongReply(_about_size(pdu, block))
    return pdu[_DATA:]


def _about_size(pdu: bytes, block: Block) -> str:
    announced = f", announced as {pdu[_BYTE_COUNT]}" if len(pdu) > _BYTE_COUNT else ""
    return (
        f"{block}: {max(len(pdu) - _DATA, 0)} bytes of data came{announced}, {block.data_bytes} were asked for; "
        "the device may end before the last address, or give fewer registers at once: lower max_registers"
    )
