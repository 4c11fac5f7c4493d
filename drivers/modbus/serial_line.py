"""How long bytes take on a serial line, and how long it must be silent between two frames.

Modbus over Serial Line Specification and Implementation Guide V1.02, sections 2.5.1 and 2.5.1.1: a character is a
start bit, 8 data bits, a parity bit or a second stop bit, and a stop bit. Frames are 3.5 characters apart, above 19 200
bits a second always 1.750 ms.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Parity = Literal["none", "even", "odd"]

_START_AND_DATA_BITS: Final = 9
_IDLE_CHARACTERS: Final = 3.5
_LAST_EXACT_BAUDRATE: Final = 19_200
_FAST_IDLE_S: Final = 0.00175


class SerialLine(NamedTuple):
    """The settings that all units on one line share."""

    baudrate: int
    """Bits per second."""
    parity: Parity
    given_stop_bits: int | None
    """None: as the standard has it."""

    @property
    def stop_bits(self) -> int:
        """Without parity there are two, so that a character always has eleven bits."""
        return self.given_stop_bits or (2 if self.parity == "none" else 1)

    @property
    def character_s(self) -> float:
        """How long one byte takes, s."""
        bits = _START_AND_DATA_BITS + (self.parity != "none") + self.stop_bits
        return bits / self.baudrate

    @property
    def idle_s(self) -> float:
        """How long the line is silent between two frames, s."""
        return _IDLE_CHARACTERS * self.character_s if self.baudrate <= _LAST_EXACT_BAUDRATE else _FAST_IDLE_S

    def takes_s(self, count: int) -> float:
        """How long so many bytes take, s."""
        return count * self.character_s
