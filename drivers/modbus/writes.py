"""Requests that write, as bytes, and what exactly their answer must be.

Functions and their fields: Modbus Application Protocol V1.1b3, sections 6.5, 6.6, 6.11, 6.12, 6.16 and 6.17.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WRITE_COIL: Final = 5
WRITE_REGISTER: Final = 6
WRITE_COILS: Final = 15
WRITE_REGISTERS: Final = 16
MASK_REGISTER: Final = 22
READ_WRITE_REGISTERS: Final = 23

MOST_REGISTERS: Final = 123
MOST_REGISTERS_READ_WRITE: Final = 121
"""Registers that one request may write, by functions 16 and 23."""

_COIL_ON: Final = 0xFF00
_ALL_BITS: Final = 0xFFFF
_HEAD: Final = struct.Struct(">BHH")


class Write(NamedTuple):
    """One request that writes."""

    pdu: bytes
    """Function code and data."""
    answer: bytes
    """The PDU of the answer to it; any other means that something else was done."""

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]


def write_coil(address: int, *, state: bool) -> Write:
    """One coil, by function 5."""
    pdu = _HEAD.pack(WRITE_COIL, address, _COIL_ON if state else 0)
    return Write(pdu, pdu)


def write_coils(address: int, states: Sequence[bool]) -> Write:
    """Coils side by side, by function 15; the first one is the lowest bit of the first byte."""
    bits = sum(state << at for at, state in enumerate(states))
    size = (len(states) + 7) // 8
    answer = _HEAD.pack(WRITE_COILS, address, len(states))
    return Write(answer + bytes([size]) + bits.to_bytes(size, "little"), answer)


def write_register(address: int, octets: bytes) -> Write:
    """One register, by function 6."""
    pdu = bytes([WRITE_REGISTER]) + address.to_bytes(2, "big") + octets
    return Write(pdu, pdu)


def write_registers(address: int, octets: bytes) -> Write:
    """Registers side by side, by function 16."""
    answer = _HEAD.pack(WRITE_REGISTERS, address, len(octets) // 2)
    return Write(answer + bytes([len(octets)]) + octets, answer)


def mask_register(address: int, mask: int, bits: int) -> Write:
    """The bits of `mask` in one register become those of `bits`, the others stay, by function 22."""
    pdu = _HEAD.pack(MASK_REGISTER, address, _ALL_BITS ^ mask) + bits.to_bytes(2, "big")
    return Write(pdu, pdu)


def read_write_registers(address: int, octets: bytes) -> Write:
    """Registers side by side, by function 23, which writes them first and then answers what they hold."""
    count = len(octets) // 2
    head = struct.pack(">BHHHHB", READ_WRITE_REGISTERS, address, count, address, count, len(octets))
    return Write(head + octets, bytes([READ_WRITE_REGISTERS, len(octets)]) + octets)
