"""How a session with the broker ends, in words for a technician.

Reason codes are those of MQTT 5 (OASIS, 2019), section 2.4; MQTT 3.1.1 has its few mapped to those of the same meaning.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, ClassVar, Final

from gateway.vocabulary import Code

if TYPE_CHECKING:
    from gateway.publish.settings import BrokerSettings

TAKEN_OVER: Final = 0x8E
"""DISCONNECT: another client came with our client id."""

TOPIC_ALIAS_INVALID: Final = 0x94
"""DISCONNECT: a topic was sent as a number that the broker does not know."""

UNSUPPORTED_VERSION: Final = 0x84
"""CONNACK: the broker does not speak this version of MQTT."""


class SessionEnd(Exception):  # noqa: N818 - a session always ends; it is not always an error
    """A session is over. The text names the broker, the cause and what to look at."""

    pause_s: ClassVar[tuple[float, float]] = (0.0, 0.0)
    """Between which limits the pause before the next attempt is drawn, s."""
    code: Code = Code.BROKER_LOST
    """Its entry in the vocabulary of errors."""

    def __init__(
        self, text: str, code: Code | None = None, *, blames_message: bool = False, is_silent_close: bool = False
    ) -> None:
        super().__init__(text)
        self.code = code or self.code
        self.is_silent_close = is_silent_close
        """The broker closed the connection in good order, and did not say why."""
        self.blames_message = blames_message
        """The broker may have ended the session because of what was sent."""

    @property
    def told(self) -> str:
        """The text with the code behind it, as it is logged and shown."""
        return f"{self} [{self.code}]"


class SessionLost(SessionEnd):
    """The link broke, or never came up. Drawn from zero, so that a hundred gateways do not come back at one instant."""

    pause_s = (0.0, 10.0)


class SessionRefused(SessionEnd):
    """The broker does not want us; asking again soon will not change that."""

    pause_s = (10.0, 60.0)
    code = Code.BROKER_REFUSED


class TakenOver(SessionEnd):
    """Another client uses our client id. Coming back at once would throw that one out in turn."""

    pause_s = (60.0, 60.0)
    code = Code.BROKER_TAKEN_OVER


class AliasRefused(SessionLost):
    """The broker allows numbers for topics, and then does not know one. The next session names every topic."""


class SessionClosed(SessionEnd):
    """We said goodbye."""


_REFUSALS: Final = {
    0x80: "refuses the connection and does not say why; look at the broker's log",
    0x81: "calls our first packet malformed; look at the broker's log, and for a device between that changes MQTT",
    0x82: "says that our first packet breaks the protocol; look at the broker's log",
    0x83: "refuses the connection by a rule of its own; look at the broker's log and at its rules for {client_id!r}",
    UNSUPPORTED_VERSION: 'does not speak MQTT {own}; set `protocol: "{other}"` under `broker` in gateway.yaml',
    0x85: "does not accept the client id {client_id!r}; look at `gateway.id` in gateway.yaml and at the broker's rules",
    0x86: "does not accept the user name or password of {user}; look at `username` and `password` under `broker` "
    "in gateway.yaml and at the broker's list of users",
    0x87: "does not allow {user} to connect; look at user name and password under `broker` in gateway.yaml "
    "and at the broker's access list (ACL)",
    0x88: "says it is unavailable; look at the broker's log",
    0x89: "says it is too busy; look at the broker's load",
    0x8A: "has banned client {client_id!r}; look at the broker's ban list",
    0x8C: "wants another way of authentication than user name and password; look at the broker's listener",
    0x90: "does not accept the topic of the last will; look at `location` in gateway.yaml and the broker's access list",
    0x95: "finds the first packet too large; look at the broker's limit of packet sizes",
    0x97: "says that a quota is used up; look at the broker's limits for {user}",
    0x99: "does not accept the payload of the last will; look at the broker's rules",
    0x9A: "does not support retained messages, which carry status and tag descriptions; use a broker that does",
    0x9B: "does not support QoS 1, without which nothing is acknowledged; look at the broker's highest QoS",
    0x9C: "sends us to another server; look at `url` under `broker` in gateway.yaml",
    0x9D: "has moved; look at `url` under `broker` in gateway.yaml",
    0x9F: "says that we connect too often; look at the broker's limit of connection rates",
}

_DISCONNECTS: Final = {
    0x00: "closed the session",
    0x80: "ended the session and does not say why; look at the broker's log",
    0x83: "ended the session by a rule of its own; look at the broker's log",
    0x81: "calls a packet of ours malformed; look at the broker's log",
    0x82: "says that we broke the protocol; look at the broker's log",
    0x87: "does not allow {user} what was sent; look at the broker's access list (ACL)",
    0x89: "is too busy to go on; look at the broker's load",
    0x8B: "is shutting down",
    0x8D: "heard nothing from us for too long; look at the network between here and there",
    TAKEN_OVER: "serves another client with the id {client_id!r}, which threw this one out; "
    "look for a second gateway with the same `gateway.id`",
    0x90: "does not accept a topic; look at `location` in gateway.yaml and the broker's access list",
    0x93: "got more messages at once than it allows; look at the broker's log",
    TOPIC_ALIAS_INVALID: "does not know a topic by its number, though it allows numbers; topics are named from now on",
    0x95: "finds a packet too large; look at the broker's limit of packet sizes",
    0x96: "finds our messages too many; look at the broker's rate limit",
    0x97: "says that a quota is used up; look at the broker's limits for {user}",
    0x98: "had the session ended by its administrator",
    0x99: "does not accept the format of a payload; look at the broker's rules",
    0x9A: "does not support retained messages, which carry status and tag descriptions; use a broker that does",
    0x9B: "does not support QoS 1, without which nothing is acknowledged; look at the broker's highest QoS",
    0x9C: "sends us to another server; look at `url` under `broker` in gateway.yaml",
    0x9D: "has moved; look at `url` under `broker` in gateway.yaml",
    0x9F: "says that we connect too often; look at the broker's limit of connection rates",
    0xA0: "says that the session has lasted as long as it may; look at the broker's limits",
}

_BLAMES: Final = frozenset({0x81, 0x82, 0x87, 0x90, 0x95, 0x99, 0x9A, 0x9B})
"""DISCONNECT because of something that was sent; the broker does not say which."""

_UNWANTED: Final = frozenset({0x87, 0x89, 0x8A, 0x8C, 0x96, 0x97, 0x98, 0x9C, 0x9D, 0x9F})
"""DISCONNECT that asks us to stay away for a while."""

_DIAL_HINTS: Final = {
    errno.ECONNREFUSED: "refused the connection: is the broker running, and is the port right?",
    errno.EHOSTUNREACH: "cannot be reached: look at cable, address and routing",
    errno.ENETUNREACH: "cannot be reached: this machine has no route there; look at its network",
    errno.ECONNRESET: "hung up: look at the broker's log and at firewalls between here and there",
}


def refused(settings: BrokerSettings, code: int, said: str = "") -> SessionRefused:
    """The broker answered CONNECT with `code`; `said` is its own reason text."""
    words = _REFUSALS.get(code, f"refuses the connection with reason 0x{code:02X}; look at the broker's log")
    return SessionRefused(sentence(settings, words, said))


def disconnected(settings: BrokerSettings, code: int, said: str = "") -> SessionEnd:
    """The broker sent DISCONNECT with `code`; `said` is its own reason text."""
    words = _DISCONNECTS.get(code, f"ended the session with reason 0x{code:02X}; look at the broker's log")
    special = {TAKEN_OVER: TakenOver, TOPIC_ALIAS_INVALID: AliasRefused}.get(code)
    kind = special or (SessionRefused if code in _UNWANTED else SessionLost)
    return kind(sentence(settings, words, said), blames_message=code in _BLAMES)


def not_dialled(settings: BrokerSettings, error: OSError) -> SessionLost:
    """The TCP connection could not be made."""
    if isinstance(error, socket.gaierror):
        words = "the name cannot be resolved; look at `url` under `broker` in gateway.yaml and at this machine's DNS"
    elif isinstance(error, TimeoutError):
        words = f"no answer within {settings.connect_timeout_s:g} s; look at cable, address and firewall"
    else:
        words = _DIAL_HINTS.get(error.errno or 0, f"cannot be reached: {error.strerror or error}")
    return SessionLost(sentence(settings, words), Code.BROKER_UNREACHABLE)


def never_answered(settings: BrokerSettings, what: str) -> SessionLost:
    """The TCP connection came up, but no MQTT answer came: `what` came instead."""
    tls = "does the port expect TLS" if settings.tls is None else "does it want a certificate of ours"
    hint = f"; is this an MQTT broker, and {tls}?"
    if settings.protocol == "5":
        hint += ' A broker that only knows MQTT 3.1.1 may do this: then set `protocol: "3.1.1"` in gateway.yaml'
    return SessionLost(sentence(settings, f"{what} instead of an answer{hint}"))


def lost(
    settings: BrokerSettings, words: str, *, blames_message: bool = False, is_silent_close: bool = False
) -> SessionLost:
    """An established session broke; `words` go on after the broker's name."""
    told = sentence(settings, words)
    return SessionLost(told, blames_message=blames_message, is_silent_close=is_silent_close)


def taken_over_silently(settings: BrokerSettings, times: int) -> TakenOver:
    """The broker closed so many sessions in a row soon after they began, and never said why."""
    words = (
        f"hung up {times} times soon after the session began; most likely it serves another client with the id "
        "{client_id!r}: look for a second gateway with the same `gateway.id`, and at the broker's log"
    )
    return TakenOver(sentence(settings, words))


def sentence(settings: BrokerSettings, words: str, said: str = "", now: str = "") -> str:
    """The text of an end: the broker's name, what is the matter, the broker's own words."""
    user = "nobody (no `username` is set)" if settings.username is None else f"user {settings.username!r}"
    other = "3.1.1" if settings.protocol == "5" else "5"
    told = words.format(
        client_id=settings.client_id, user=user, own=settings.protocol, other=other, host=settings.host, now=now
    )
    return f"broker {settings.where} {told}" + (f" (it says: {said})" if said else "")
