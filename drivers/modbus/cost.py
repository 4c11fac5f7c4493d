"""What a request costs on a link, in bytes and in time: what the read plan weighs, and what `edge-gateway plan` shows.

    cost = what a request costs whatever it asks for, counted in bytes of this link, + its data bytes

- On a network a request of 12 bytes, the head of a reply of 9, and twice Ethernet (18), IP (20) and TCP (20) around
  them: 137 bytes.
- On a serial line a request of 8 bytes, a reply of 5 beside its data, a silence of 3.5 characters after each (1.75 ms
  above 19 200 baud; Modbus over Serial Line V1.02, section 2.5.1.1), the time the unit takes to answer, and the pause
  that the connection asks for. At 9600 baud these are 29 characters, at 115 200 they are 154.

So a gap between two tags is read along where its bytes cost less than another request: up to 68 registers on a
network, 14 at 9600 baud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.serial_line import SerialLine

NETWORK_FRAME_BYTES: Final = 12 + 9
NETWORK_OVERHEAD_BYTES: Final = NETWORK_FRAME_BYTES + 2 * 58

_SERIAL_FRAME_BYTES: Final = 8 + 5
_NETWORK_BITS_PER_S: Final = 100e6
"""Fast Ethernet, which nearly every PLC has at least."""
_BITS_PER_BYTE: Final = 8

NETWORK_ANSWER_S: Final = 0.002
SERIAL_ANSWER_S: Final = 0.010
"""What a unit takes to answer, where nobody measured: PLCs scan in a few milliseconds, meters take longer."""


class LinkCost(NamedTuple):
    """What one link charges."""

    request_bytes: float
    """A request without its data, its waiting included where it fills the link."""
    byte_s: float
    """Time of one byte on the wire."""
    frame_bytes: int
    """Of a request and its reply, without the data."""
    answer_s: float = 0.0
    """Waiting that is not in `request_bytes`: on a network others use the wire meanwhile, but this link does not."""

    def of(self, data_bytes: int) -> float:
        """The cost of one request that brings so much data, in bytes of this link."""
        return self.request_bytes + data_bytes

    def time_s(self, data_bytes: int) -> float:
        """How long the link is busy with it, s."""
        return self.of(data_bytes) * self.byte_s + self.answer_s


NETWORK: Final = LinkCost(
    request_bytes=NETWORK_OVERHEAD_BYTES,
    byte_s=_BITS_PER_BYTE / _NETWORK_BITS_PER_S,
    frame_bytes=NETWORK_FRAME_BYTES,
    answer_s=NETWORK_ANSWER_S,
)


def link_cost(config: ModbusConnection) -> LinkCost:
    """What the link of this connection charges."""
    pause_s = config.request_gap_ms / 1000
    line = config.line
    if line is None:
        return NETWORK._replace(answer_s=NETWORK_ANSWER_S + pause_s)
    return _serial(line, pause_s)


def _serial(line: SerialLine, pause_s: float) -> LinkCost:
    waiting_s = 2 * line.idle_s + SERIAL_ANSWER_S + pause_s
    request_bytes = _SERIAL_FRAME_BYTES + waiting_s / line.character_s
    return LinkCost(request_bytes, line.character_s, _SERIAL_FRAME_BYTES)
