"""What a device means by an exception code, and what to look at then.

Codes and names: Modbus Application Protocol V1.1b3, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.modbus.address import Address
from gateway.driver import DeviceRefused, NoReply

if TYPE_CHECKING:
    from drivers.modbus.plan import Block
    from gateway.driver import DriverError


class _Exception(NamedTuple):
    name: str
    remedy: str


_ILLEGAL_ADDRESS: Final = 0x02
_TARGET_SILENT: Final = 0x0B

_EXCEPTIONS: Final = {
    0x01: _Exception(
        "illegal function",
        "The device does not have this table: see its manual whether the point is a holding or an input register, a "
        "coil or a discrete input.",
    ),
    0x02: _Exception("illegal data address", "The device lacks one of these addresses."),
    0x03: _Exception(
        "illegal data value", "Usually more registers than the device gives at once: lower max_registers."
    ),
    0x04: _Exception("server device failure", "The device reports a fault of its own: look at its display or log."),
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


def refusal(block: Block, code: int) -> DriverError:
    """The error for an exception reply. Code 0B tells of silence behind a converter, the others are refusals."""
    name, remedy = _EXCEPTIONS.get(code, _UNKNOWN)
    if code == _ILLEGAL_ADDRESS:
        remedy = f"{remedy} {_about_addresses(block)}"
    kind = NoReply if code == _TARGET_SILENT else DeviceRefused
    return kind(f"{block}: exception {code:02X} ({name}). {remedy}")


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
        hints.append("Where there is a hole between the tags, set max_gap: 0.")
    return " ".join(hints)
