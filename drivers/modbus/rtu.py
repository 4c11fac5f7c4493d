"""Modbus RTU frames for pymodbus: finds the reply to one question in whatever comes on a bus.

pymodbus takes any reply of the asked unit for the answer, also one to an earlier question, and throws everything away
once something else came first. This framer knows how the answer must look. A frame is believed by unit, function,
number of bytes and CRC together; all other whole frames are passed over, and so are bytes that belong to none.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU

from drivers.modbus.question import EXCEPTION_BIT, RawReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymodbus.pdu import ModbusPDU

    from drivers.modbus.counts import LinkCounts
    from drivers.modbus.question import Question

_CRC_BYTES: Final = 2
_SHORTEST: Final = 4
_LONGEST: Final = 256
"""Unit and function with the CRC at least; at most 256 bytes (Modbus over Serial Line V1.02, section 2.5.1)."""
_EXCEPTION_BYTES: Final = 5
_COUNTED: Final = frozenset({1, 2, 3, 4, 12, 17, 20, 21, 23})
"""Functions whose answer says how many bytes follow its third."""
_FIXED: Final = {5: 8, 6: 8, 7: 5, 8: 8, 11: 8, 15: 8, 16: 8, 22: 10}
"""Functions whose answer always has so many bytes (Modbus Application Protocol V1.1b3, section 6)."""
_READS: Final = frozenset({1, 2, 3, 4})
_NOISE_BYTES: Final = 2
"""As many may precede an answer: switching the direction of an RS-485 line often makes one or two."""


class _Frame(NamedTuple):
    """A whole frame with a right CRC."""

    begin: int
    end: int


class RtuFramer(FramerRTU):
    """Picks the reply to the expected question, and takes note of everything else.

    Args:
        counts: where strange frames and bytes are counted.
        discards_echo: whether the adapter gives back all that is sent.
    """

    def __init__(self, counts: LinkCounts, *, discards_echo: bool) -> None:
        super().__init__(DecodePDU(is_server=False))
        self.last_heard_s = 0.0
        """When the last byte came, on the clock of the event loop."""
        self.heard_in_vain: Callable[[], None] = lambda: None
        """Called when something came that is not, or not yet, the expected reply."""
        self._counts = counts
        self._discards_echo = discards_echo
        self._question: Question | None = None
        self._sent = b""
        self._echo = b""
        self._heard = b""
        self._misfit = False

    def expect(self, question: Question | None) -> None:
        """Look for the reply to this question from now on; for none where it is None."""
        self._question = question
        self._counts.garbage_bytes += len(self._heard)
        self._heard, self._misfit = b"", False

    @property
    def has_heard(self) -> bool:
        """Whether anything came since the question was sent."""
        return bool(self._heard) or self._misfit

    @property
    def has_misfit(self) -> bool:
        """Whether the asked unit sent a whole frame that does not answer the question."""
        return self._misfit

    @property
    def is_garbled(self) -> bool:
        """Whether the asked unit has answered, though with no frame that can be used."""
        question = self._question
        if question is None or self._misfit:
            return self._misfit
        heads = {bytes([question.unit_id, question.function | bit]) for bit in (0, EXCEPTION_BIT)}
        return any(self._heard[at : at + 2] in heads for at in range(_NOISE_BYTES + 1))

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 - pymodbus calls it so
        """The frame that goes out."""
        self._sent = super().buildFrame(message)
        self._echo = self._sent if self._discards_echo else b""
        return self._sent

    def handleFrame(  # noqa: N802 - pymodbus calls it so
        self,
        data: bytes,
        exp_devid: int,
        exp_tid: int,  # noqa: ARG002 - as above; frames on a bus have no transaction id
    ) -> tuple[int, ModbusPDU | None]:
        """All bytes of `data` are used; the reply, once it is whole."""
        self.last_heard_s = asyncio.get_running_loop().time()
        self._heard += self._without_echo(data)
        reply = self._reply(exp_devid)
        if reply is None and self._question is not None:
            self.heard_in_vain()
        return len(data), reply

    def _without_echo(self, data: bytes) -> bytes:
        """What came less what was sent itself."""
        if not self._echo:
            return data
        length = min(len(self._echo), len(data))
        if data[:length] != self._echo[:length]:
            self._echo = b""
            return data
        self._echo = self._echo[length:]
        return data[length:]

    def _reply(self, asked_unit_id: int) -> RawReply | None:
        for begin, end in self._whole_frames():
            frame = self._heard[begin:end]
            self._heard = self._heard[:begin] + self._heard[end:]
            if self._answers(frame):
                return RawReply(frame[0], frame[1:-_CRC_BYTES], asked_unit_id)
            self._pass_over(frame)
            return self._reply(asked_unit_id)
        self._counts.garbage_bytes += max(0, len(self._heard) - _LONGEST)
        self._heard = self._heard[-_LONGEST:]
        return None

    def _answers(self, frame: bytes) -> bool:
        """Whether a whole frame is the answer to the question."""
        question = self._question
        if question is None or frame[0] != question.unit_id or self._is_echo(frame):
            return False
        if frame[1] == question.function | EXCEPTION_BIT:
            return len(frame) == _EXCEPTION_BYTES
        expected = reply_bytes(question.pdu)
        return frame[1] == question.function and (expected is None or len(frame) == expected)

    def _is_echo(self, frame: bytes) -> bool:
        """Whether an adapter gives back a read, which can look like an answer. The answer to a write is its echo."""
        return frame == self._sent and frame[1] in _READS

    def _pass_over(self, frame: bytes) -> None:
        if self._is_echo(frame):
            return
        self._counts.stray_frames += 1
        question = self._question
        if question is not None and frame[0] == question.unit_id:
            self._misfit = True

    def _is_under_way(self) -> bool:
        """Whether the expected answer has begun.

        Until it is whole no part of it is taken for a frame: among so many bytes some have a right CRC by chance, and
        in a device whose values stand still they would have it every time.
        """
        question = self._question
        expected = None if question is None else reply_bytes(question.pdu)
        if question is None or expected is None:
            return False
        is_counted = question.function in _COUNTED
        head = bytes([question.unit_id, question.function, expected - _EXCEPTION_BYTES])[: 3 if is_counted else 2]
        heard = self._heard
        begin = next((at for at in range(_NOISE_BYTES + 1) if heard.startswith(head, at)), len(heard))
        return 0 < len(heard) - begin < expected

    def _whole_frames(self) -> Iterator[_Frame]:
        """The frames in what was heard, at any place, since noise may precede them."""
        if self._is_under_way():
            return
        for begin in range(len(self._heard) - _SHORTEST + 1):
            for length in self._lengths(begin):
                end = begin + length
                if end <= len(self._heard) and _has_right_crc(self._heard[begin:end]):
                    yield _Frame(begin, end)

    def _lengths(self, begin: int) -> tuple[int, ...]:
        """How long a frame that begins there would be; its answer to an unknown function ends where all ends."""
        function = self._heard[begin + 1]
        if function & EXCEPTION_BIT:
            return (_EXCEPTION_BYTES,)
        if function in _COUNTED:
            return (_EXCEPTION_BYTES + self._heard[begin + 2],)
        if function in _FIXED:
            return (_FIXED[function],)
        is_asked = self._question is not None and function == self._question.function
        return (len(self._heard) - begin,) if is_asked else ()


def reply_bytes(pdu: bytes) -> int | None:
    """How many bytes the frame of a right answer to this request has; None where the request does not tell."""
    function = pdu[0]
    if function in {1, 2}:
        return _EXCEPTION_BYTES + (int.from_bytes(pdu[3:5], "big") + 7) // 8
    if function in {3, 4, 23}:
        return _EXCEPTION_BYTES + 2 * int.from_bytes(pdu[3:5], "big")
    return _FIXED.get(function)


def _has_right_crc(frame: bytes) -> bool:
    return FramerRTU.compute_CRC(frame[:-_CRC_BYTES]) == int.from_bytes(frame[-_CRC_BYTES:], "big")
