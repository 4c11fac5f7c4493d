"""Modbus TCP frames for pymodbus, looked at more closely than its own framer does.

pymodbus accepts a reply with transaction id 0 for any request, and decodes a reply with one `struct.unpack` a register.
This framer takes a reply only for the request that is waited for, and passes its bytes on as they are.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from drivers.modbus.question import RawReply, RawRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymodbus.pdu import ModbusPDU

    from drivers.modbus.counts import LinkCounts

_HEAD: Final = struct.Struct(">HHH")
"""Transaction id, protocol id, length of what follows."""
_REQUEST_HEAD: Final = struct.Struct(">HHHB")
"""The same, and the unit."""
_UNIT: Final = 6
_PDU: Final = 7
"""Places in a frame: unit, and function with its data."""
_SHORTEST: Final = 2
_LONGEST: Final = 254
"""What the length field may count: unit and function at least, 260 bytes of frame less 6 at most (Modbus Messaging on
TCP/IP Implementation Guide V1.0b, section 3.1.3; Application Protocol V1.1b3, section 4.1)."""


class ReplyFramer(FramerSocket):
    """Cuts what arrives into frames and picks the one that is waited for."""

    def __init__(self, counts: LinkCounts) -> None:
        super().__init__(DecodePDU(is_server=False))
        self._counts = counts
        self.is_out_of_step = False
        """Something came that is no frame. Where the next one begins is unknown, so nothing more is believed."""
        self.has_heard = False
        """Something came since this was last set to False."""
        self.stray: int | None = None
        """Transaction id of the last frame that nobody waited for, since this was last set to None."""

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 - pymodbus calls it so
        """The frame of a request."""
        assert isinstance(message, RawRequest)
        pdu = message.pdu
        return _REQUEST_HEAD.pack(message.transaction_id, 0, len(pdu) + 1, message.dev_id) + pdu

    def handleFrame(  # noqa: N802 - pymodbus calls it so
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        """The bytes used of `data`, and the reply to the request `exp_tid`, where 0 stands for no request.

        What is not used, the beginning of a frame, is given again with what comes next. A reply without a PDU says that
        what came is no frame.
        """
        self.has_heard = True
        if exp_tid and self._is_just_the(data, exp_tid):
            return len(data), RawReply(data[_UNIT], data[_PDU:], exp_devid, exp_tid)
        used, awaited = 0, None
        for frame in self._frames(data):
            used += len(frame)
            transaction = int.from_bytes(frame[:2], "big")
            if awaited is None and transaction == exp_tid and exp_tid:
                awaited = RawReply(frame[_UNIT], frame[_PDU:], exp_devid, exp_tid)
            else:
                self.stray = transaction
                self._counts.stray_frames += 1
        if self.is_out_of_step:
            used, awaited = len(data), awaited or RawReply(exp_devid, b"", exp_devid, exp_tid)
        return used, awaited if exp_tid else None

    def _is_just_the(self, data: bytes, transaction: int) -> bool:
        """Whether one whole frame came, the one that is waited for: so it is nearly always."""
        if len(data) < _HEAD.size + _SHORTEST or self.is_out_of_step:
            return False
        answered, protocol, length = _HEAD.unpack_from(data)
        return bool(
            answered == transaction and protocol == 0 and length == len(data) - _HEAD.size and length <= _LONGEST
        )

    def _frames(self, data: bytes) -> Iterator[bytes]:
        """The whole frames in `data`, up to the first bytes that are none."""
        begin = 0
        while not self.is_out_of_step and len(data) - begin >= _HEAD.size:
            _, protocol, length = _HEAD.unpack_from(data, begin)
            end = begin + _HEAD.size + length
            if protocol != 0 or not _SHORTEST <= length <= _LONGEST:
                self.is_out_of_step = True
            elif end > len(data):
                return
            else:
                yield data[begin:end]
                begin = end
