"""One open TCP connection to one end point, asked one thing at a time. pymodbus carries it, encrypted or not.

A late or strange reply is never booked on a request:

- A reply counts only with the transaction id of the request that is waited for; 0 is no exception.
- After a time-out the connection stays open, since other units behind it may be well and PLCs have few sockets. Ids are
  not used again before 65 000 requests, so a late reply is known by its id, and dropped.
- Where frames begin is known only as long as everything that came was a frame. When it was not, or half a frame is left
  when the next request would go out, the connection is given up.
- After four requests in a row in which nothing at all came, it is given up as well: it may be dead at the other end.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from drivers.modbus.causes import why_not_trusted
from drivers.modbus.channel import Channel
from drivers.modbus.frames import ReplyFramer
from drivers.modbus.opening import client_of, open_channel
from drivers.modbus.reply import answer_of
from gateway.clock.limit import TimeLimit
from gateway.driver import LinkError, NoReply, WrongReply

if TYPE_CHECKING:
    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.counts import LinkCounts
    from drivers.modbus.question import Question
    from gateway.driver import DriverError

SILENCES_TO_GIVE_UP: Final = 4
"""Requests in a row."""


class TcpLink:
    """One connection, from `open` to `close`; then it is spent. The next one brings its own pymodbus client.

    Args:
        config: the end point.
        counts: where requests and strange replies are counted.
        last_transaction: that of the connection before. Ids go on from it, so that what a converter still answers to
            the old connection answers nothing on the new one.
    """

    def __init__(self, config: ModbusConnection, counts: LinkCounts, last_transaction: int = 0) -> None:
        self._config = config
        self._counts = counts
        self._transaction_before = last_transaction
        self._end_point = config.end_point
        self._framer = ReplyFramer(counts)
        self._channel = Channel(client_of(config), self._framer)
        self._limit = TimeLimit()
        self._silences = 0

    async def open(self) -> None:
        """Connect.

        Raises:
            LinkError: refused, unreachable, unknown, silent or not trusted; the text says which, and what to look at.
        """
        await open_channel(self._channel, self._config)
        self._channel.last_transaction = self._transaction_before

    @property
    def last_transaction(self) -> int:
        """The id of the last request."""
        return self._channel.last_transaction

    async def close(self) -> None:
        """Close the socket at once, whatever still waits to be sent."""
        await self._channel.close()

    async def ask(self, question: Question) -> bytes:
        """Send one request and return the PDU of its reply: from the asked unit, of the asked function or an exception.

        Raises:
            LinkError: the connection is lost, seems dead, or cannot be trusted any more.
            NoReply: nothing came in the question's `timeout_s`, or only what belongs to earlier requests.
            WrongReply: another unit or function answered, or in that time came only replies to requests that were
                never sent.
        """
        if self._framer.is_out_of_step or self._channel.holds_unused_bytes:
            raise self._out_of_step()
        self._counts.requests += 1
        self._framer.has_heard, self._framer.stray = False, None
        try:
            with self._limit.of(question.timeout_s):
                reply = await self._channel.send(question)
        except TimeoutError:
            raise self._silence(question) from None
        except OSError as error:
            raise self._lost(question, error) from None
        self._silences = 0
        if not reply.pdu:
            raise self._out_of_step()
        return answer_of(reply, question, self._counts)

    def _lost(self, question: Question, error: OSError) -> LinkError:
        return LinkError(
            f"{self._end_point} closed the connection while it was asked for {question.about}{self._why(error)}"
        )

    def _why(self, error: OSError) -> str:
        """What TLS says; with TLS 1.3 a device that misses a certificate often just hangs up after the handshake."""
        if isinstance(error, ssl.SSLError):
            return f": {why_not_trusted(error)}"
        if self._config.transport == "tls" and self._config.tls.certificate is None:
            return "; if it does so every time, it asks for a certificate: give tls.certificate and tls.key"
        return ""

    def _out_of_step(self) -> LinkError:
        self._counts.garbled_replies += 1
        return LinkError(
            f"{self._end_point} sent bytes that are no Modbus TCP frame; the connection is opened anew. If it happens "
            "every time: check that the port speaks Modbus TCP, and not Modbus RTU or another protocol"
        )

    def _silence(self, question: Question) -> DriverError:
        """The error for a request that ran into its time-out, by what else came in that time."""
        about, timeout_s = question.about, question.timeout_s
        self._counts.silences += 1
        self._silences = 0 if self._framer.has_heard else self._silences + 1
        if self._silences >= SILENCES_TO_GIVE_UP:
            return LinkError(
                f"{self._end_point} left {self._silences} requests unanswered, last {about}; it is connected anew"
            )
        stray = self._framer.stray
        if stray is None:
            return NoReply(
                f"{about}: no answer from {self._end_point} within {timeout_s:g} s. Check the unit's power and "
                "unit_id, behind a converter its wiring and baud rate; a slow device needs a higher timeout_s"
            )
        if 0 < stray < self._channel.last_transaction:
            return NoReply(f"{about}: {self._end_point} answers later than {timeout_s:g} s: raise timeout_s")
        return WrongReply(
            f"{about}: {self._end_point} answered transaction {stray}, which was never asked; this is a fault of the "
            "device or converter: look for newer firmware"
        )
