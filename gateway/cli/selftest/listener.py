"""A witness: an MQTT 3.1.1 subscriber of its own, so that no fault of the gateway's client can hide itself.

It speaks as much as it needs of the OASIS standard MQTT 3.1.1 (sections 3.1 to 3.14): CONNECT, SUBSCRIBE, PUBLISH at
QoS 0 and 1, PINGREQ, DISCONNECT.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from gateway.publish.settings import BrokerSettings

    Take = Callable[[str, bytes], None]

_CONNECT: Final = 0x10
_CONNACK: Final = 0x20
_PUBLISH: Final = 0x30
_RETAINED: Final = 0x31
_PUBACK: Final = 0x40
_SUBSCRIBE: Final = 0x82
_SUBACK: Final = 0x90
_PINGREQ: Final = b"\xc0\x00"
_DISCONNECT: Final = b"\xe0\x00"
_KEEPALIVE_S: Final = 30
_REFUSED: Final = 0x80
_REASONS: Final = {
    1: "it does not speak MQTT 3.1.1, which the witness needs",
    2: "it refuses the client id",
    3: "it is not available",
    4: "it refuses the user name or the password",
    5: "it does not let this client in",
}


class WitnessError(Exception):
    """The witness cannot listen. The text is for a technician."""


class Listener:
    """One session that takes what matches a topic filter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take) -> None:
        self._reader = reader
        self._writer = writer
        self._take = take

    async def introduce(self, settings: BrokerSettings) -> None:
        """Open the session.

        Raises:
            WitnessError: the broker refuses.
        """
        flags, fields = 0x02, [settings.client_id]
        if settings.username is not None:
            flags, fields = flags | 0x80, [*fields, settings.username]
        if settings.password is not None:
            flags, fields = flags | 0x40, [*fields, settings.password]
        head = _text("MQTT") + bytes([4, flags]) + _KEEPALIVE_S.to_bytes(2, "big")
        self._send(_CONNECT, head + b"".join(map(_text, fields)))
        kind, body = await self._packet()
        if kind != _CONNACK or body[1] != 0:
            why = _REASONS.get(body[1], f"code {body[1]}") if kind == _CONNACK else "its answer is not MQTT"
            raise WitnessError(f"broker {settings.where}: {why}")

    async def subscribe(self, topics: str) -> None:
        """Ask for all messages that match.

        Raises:
            WitnessError: the broker refuses.
        """
        self._send(_SUBSCRIBE, b"\x00\x01" + _text(topics) + b"\x01")
        kind, body = await self._packet()
        while kind != _SUBACK:
            self._deliver(kind, body)
            kind, body = await self._packet()
        if body[-1] >= _REFUSED:
            raise WitnessError(f"the broker does not allow {topics} to be read; look at its access list (ACL)")

    async def listen(self) -> None:
        """Take messages until cancelled.

        Raises:
            WitnessError: the session ended.
        """
        pinging = asyncio.create_task(self._ping())
        try:
            while True:
                self._deliver(*await self._packet())
        finally:
            pinging.cancel()

    def clear(self, topic: str) -> None:
        """Have the broker hold nothing more under this topic."""
        self._send(_RETAINED, _text(topic))

    async def leave(self) -> None:
        """Say goodbye."""
        with suppress(OSError):
            self._writer.write(_DISCONNECT)
            await self._writer.drain()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_KEEPALIVE_S / 2)
            self._writer.write(_PINGREQ)

    def _deliver(self, kind: int, body: bytes) -> None:
        if kind & 0xF0 != _PUBLISH:
            return
        size = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + size].decode(errors="replace"), body[2 + size :]
        if kind & 0x06:
            self._send(_PUBACK, rest[:2])
            rest = rest[2:]
        self._take(topic, rest)

    def _send(self, kind: int, body: bytes) -> None:
        self._writer.write(bytes([kind]) + _length(len(body)) + body)

    async def _packet(self) -> tuple[int, bytes]:
        try:
            kind = (await self._reader.readexactly(1))[0]
            size, shift = 0, 0
            while True:
                byte = (await self._reader.readexactly(1))[0]
                size |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:  # noqa: PLR2004 - the bit that says that the length goes on
                    return kind, await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise WitnessError(f"the broker ended the witness's session: {error}") from error


@asynccontextmanager
async def listening(settings: BrokerSettings, topics: str, take: Take) -> AsyncIterator[Listener]:
    """A witness that hears all that matches `topics` while the block runs.

    Raises:
        WitnessError: it cannot connect, or is not let in.
    """
    context = None if settings.tls is None else settings.tls.context()
    reader, writer = await _dialled(settings, context)
    try:
        listener = Listener(reader, writer, take)
        async with asyncio.timeout(settings.connect_timeout_s):
            await listener.introduce(settings)
            await listener.subscribe(topics)
        task = asyncio.create_task(listener.listen())
        yield listener
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.leave()
    except TimeoutError:
        raise WitnessError(f"broker {settings.where} stays silent") from None
    finally:
        writer.close()


async def _dialled(
    settings: BrokerSettings, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            return await asyncio.open_connection(settings.host, settings.port, ssl=context)
    except TimeoutError:
        raise WitnessError(f"broker {settings.where} cannot be reached: no answer") from None
    except OSError as error:
        raise WitnessError(f"broker {settings.where} cannot be reached: {error}") from None


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _length(size: int) -> bytes:
    """Seven bits a byte, the lowest first (section 2.2.3)."""
    data = bytearray()
    while True:
        size, low = divmod(size, 128)
        data.append(low | (0x80 if size else 0))
        if not size:
            return bytes(data)
