"""An MQTT broker that does what a test tells it to: for what no real broker can be brought to do at will.

It speaks MQTT 5 and 3.1.1 as far as a publisher needs it, keeps every packet it got, and answers each as its script
says. It routes nothing: what was published is read from `published`.

    async with ScriptedBroker() as broker:
        broker.answer = lambda publish: 0x97 if publish.topic.endswith("/data") else 0x00
        ...
        await broker.until(lambda: len(broker.published) == 3)

Packets are those of MQTT 5 (OASIS, 2019), section 3.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

CONNECT, CONNACK, PUBLISH, PUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 12, 13, 14
MQTT_5 = 5

RECEIVE_MAXIMUM = 0x21
MAXIMUM_PACKET_SIZE = 0x27
SERVER_KEEP_ALIVE = 0x13
REASON_STRING = 0x1F
TOPIC_ALIAS_MAXIMUM = 0x22

TOPIC_ALIAS, MESSAGE_EXPIRY, CONTENT_TYPE, USER_PROPERTY = 0x23, 0x02, 0x03, 0x26


class Silence(Enum):
    """No answer to this message."""

    NO_ANSWER = auto()


NO_ANSWER = Silence.NO_ANSWER


@dataclass(frozen=True)
class Bytes:
    """These bytes for an answer, whatever they are."""

    raw: bytes


@dataclass(frozen=True)
class Goodbye:
    """DISCONNECT with this code for an answer, then the end of the connection; without a code only the latter."""

    code: int | None = None


Answer = int | Silence | Bytes | Goodbye


@dataclass(frozen=True)
class Connect:
    """A CONNECT as it came."""

    protocol: int
    client_id: str
    clean_start: bool
    keepalive_s: int
    username: str | None
    password: str | None
    will: Publish | None


@dataclass(frozen=True)
class Publish:
    """A PUBLISH as it came. `session` counts the connections, from 1."""

    session: int
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    duplicate: bool = False
    packet_id: int = 0
    size: int = 0
    """Bytes of the whole packet."""
    properties: dict[int, int | str | dict[str, str]] = field(default_factory=dict)
    """Topic alias, message expiry, content type and user properties, by their identifiers."""
    is_short: bool = False
    """The topic came as a number only."""


@dataclass
class ConnackScript:
    """How a CONNECT is answered."""

    code: int = 0x00
    properties: dict[int, int | str] = field(default_factory=dict)
    is_silent: bool = False
    """Never answer."""
    raw: bytes | None = None
    """These bytes instead of a CONNACK."""


class ScriptedBroker:
    """A broker on a free port of loopback; an async context manager."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._tls = tls
        self.connack = ConnackScript()
        self.answer: Callable[[Publish], Answer] = lambda _publish: 0x00
        """The answer to each PUBLISH, asked when it comes."""
        self.connects: list[Connect] = []
        self.published: list[Publish] = []
        self.goodbyes: list[int] = []
        """Codes of the DISCONNECTs that clients sent."""
        self.pings = 0
        self.most_unanswered = 0
        """Most messages without answer that any one session had at once."""
        self._server: asyncio.Server | None = None
        self._peers: set[_Peer] = set()
        self._deserted = asyncio.Event()
        self._thawed = asyncio.Event()
        self._thawed.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._thawed.set()
            self.hang_up()
            await self._server.wait_closed()
            if self._peers:
                await self._deserted.wait()
            self._server = None

    async def restart(self) -> None:
        """Listen on the same port again."""
        await self.__aenter__()

    def freeze(self) -> None:
        """Say nothing more, as if a cable were cut behind a switch: connections stay open and silent, until `thaw`."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Go on where `freeze` stopped."""
        self._thawed.set()

    async def thawed(self) -> None:
        """Wait until the broker is not frozen."""
        await self._thawed.wait()

    def hang_up(self) -> None:
        """End every connection without a word."""
        for peer in tuple(self._peers):
            peer.hang_up()

    def hang_up_when_sent(self) -> None:
        """End every connection in good order, once all has left."""
        for peer in tuple(self._peers):
            peer.say_goodbye(None)

    def disconnect(self, code: int) -> None:
        """Send DISCONNECT to every client, and end the connections."""
        for peer in tuple(self._peers):
            peer.say_goodbye(code)

    def send(self, raw: bytes) -> None:
        """Send bytes to every client."""
        for peer in tuple(self._peers):
            peer.writer.write(raw)

    def acknowledge(self, publish: Publish, code: int = 0x00) -> None:
        """Answer a message that got `NO_ANSWER` when it came, if its session still lives."""
        for peer in self._peers:
            if peer.number == publish.session:
                peer.acknowledge(publish, code)

    async def until(self, condition: Callable[[], object], within_s: float = 20.0) -> None:
        """Wait for a condition, with a deadline that a loaded machine keeps."""
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, f"not within {within_s} s; got {len(self.published)} messages"
            await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _Peer(self, len(self.connects) + 1, reader, writer)
        self._peers.add(peer)
        self._deserted.clear()
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await peer.serve()
        finally:
            self._peers.discard(peer)
            if not self._peers:
                self._deserted.set()
            writer.close()


class _Peer:
    """One connection of a client."""

    def __init__(
        self, broker: ScriptedBroker, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.broker = broker
        self.number = number
        self.writer = writer
        self._reader = reader
        self._protocol = MQTT_5
        self._unanswered: set[int] = set()
        self._aliases: dict[int, str] = {}

    async def serve(self) -> None:
        """Read packets until one of the two hangs up."""
        while True:
            kind, flags, body = await self._packet()
            await self.broker.thawed()
            if kind == CONNECT:
                self._greet(_connect(body))
            elif kind == PUBLISH:
                self._take(self._named(_publish(self.number, self._protocol, flags, body)))
            elif kind == PINGREQ:
                self.broker.pings += 1
                self.writer.write(_packet(PINGRESP, b""))
            elif kind == DISCONNECT:
                self.broker.goodbyes.append(body[0] if body else 0x00)
                return

    def hang_up(self) -> None:
        """End the connection without a word."""
        self.writer.transport.abort()

    def say_goodbye(self, code: int | None) -> None:
        """DISCONNECT, if there is a code, then the end."""
        if code is not None:
            self.writer.write(_packet(DISCONNECT, bytes([code, 0])))
        self.writer.close()

    def acknowledge(self, publish: Publish, code: int) -> None:
        """PUBACK."""
        self._unanswered.discard(publish.packet_id)
        told = b"" if code == 0 or self._protocol != MQTT_5 else bytes([code, 0])
        self.writer.write(_packet(PUBACK, pack("!H", publish.packet_id) + told))

    async def _packet(self) -> tuple[int, int, bytes]:
        first = (await self._reader.readexactly(1))[0]
        length, shift = 0, 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return first >> 4, first & 0x0F, await self._reader.readexactly(length)

    def _greet(self, connect: Connect) -> None:
        script = self.broker.connack
        self._protocol = connect.protocol
        self.broker.connects.append(connect)
        if script.raw is not None:
            self.writer.write(script.raw)
        elif not script.is_silent:
            properties = _properties(script.properties) if self._protocol == MQTT_5 else b""
            self.writer.write(_packet(CONNACK, bytes([0, script.code]) + properties))
            if script.code:
                self.writer.close()

    def _named(self, publish: Publish) -> Publish:
        """The message with its topic, where only its number came."""
        alias = publish.properties.get(TOPIC_ALIAS)
        if alias is None:
            return publish
        assert isinstance(alias, int)
        if publish.topic:
            self._aliases[alias] = publish.topic
            return publish
        return replace(publish, topic=self._aliases[alias], is_short=True)

    def _take(self, publish: Publish) -> None:
        self.broker.published.append(publish)
        self._unanswered.add(publish.packet_id)
        self.broker.most_unanswered = max(self.broker.most_unanswered, len(self._unanswered))
        answer = self.broker.answer(publish)
        if isinstance(answer, int):
            self.acknowledge(publish, answer)
        elif isinstance(answer, Bytes):
            self.writer.write(answer.raw)
        elif isinstance(answer, Goodbye):
            self.say_goodbye(answer.code)


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind << 4]) + _length(len(body)) + body


def _length(number: int) -> bytes:
    encoded = b""
    while True:
        number, digit = divmod(number, 128)
        encoded += bytes([digit | 0x80 if number else digit])
        if not number:
            return encoded


def _properties(properties: dict[int, int | str]) -> bytes:
    body = b""
    for identifier, value in properties.items():
        if isinstance(value, str):
            body += bytes([identifier]) + pack("!H", len(value)) + value.encode()
        else:
            body += bytes([identifier]) + pack("!I" if identifier == MAXIMUM_PACKET_SIZE else "!H", value)
    return _length(len(body)) + body


class _Fields:
    """Reads the fields of a packet one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self, form: str) -> int:
        """One number in `struct` notation."""
        (value,) = unpack_from(form, self._body, self._at)
        self._at += {"!B": 1, "!H": 2, "!I": 4}[form]
        assert isinstance(value, int)
        return value

    def binary(self) -> bytes:
        """Bytes behind their length."""
        return self.take(self.number("!H"))

    def text(self) -> str:
        """Text behind its length."""
        return self.binary().decode()

    def take(self, count: int | None = None) -> bytes:
        """So many bytes, or all that are left."""
        end = len(self._body) if count is None else self._at + count
        taken, self._at = self._body[self._at : end], end
        return taken

    def skip_properties(self) -> bytes:
        """Properties, unread."""
        length, shift = 0, 0
        while True:
            byte = self.number("!B")
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return self.take(length)

    def properties(self) -> dict[int, int | str | dict[str, str]]:
        """Those that a PUBLISH may bring from us."""
        fields = _Fields(self.skip_properties())
        found: dict[int, int | str | dict[str, str]] = {}
        user: dict[str, str] = {}
        while fields.is_more:
            identifier = fields.number("!B")
            if identifier == USER_PROPERTY:
                name = fields.text()
                user[name] = fields.text()
                found[identifier] = user
            elif identifier == CONTENT_TYPE:
                found[identifier] = fields.text()
            else:
                found[identifier] = fields.number({TOPIC_ALIAS: "!H", MESSAGE_EXPIRY: "!I"}[identifier])
        return found

    @property
    def is_more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._body)


def _connect(body: bytes) -> Connect:
    fields = _Fields(body)
    assert fields.text() == "MQTT"
    protocol, flags, keepalive_s = fields.number("!B"), fields.number("!B"), fields.number("!H")
    if protocol == MQTT_5:
        fields.skip_properties()
    client_id = fields.text()
    return Connect(
        protocol=protocol,
        client_id=client_id,
        clean_start=bool(flags & 0x02),
        keepalive_s=keepalive_s,
        will=_will(fields, protocol, flags) if flags & 0x04 else None,
        username=fields.text() if flags & 0x80 else None,
        password=fields.text() if flags & 0x40 else None,
    )


def _will(fields: _Fields, protocol: int, flags: int) -> Publish:
    if protocol == MQTT_5:
        fields.skip_properties()
    topic, payload = fields.text(), fields.binary()
    return Publish(session=0, topic=topic, payload=payload, qos=flags >> 3 & 0x03, retain=bool(flags & 0x20))


def _publish(session: int, protocol: int, flags: int, body: bytes) -> Publish:
    fields = _Fields(body)
    topic = fields.text()
    qos = flags >> 1 & 0x03
    packet_id = fields.number("!H") if qos else 0
    properties = fields.properties() if protocol == MQTT_5 else {}
    return Publish(
        session=session,
        topic=topic,
        payload=fields.take(),
        qos=qos,
        retain=bool(flags & 0x01),
        duplicate=bool(flags & 0x08),
        packet_id=packet_id,
        size=1 + len(_length(len(body))) + len(body),
        properties=properties,
    )
