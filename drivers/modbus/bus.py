"""A serial bus, directly or behind a converter in transparent mode: one request at a time, and a memory for silences.

RTU frames carry no transaction id: a reply that comes late looks like the answer to the next question. So after a
time-out that *unit* is left alone until its reply cannot come any more, while the other units are asked as ever, once
the line is idle. What the unit sends meanwhile is thrown away and counted. Then its first reading is done twice, and
counts only when both agree.

After an answer with a wrong CRC nothing is left alone: the unit has answered, and only the line must be idle.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from drivers.modbus.channel import Channel
from drivers.modbus.opening import client_of, open_channel
from drivers.modbus.question import EXCEPTION_BIT
from drivers.modbus.rtu import RtuFramer, reply_bytes
from drivers.modbus.serial_line import SerialLine
from gateway.driver import LinkError, NoReply, WrongReply

if TYPE_CHECKING:
    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.counts import LinkCounts
    from drivers.modbus.question import Question
    from gateway.driver import DriverError

LATE_REPLY_TIMEOUTS: Final = 3.0
"""How many time-outs a unit is left alone after one, where the configuration does not say it."""

SILENCES_TO_GIVE_UP: Final = 8
"""Requests in a row in which nothing at all came through a converter: the connection may be dead at its other end."""

_ENDED_S: Final = {"rtu": 0.1, "rtu_over_tcp": 0.5}
"""When nothing more came for so long, an answer that began has ended: USB adapters keep bytes for up to 16 ms, a busy
machine for longer, and a network repeats a lost packet after 0.2 s or more."""

_FRAME_BYTES: Final = 3
"""Unit and CRC around a PDU."""
_LONGEST_ANSWER: Final = 256
_BITS: Final = frozenset({1, 2})
_REGISTERS: Final = frozenset({3, 4})


class _GarbledError(Exception):
    """An answer came that cannot be used, and nothing more."""


class Doubts(dict[int, float]):
    """Units whose next answer may belong to an earlier question, with the time until which they are left alone.

    It outlives a connection: opening a port anew does not stop a unit from answering.
    """


class BusLink:
    """One open port or one connection to a converter, from `open` to `close`; then it is spent.

    Args:
        config: the end point and the line behind it.
        counts: where requests and strange replies are counted.
        doubts: what is remembered of silent units from one connection to the next.
    """

    def __init__(self, config: ModbusConnection, counts: LinkCounts, doubts: Doubts) -> None:
        self._config = config
        self._counts = counts
        self._doubts = doubts
        self._line: SerialLine = config.line or SerialLine(config.baudrate, config.parity, config.stop_bits)
        self._framer = RtuFramer(counts, discards_echo=config.local_echo == "discard")
        self._framer.heard_in_vain = self._heard_in_vain
        self._channel = Channel(client_of(config), self._framer)
        self._ended: asyncio.TimerHandle | None = None
        self._silences = 0

    async def open(self) -> None:
        """Open the port or connect to the converter.

        Raises:
            LinkError: the text says why not, and what to look at.
        """
        await open_channel(self._channel, self._config)

    async def close(self) -> None:
        """Close at once, whatever still waits to be sent."""
        self._forget_end()
        await self._channel.close()

    async def ask(self, question: Question) -> bytes:
        """Send one request and return the PDU of its reply: of the asked function, or an exception.

        Raises:
            LinkError: the port or connection is lost.
            NoReply: nothing came in time, or the unit is left alone since a time-out; `again_s` says for how long.
            WrongReply: the answer is damaged, of another size, or two answers did not agree.
        """
        left_alone_until_s = self._doubts.get(question.unit_id)
        if left_alone_until_s is None:
            return await self._ask(question)
        remaining_s = left_alone_until_s - self._now()
        if remaining_s > 0:
            raise NoReply(
                f"{question.about}: left alone for {remaining_s:.1f} s more, since a late reply may still come",
                again_s=remaining_s,
            )
        return await self._ask_in_doubt(question)

    async def _ask_in_doubt(self, question: Question) -> bytes:
        """The first answers after a silence. Each further fault brings the unit back to the beginning."""
        try:
            answer = await self._agreed(question) if question.is_repeatable else await self._ask(question)
        except WrongReply:
            self._leave_alone(question)
            raise
        self._doubts.pop(question.unit_id, None)
        return answer

    async def _agreed(self, question: Question) -> bytes:
        """Read twice.

        Values that change from one reading to the next cannot agree: then a read of another size, whose answer can
        belong to nothing older, shows that nothing late is under way any more.
        """
        first = await self._ask(question)
        second = await self._ask(question)
        if first == second:
            return second
        self._counts.disagreements += 1
        sized = _of_another_size(question)
        if sized is None or (await self._ask(sized))[0] & EXCEPTION_BIT:
            raise WrongReply(f"{question.about}: two readings after a silence differ; a late reply may be among them")
        return await self._ask(question)

    async def _ask(self, question: Question) -> bytes:
        await self._until_idle(question)
        self._counts.requests += 1
        self._framer.expect(question)
        try:
            async with asyncio.timeout(self._limit_s(question)):
                reply = await self._channel.send(question)
        except TimeoutError:
            raise self._silence(question) from None
        except _GarbledError:
            raise self._garbled(question) from None
        except asyncio.CancelledError:
            self._leave_alone(question, answer_due_s=question.timeout_s)
            raise
        except OSError as error:
            raise LinkError(f"{self._config.end_point} was lost while it was asked for {question.about}") from error
        finally:
            self._forget_end()
            self._framer.expect(None)
        self._silences = 0
        return reply.pdu

    def _limit_s(self, question: Question) -> float:
        """The time that the unit may take, and what the bytes of question and answer take on the line."""
        answer = reply_bytes(question.pdu) or _LONGEST_ANSWER
        return question.timeout_s + self._line.takes_s(len(question.pdu) + _FRAME_BYTES + answer)

    async def _until_idle(self, question: Question) -> None:
        """Wait until nothing came for 3.5 characters."""
        limit_s = self._now() + question.timeout_s
        while (wait_s := self._framer.last_heard_s + self._line.idle_s - self._now()) > 0:
            if self._now() > limit_s:
                raise NoReply(
                    f"{question.about}: {self._config.end_point} is never idle: another master on the bus, a wrong "
                    "baudrate, or noise (A and B exchanged, no termination)"
                )
            await asyncio.sleep(wait_s)

    def _heard_in_vain(self) -> None:
        """Something came that is no reply yet. When nothing more follows, the answer was damaged."""
        self._forget_end()
        self._ended = asyncio.get_running_loop().call_later(_ENDED_S[self._config.transport], self._answer_ended)

    def _answer_ended(self) -> None:
        if self._framer.is_garbled:
            self._channel.give_up(_GarbledError())

    def _forget_end(self) -> None:
        if self._ended is not None:
            self._ended.cancel()
            self._ended = None

    def _garbled(self, question: Question) -> WrongReply:
        if self._framer.has_misfit:
            self._counts.wrong_replies += 1
            self._doubts[question.unit_id] = self._now()
            return WrongReply(
                f"{question.about}: the unit answered something else than it was asked; two devices may share its "
                "unit_id, or it gives fewer registers at once: lower max_registers"
            )
        self._counts.garbled_replies += 1
        return WrongReply(
            f"{question.about}: the answer came damaged (wrong CRC or cut short). Check the wiring, the termination, "
            "and that baudrate, parity and stop_bits are those of the unit"
        )

    def _silence(self, question: Question) -> DriverError:
        self._counts.silences += 1
        self._silences = 0 if self._framer.has_heard else self._silences + 1
        again_s = self._leave_alone(question)
        if self._silences >= SILENCES_TO_GIVE_UP and self._config.host is not None:
            return LinkError(
                f"{self._config.end_point} left {self._silences} requests unanswered; it is connected anew"
            )
        return NoReply(
            f"{question.about}: no answer on {self._config.end_point} within {question.timeout_s:g} s. Check the "
            "unit's power, unit_id, wiring, baudrate and parity; a slow device needs a higher timeout_s",
            again_s=again_s,
        )

    def _leave_alone(self, question: Question, answer_due_s: float = 0.0) -> float:
        """Ask this unit nothing until its late reply cannot come any more; for how long that is, s."""
        late_s = answer_due_s + (self._config.late_reply_s or LATE_REPLY_TIMEOUTS * question.timeout_s)
        self._doubts[question.unit_id] = self._now() + late_s
        return late_s

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _of_another_size(question: Question) -> Question | None:
    """The same read with an answer one register shorter, or one byte; longer where there is only one."""
    count = int.from_bytes(question.pdu[3:5], "big")
    if question.function in _REGISTERS:
        other = count - 1 if count > 1 else 2
    elif question.function in _BITS:
        other = count - 8 if count > 8 else count + 8  # noqa: PLR2004 - bits in a byte
    else:
        return None
    return question._replace(pdu=question.pdu[:3] + other.to_bytes(2, "big"))
