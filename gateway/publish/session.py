"""One session with the broker, and the only place that knows paho-mqtt.

paho keeps no queue here and makes no decision: it is handed what may be under way and no more, its socket is driven
from the event loop, and its callbacks only note what happened. One client object serves one session.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.publish.aliases import Aliases
from gateway.publish.dial import StillDialling
from gateway.publish.distrust import files_unusable, not_trusted
from gateway.publish.endings import (
    SessionClosed,
    SessionEnd,
    SessionLost,
    disconnected,
    lost,
    never_answered,
    not_dialled,
    refused,
)
from gateway.publish.secure import SecureSocket, expiries, secure_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from gateway.clock import Clock
    from gateway.publish.certificates import Expiry
    from gateway.publish.dial import Dialler
    from gateway.publish.message import Message
    from gateway.publish.settings import BrokerSettings

log = structlog.get_logger()

PACKET_OVERHEAD: Final = 14
"""Bytes of a PUBLISH beside what a `Message` counts, at most: type 1, length 4, topic length 2, packet id 2, length of
the properties 2, topic alias 3."""

MAX_INBOUND_BYTES: Final = 65_536
"""No packet to us is larger; what announces more is not MQTT. paho itself would collect up to 256 MB."""

_PROTOCOLS: Final = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
_PROTOCOL_ERROR: Final = 0x82
_PING_UNANSWERED: Final = 0x8D
_CLOSE_WAIT: Final = 8
"""State of a TCP socket whose peer has closed in good order (TCP_INFO; include/net/tcp_states.h)."""


class Session:
    """From CONNECT to the end. `open` it once, `publish`, and watch `ended`.

    Args:
        settings: which broker, and how long it is waited for.
        clock: ages of silence and of unacknowledged messages are taken from it.
        will: what the broker publishes when we vanish.
        aliases: topics may go by numbers, if the broker allows that.
    """

    def __init__(self, settings: BrokerSettings, clock: Clock, will: Message, *, aliases: bool = True) -> None:
        self.settings = settings
        """Which broker, and how long it is waited for."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._client = _client(settings, will)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[SessionEnd] = self._loop.create_future()
        """Done when the session is over; its result says how it ended."""
        self.on_answer: Callable[[int, int, str], None] = lambda _mid, _code, _said: None
        """Called in the loop for each message that the broker answers: packet id, reason code, the broker's words."""
        self.receive_maximum = 65_535
        """Most messages under way that the broker allows."""
        self.max_bytes: int | None = None
        """Most that topic and payload of a message may take together; None where the broker sets no limit."""
        self.expiries: list[Expiry] = []
        """Until when the certificates of an encrypted link are valid."""
        self._may_alias = aliases
        self._aliases = Aliases()
        self._secure: SecureSocket | None = None
        self._closed_by_broker = False
        self._fd = -1
        self._tick: asyncio.TimerHandle | None = None
        self._answers: list[tuple[int, int, str]] = []
        self._noted_end: SessionEnd | None = None
        self._unflushed = 0
        self._under_way = 0
        self._heard_s = self._progress_s = clock.monotonic_s()

    async def open(self, dialler: Dialler) -> None:
        """Connect: name look-up and TCP in the dialler's thread, then MQTT in the loop.

        Raises:
            SessionEnd: it did not come about; the text says why and what to look at.
        """
        try:
            await self._dial(dialler)
            self._attach()
            await self._await_answer()
        except BaseException:
            self.abort()
            raise

    def publish(self, message: Message) -> int:
        """Send a message at QoS 1 and return its packet id. All that is sent in one turn of the loop leaves in one go.

        Raises:
            ValueError: no broker would take this topic or payload.
        """
        topic, packed = self._aliases.in_short(message)
        properties = cast("Properties", packed)  # all that paho asks of it is to be packed; MQTT 3.1.1 does not ask
        info = self._client.publish(topic, message.payload, qos=1, retain=message.retain, properties=properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._finish(self._lost(f"could not be sent a message: {info.rc.name}"))
        if self._under_way == 0:
            self._progress_s = self._clock.monotonic_s()
        self._under_way += 1
        self._unflushed += 1
        return info.mid

    async def close(self, timeout_s: float) -> None:
        """Say goodbye, so that the broker does not publish the last will."""
        self._client.disconnect()
        await asyncio.wait({self.ended}, timeout=timeout_s)
        self.abort()

    def abort(self) -> None:
        """Hang up. The broker publishes the last will."""
        self._finish(SessionClosed(f"broker {self.settings.where}: hung up"))

    async def _dial(self, dialler: Dialler) -> None:
        settings = self.settings
        try:
            await dialler.dial(self._connect, self._close_socket, settings.connect_timeout_s)
        except StillDialling:
            raise self._lost("is still being looked up from the last attempt; look at this machine's DNS") from None
        except ssl.SSLError as error:
            raise not_trusted(settings, error, self._clock) from error
        except OSError as error:
            raise not_dialled(settings, error) from error

    async def _await_answer(self) -> None:
        timeout_s = self.settings.connect_timeout_s
        outcomes: set[asyncio.Future[Any]] = {self._opened, self.ended}
        done, _ = await asyncio.wait(outcomes, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise self.ended.result()
        if not done:
            raise never_answered(self.settings, f"stayed silent for {timeout_s:g} s")

    def _connect(self) -> None:
        """Runs in the dialler's thread: files, name look-up, TCP and TLS all block."""
        settings, client = self.settings, self._client
        if settings.tls is not None:
            try:
                client.tls_set_context(secure_context(settings.tls))
            except OSError as error:
                raise files_unusable(settings, error) from error
        client.connect(settings.host, settings.port, settings.keepalive_s)
        sock = client.socket()
        if settings.tls is not None and isinstance(sock, SecureSocket):
            self._secure = sock
            self.expiries = expiries(sock, settings.tls)

    def _attach(self) -> None:
        """Take the socket over from the dialler's thread; from here on only the loop touches the client."""
        sock = self._socket()
        if sock is None:
            raise never_answered(self.settings, "hung up")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = self._client
        client.on_connect = self._note_connack
        client.on_publish = self._note_answer
        client.on_disconnect = self._note_disconnect
        client.on_socket_close = self._note_close
        client.on_socket_register_write = self._note_packet
        self._fd = sock.fileno()
        self._heard_s = self._clock.monotonic_s()
        self._loop.add_reader(self._fd, self._read)
        self._tick = self._loop.call_later(self.settings.tick_s, self._watch)
        self._flush()

    def _note_connack(
        self, _client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._noted_end = refused(self.settings, reason.value, _said(properties))
            return
        self.receive_maximum = getattr(properties, "ReceiveMaximum", self.receive_maximum)
        max_packet = getattr(properties, "MaximumPacketSize", None)
        self.max_bytes = None if max_packet is None else max_packet - PACKET_OVERHEAD
        self._aliases = Aliases(getattr(properties, "TopicAliasMaximum", 0) if self._may_alias else 0)
        if not self._opened.done():
            self._opened.set_result(None)

    def _note_close(self, _client: Client, _userdata: Any, sock: Any) -> None:
        self._closed_by_broker = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSE_WAIT
        self._detach()

    def _note_packet(self, _client: Client, _userdata: Any, _sock: object) -> None:
        self._loop.call_soon(self._flush)

    def _note_answer(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answers.append((mid, reason.value, _said(properties)))

    def _note_disconnect(
        self, _client: Client, _userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._noted_end is not None:
            return
        if self._secure is not None and self._secure.failure is not None:
            self._noted_end = not_trusted(self.settings, self._secure.failure, self._clock)
        elif flags.is_disconnect_packet_from_server:
            self._noted_end = disconnected(self.settings, reason.value, _said(properties))
        elif not reason.is_failure:
            self._noted_end = SessionClosed(f"broker {self.settings.where}: the session was closed")
        elif reason == _PROTOCOL_ERROR:
            self._noted_end = self._spoke_nonsense()
        elif reason == _PING_UNANSWERED:
            self._noted_end = self._broken("stayed silent", blames_message=False)
        else:
            self._noted_end = self._hung_up()

    def _hung_up(self) -> SessionLost:
        # A broker of MQTT 3.1.1 has no other way to say that it does not want a message.
        return self._broken("hung up", blames_message=self.settings.protocol == "3.1.1")

    def _spoke_nonsense(self) -> SessionLost:
        # paho takes an answer for nonsense if its reason code is not among those of its kind. mosquitto sends such a
        # one for a message beyond its `message_size_limit`.
        return self._broken("sent what is not MQTT", blames_message=True)

    def _broken(self, words: str, *, blames_message: bool) -> SessionLost:
        if not self._opened.done():
            return never_answered(self.settings, words)
        look = (
            f"look at the broker's log, at the network, and for another client with the id {self.settings.client_id!r}"
        )
        told = f"{words}; {look}"
        return lost(self.settings, told, blames_message=blames_message, is_silent_close=self._closed_by_broker)

    def _read(self) -> None:
        self._heard_s = self._clock.monotonic_s()
        self._drive(self._client.loop_read)
        while self._secure is not None and self._socket() is not None and self._secure.pending():
            self._drive(self._client.loop_read)  # what the TLS layer holds decrypted does not wake the loop again
        sock = self._socket()
        if sock is None:
            return
        # The broker holds back its next answers until TCP has acknowledged the first; Linux waits 40 ms with that.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if self._client._in_packet["remaining_length"] > MAX_INBOUND_BYTES:  # noqa: SLF001 - paho has no limit of its own
            self._finish(self._spoke_nonsense())

    def _flush(self) -> None:
        sock = self._socket()
        if sock is None:
            return
        several, self._unflushed = self._unflushed > 1, 0
        if several:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self._drive(self._client.loop_write)
        if self._socket() is None:
            return
        if several:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        if self._client.want_write():
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def _watch(self) -> None:
        """Once a tick: let paho ping, and end a session that only looks alive."""
        self._drive(self._client.loop_misc)
        if self.ended.done():
            return
        now_s = self._clock.monotonic_s()
        silent_s = now_s - self._heard_s
        if silent_s > 1.5 * self._client.keepalive:
            self._finish(self._lost(f"has not been heard for {silent_s:.0f} s; look at the network in between"))
        elif self._under_way and now_s - self._progress_s > self.settings.ack_timeout_s:
            overdue = f"acknowledges nothing for {now_s - self._progress_s:.0f} s"
            self._finish(self._lost(f"is connected but {overdue}; look at the broker's load and disk"))
        else:
            self._tick = self._loop.call_later(self.settings.tick_s, self._watch)

    def _drive(self, step: Callable[[], MQTTErrorCode]) -> None:
        """Let paho do one step, then hand on what its callbacks noted. Nothing that goes wrong in it is lost."""
        if self.ended.done():
            return
        try:
            step()
            self._hand_on()
        except Exception as error:
            log.exception("mqtt_session_defect", broker=self.settings.where)
            self._finish(self._lost(f"lost its session to a defect here, {error!r}"))

    def _hand_on(self) -> None:
        answers, self._answers = self._answers, []
        if answers:
            self._progress_s = self._clock.monotonic_s()
            self._under_way -= len(answers)
        for mid, code, said in answers:
            self.on_answer(mid, code, said)
        if self._noted_end is not None:
            self._finish(self._noted_end)
        elif self._socket() is None:
            self._finish(self._hung_up())

    def _finish(self, end: SessionEnd) -> None:
        if self.ended.done():
            return
        if self._tick is not None:
            self._tick.cancel()
        self._close_socket()
        self.ended.set_result(end)

    def _close_socket(self) -> None:
        self._detach()
        sock = self._socket()
        if sock is not None:
            self._client.on_socket_close = None
            sock.close()

    def _detach(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _socket(self) -> socket.socket | None:
        sock = self._client.socket()
        assert sock is None or isinstance(sock, socket.socket)
        return None if sock is None or sock.fileno() < 0 else sock

    def _lost(self, words: str, *, blames_message: bool = False) -> SessionLost:
        return lost(self.settings, words, blames_message=blames_message)


def _client(settings: BrokerSettings, will: Message) -> Client:
    """A paho client for one session. What blocks, such as reading certificates, is left to the dialler's thread."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=_PROTOCOLS[settings.protocol],
        reconnect_on_failure=False,
    )
    client.connect_timeout = settings.connect_timeout_s
    client.max_inflight_messages_set(0)  # no second window inside paho: the one outside is never exceeded
    client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    return client


def _said(properties: Properties | None) -> str:
    return str(getattr(properties, "ReasonString", ""))
