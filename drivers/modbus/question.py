"""What is asked of a unit and what comes back, as bytes: the same whatever carries them.

A PDU is a function code and its data (Modbus Application Protocol V1.1b3, section 4.1): all of a frame that does not
depend on the transport.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pymodbus.pdu.pdu import ModbusPDU

EXCEPTION_BIT: Final = 0x80
"""Added to the function code where a unit answers that it will not; one byte follows, the exception code."""

EXCEPTION_PDU_BYTES: Final = 2


class Question(NamedTuple):
    """One request to one unit."""

    unit_id: int
    pdu: bytes
    """Function code and data."""
    timeout_s: float
    """How long the unit may think. What the bytes take on a serial line is added."""
    about: object
    """What is asked for; its text begins every error."""
    is_repeatable: bool = True
    """Whether asking twice does no harm: not so for a write, nor for a register that reading clears."""

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]


class RawRequest(ModbusPDU):
    """A request of bytes that are given, in the form that pymodbus sends."""

    def __init__(self, question: Question) -> None:
        # Not the base's own __init__: it fills ten fields that raw bytes do not have.
        self.dev_id = question.unit_id
        self.transaction_id = 0
        self.function_code = question.pdu[0]
        self.pdu = question.pdu
        """Function code and data."""

    def encode(self) -> bytes:
        """All that follows the function code."""
        return self.pdu[1:]


class RawReply(ModbusPDU):
    """A reply whose bytes nobody has looked into yet."""

    def __init__(self, unit_id: int, pdu: bytes, asked_unit_id: int, transaction_id: int = 0) -> None:
        # Not the base's own __init__, as above.
        self.unit_id = unit_id
        """Who answers."""
        self.pdu = pdu
        """Function code and data; empty where what came is no frame."""
        self.dev_id = asked_unit_id
        """Who was asked: pymodbus lets nothing else through, and the answer to that is not its business."""
        self.transaction_id = transaction_id
