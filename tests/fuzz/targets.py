"""What is fed with frames, and what must hold whatever they are.

Each target knows by itself, in the plainest way, what the right outcome is: only the driver's own errors come out, and
a value only where the frame says it.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol

from drivers.modbus.counts import LinkCounts
from drivers.modbus.frames import ReplyFramer
from drivers.modbus.reply import answer_of, data_of
from drivers.modbus.rtu import RtuFramer
from gateway.driver import DriverError
from tests.fuzz.damage import damaged, in_pieces
from tests.fuzz.data_targets import Decoders, Writes
from tests.fuzz.outcome import checked, random_data
from tests.fuzz.plants import random_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.modbus.plan import Block

_POOL: Final = 40
"""Devices whose requests are asked again and again."""
_LONGEST_TCP: Final = 254
_HEAD: Final = struct.Struct(">HHH")


class Target(Protocol):
    """One thing that is fed."""

    outcomes: Counter[str]

    def step(self, rng: Random) -> None:
        """Feed one frame and judge what comes of it."""
        ...


def pool(seed: int) -> list[Block]:
    """Requests of many devices."""
    rng = Random(seed)  # noqa: S311 - the same every time, on purpose
    return [block for _ in range(_POOL) for block in random_blocks(rng)]


def right_pdu(rng: Random, block: Block) -> bytes:
    """The answer to a request, or the answer to a neighbour, or an exception."""
    function, size = block.start.table.read_function, block.data_bytes
    match rng.randrange(12):
        case 0:
            return bytes([function | 0x80, rng.randrange(256)])
        case 1:
            size = rng.randint(0, 255)
        case 2:
            function = rng.randrange(256)
    return bytes([function, min(size, 255)]) + random_data(rng, size)


class Tcp:
    """The framer of Modbus TCP, the judge of replies, and the decoders."""

    def __init__(self, blocks: list[Block]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._blocks = blocks
        self._counts = LinkCounts()
        self._transaction = 0

    def step(self, rng: Random) -> None:
        """One request, and what arrives then."""
        block = rng.choice(self._blocks)
        self._transaction = self._transaction % 65_535 + 1
        stream = b"".join(self._frame(rng, block) for _ in range(rng.choice((1, 1, 1, 2))))
        reply = self._arrives(in_pieces(rng, stream), block)
        expected = _first_frame(stream, self._transaction)
        if expected is None:
            assert reply is None, "a reply out of nothing"
            self.outcomes["nothing yet"] += 1
            return
        assert reply is not None, "a reply was overlooked"
        if not expected:
            assert not reply.pdu, "bytes that are no frame were believed"
            self.outcomes["out of step"] += 1
            return
        assert (bytes([reply.unit_id]) + reply.pdu) == expected, "another frame than the first one"
        self.outcomes[judged(block, reply, expected, self._counts)] += 1

    def _frame(self, rng: Random, block: Block) -> bytes:
        transaction = self._transaction if rng.random() < 0.8 else rng.randrange(65_536)
        unit = block.unit_id if rng.random() < 0.95 else rng.randrange(256)
        pdu = right_pdu(rng, block)
        return damaged(rng, _HEAD.pack(transaction, 0, len(pdu) + 1) + bytes([unit]) + pdu)

    def _arrives(self, pieces: list[bytes], block: Block) -> Any:
        """As pymodbus hands it over: what was not used comes again with the next piece."""
        framer, buffer = ReplyFramer(self._counts), b""
        for piece in pieces:
            buffer += piece
            used, reply = framer.handleFrame(buffer, block.unit_id, self._transaction)
            assert 0 <= used <= len(buffer)
            buffer = buffer[used:]
            if reply is not None:
                return reply
        return None


def _first_frame(stream: bytes, transaction: int) -> bytes | None:
    """Unit and PDU of the first frame with this id; empty where no frame stands before it, None where none came yet."""
    while len(stream) >= _HEAD.size:
        answered, protocol, length = _HEAD.unpack_from(stream)
        if protocol or not 2 <= length <= _LONGEST_TCP:
            return b""
        if len(stream) < _HEAD.size + length:
            return None
        if answered == transaction:
            return stream[_HEAD.size : _HEAD.size + length]
        stream = stream[_HEAD.size + length :]
    return None


def judged(block: Block, reply: Any, frame: bytes, counts: LinkCounts) -> str:
    """Hold what the driver makes of a reply against what the frame plainly says."""
    size = block.data_bytes
    is_right = frame[:3] == bytes([block.unit_id, block.start.table.read_function, size]) and len(frame) == 3 + size
    try:
        data = data_of(answer_of(reply, block.question, counts), block)
    except DriverError as error:
        assert not is_right, "a right reply was refused"
        return type(error).__name__
    assert is_right, "a wrong reply was believed"
    assert data == frame[3:]
    return checked(block.decode(data))


class Rtu:
    """The framer of Modbus RTU, the judge of replies, and the decoders."""

    def __init__(self, blocks: list[Block]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._blocks = [block for block in blocks if 1 <= block.unit_id <= 247]
        self._counts = LinkCounts()

    def step(self, rng: Random) -> None:
        """One request, and what arrives then."""
        block = rng.choice(self._blocks)
        right = self._frame(rng, block)
        streams = [damaged(rng, right)] if rng.random() < 0.8 else [damaged(rng, right), self._frame(rng, block)]
        framer = RtuFramer(self._counts, discards_echo=False)
        framer.expect(block.question)
        stream, reply = b"", None
        for piece in in_pieces(rng, b"".join(streams)):
            stream += piece
            used, reply = framer.handleFrame(piece, block.unit_id, 0)
            assert used == len(piece), "bytes were left over"
            if reply is not None:
                break
        if reply is None:
            assert streams != [right] or not _answers(right, block), "a right reply was overlooked"
            self.outcomes["nothing usable"] += 1
            return
        frame = bytes([reply.unit_id]) + reply.pdu
        assert _with_crc(frame) in stream, "a reply that never came as one frame"
        self.outcomes[judged(block, reply, frame, self._counts)] += 1

    def _frame(self, rng: Random, block: Block) -> bytes:
        unit = block.unit_id if rng.random() < 0.9 else rng.randrange(256)
        return _with_crc((bytes([unit]) + right_pdu(rng, block))[:254])


def _answers(frame: bytes, block: Block) -> bool:
    """Whether a whole frame with a right CRC is of the asked unit and function, and of the right size."""
    function = block.start.table.read_function
    size = {function: 5 + block.data_bytes, function | 0x80: 5}.get(frame[1])
    return frame[0] == block.unit_id and len(frame) == size and (size == 5 or frame[2] == block.data_bytes)


def _with_crc(frame: bytes) -> bytes:
    """Bit by bit, as Modbus over Serial Line V1.02, appendix B, describes it."""
    crc = 0xFFFF
    for octet in frame:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return frame + crc.to_bytes(2, "little")


async def run_steps(target: Target, rng: Random, count: int) -> None:
    """Many steps inside an event loop, whose clock the framer of RTU reads."""
    await asyncio.sleep(0)
    for _ in range(count):
        target.step(rng)


TARGETS: Final[dict[str, Callable[[list[Block]], Target]]] = {
    "tcp": Tcp,
    "rtu": Rtu,
    "decoders": Decoders,
    "writes": Writes,
}
"""By name."""
