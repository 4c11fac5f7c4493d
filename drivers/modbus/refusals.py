"""What a device means by an exception code, and what to look at then.

Codes and names: Modbus Application Protocol V1.1b3, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.modbus.address import Address
from gateway.driver import DeviceRefused, NoReply, Refusal
from gateway.vocabulary import Entry

if TYPE_CHECKING:
    from drivers.modbus.plan import Block
    from gateway.driver import DriverError


class _Exception(NamedTuple):
    name: str
    remedy: str
    refusal: Refusal = Refusal.FOR_NOW


def _error_code(number: int) -> str:
    return f"E-MB-{number:03d}"


_ILLEGAL_ADDRESS: Final = 0x02
_TARGET_SILENT: Final = 0x0B

_EXCEPTIONS: Final = {
    0x01: _Exception(
        "illegal function",
        "The device does not have this table: see its manual whether the point is a holding or an input register, a "
        "coil or a discrete input.",
        Refusal.TABLE,
    ),
    0x02: _Exception("illegal data address", "The device lacks one of these addresses.", Refusal.POINTS),
    0x03: _Exception(
        "illegal data value",
        "Usually more registers than the device gives at once: lower max_registers.",
        Refusal.POINTS,
    ),
    0x04: _Exception(
        "server device failure",
        "The device reports a fault of its own: look at its display or log. Some devices answer so where they lack an "
        "address.",
        Refusal.PERHAPS_POINTS,
    ),
    0x05: _Exception("acknowledge", "The device is still working on something: raise period_s."),
    0x06: _Exception("server device busy", "The device is polled too often, or by others as well: raise period_s."),
    0x08: _Exception("memory parity error", "The device finds its memory damaged: restart or replace it."),
    0x0A: _Exception(
        "gateway path unavailable",
        "The converter has no way to this unit: check unit_id and the converter's port settings.",
    ),
    0x0B: _Exception(
        "gateway target device failed to respond",
        "The converter got no answer from this unit: check unit_id, the wiring behind the converter, its baud rate and "
        "parity, and the unit's power.",
    ),
}
_UNKNOWN: Final = _Exception("not in the standard", "See the manual of the device.")
_UNKNOWN_NUMBER: Final = 99

_CAUSE: Final = "A device, or a converter before it, answers a request with this exception of the Modbus standard."

_COUNTS: Final = "Manuals count from 1, the wire from 0: compare the addresses with the manual."

ERRORS: Final = (
    *(
        Entry(
            _error_code(number),
            f"exception {number:02X}: {name}",
            _CAUSE,
            f"{remedy} {_COUNTS}" if number == _ILLEGAL_ADDRESS else remedy,
        )
        for number, (name, remedy, _) in _EXCEPTIONS.items()
    ),
    Entry(_error_code(_UNKNOWN_NUMBER), f"an exception that is {_UNKNOWN.name}", _CAUSE, _UNKNOWN.remedy),
)
"""An entry of the vocabulary of errors for each exception code, whose decimal number it has."""

_OF_WRITES: Final = {
    0x01: "The device does not know function {function}: set {key} at the device.",
    0x02: "The device lacks this address, or does not let it be written.",
    0x03: "The device does not take this value: see its manual for the values that it takes.",
    0x04: "The device could not do it: look at its display or log, and whether it is in local mode.",
}
"""Remedies where a write is refused for other reasons than a read."""
_MASK_WRITE: Final = 22


def refusal(block: Block, code: int) -> DriverError:
    """The error for an exception reply. Code 0B tells of silence behind a converter, the others are refusals."""
    name, remedy, meant = _EXCEPTIONS.get(code, _UNKNOWN)
    if code == _ILLEGAL_ADDRESS:
        remedy = f"{remedy} {_about_addresses(block)}"
    text = f"{block}: exception {code:02X} ({name}). {remedy}"
    return _told(NoReply(text) if code == _TARGET_SILENT else DeviceRefused(text, meant), code)


def refusal_of_write(about: str, function: int, code: int) -> DriverError:
    """The error where a request that writes, or that reads back what was written, is refused."""
    name, remedy, _ = _EXCEPTIONS.get(code, _UNKNOWN)
    key = "bit_writes: read_modify_write" if function == _MASK_WRITE else "writes"
    remedy = _OF_WRITES.get(code, remedy).format(function=function, key=key)
    kind = NoReply if code == _TARGET_SILENT else DeviceRefused
    return _told(kind(f"{about}: exception {code:02X} ({name}) to function {function}. {remedy}"), code)


def _told(error: DriverError, code: int) -> DriverError:
    error.code = _error_code(code if code in _EXCEPTIONS else _UNKNOWN_NUMBER)
    return error


def _about_addresses(block: Block) -> str:
    """Off by one is the usual cause; a hole in a block the next one."""
    hints = []
    if block.start.number > 0:
        one_less = Address(block.start.table, block.start.number - 1)
        hints.append(
            f"Manuals count from 1, the wire from 0: does the manual print {block.start.number} for "
            f"{block.start.wire}? Then write {one_less}."
        )
    if block.count > 1:
        hints.append("Where there is a hole between the tags, name it in holes, or set max_gap: 0.")
    return " ".join(hints)
