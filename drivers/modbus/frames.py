"""Modbus TCP frames for pymodbus, looked at more closely than its own framer does.

pymodbus accepts a reply with transaction id 0 for any request, and decodes a reply with one `struct.unpack` a register.
This framer takes a reply only for the request that is waited for, and passes its bytes on as they are.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.pdu import ModbusPDU

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD: Final = struct.Struct(">HHH")
"""Transaction id, protocol id, length of what follows."""
_SHORTEST: Final = 2
_LONGEST: Final = 254
"""What the length field may count: unit and function at least, 260 bytes of frame less 6 at most (Modbus Messaging on
TCP/IP Implementation Guide V1.0b, section 3.1.3; Application Protocol V1.1b3, section 4.1)."""


class RawReply(ModbusPDU):
    """A reply whose bytes nobody has looked into yet."""

    def __init__(self, frame: bytes, unit_id: int, transaction_id: int) -> None:
        # Not the base's own __init__: it fills ten fields that a raw reply does not have.
        self.frame = frame
        """From the transaction id to the last byte; empty where what came is no frame."""
        self.dev_id = unit_id
        self.transaction_id = transaction_id


class ReplyFramer(FramerSocket):
    """Cuts what arrives into frames and picks the one that is waited for."""

    def __init__(self) -> None:
        super().__init__(DecodePDU(is_server=False))
        self.is_out_of_step = False
        """Something came that is no frame. Where the next one begins is unknown, so nothing more is believed."""
        self.has_heard = False
        """Something came since this was last set to False."""
        self.stray: int | None = None
        """Transaction id of the last frame that nobody waited for, since this was last set to None."""

    def handleFrame(  # noqa: N802 - pymodbus calls it so
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        """The bytes used of `data`, and the reply to the request `exp_tid`, where 0 stands for no request.

        What is not used, the beginning of a frame, is given again with what comes next.
        """
        self.has_heard = True
        used, awaited = 0, None
        for frame in self._frames(data):
            used += len(frame)
            transaction = int.from_bytes(frame[:2], "big")
            if awaited is None and transaction == exp_tid and exp_tid:
                awaited = frame
            else:
                self.stray = transaction
        if self.is_out_of_step:
            used, awaited = len(data), awaited or b""
        if awaited is None or not exp_tid:
            return used, None
        return used, RawReply(awaited, exp_devid, exp_tid)

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
