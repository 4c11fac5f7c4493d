"""The url of a broker, taken apart."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final, NamedTuple

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""IANA's ports for MQTT without and with TLS."""

_MOST_PORT = 65_535
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_FORM = "write mqtts://host or mqtts://host:port (mqtt:// without TLS)"
_OTHER_NAMES_OF_TLS = frozenset({"ssl", "tls", "mqtt+ssl", "mqtt+tls"})


class BrokerAddress(NamedTuple):
    """Where the broker listens."""

    host: str
    port: int
    tls: bool = False
    """Whether the link is encrypted."""


def broker_address(url: str) -> BrokerAddress:
    """Host and port of `mqtt://host[:port]` or `mqtts://host[:port]`; an IPv6 address stands in brackets.

    Raises:
        ValueError: this is no such url. The text never repeats the url: it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"the broker's url must begin with mqtt:// or mqtts://: {_FORM}")
    scheme = _known(scheme.lower())
    if "@" in rest:
        raise ValueError("the broker's url must not hold a user or password: use the keys username and password")
    if any(character in rest.rstrip("/") for character in "/?#"):
        raise ValueError(f"nothing may follow the port in the broker's url: {_FORM}")
    host, port = _host_and_port(rest.rstrip("/"), PORTS[scheme])
    return BrokerAddress(host, port, scheme == "mqtts")


def _known(scheme: str) -> str:
    if scheme in _OTHER_NAMES_OF_TLS:
        raise ValueError("the broker's url must begin with mqtts:// where the link is encrypted")
    if scheme in {"ws", "wss"}:
        raise ValueError(f"MQTT over WebSockets is not spoken here: {_FORM}, and the port of plain MQTT at the broker")
    if scheme not in PORTS:
        raise ValueError(f"the broker's url must begin with mqtt:// or mqtts://: {_FORM}")
    return scheme


def _host_and_port(text: str, default_port: int) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        return _host(text), default_port
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= _MOST_PORT):
        raise ValueError("the port in the broker's url must be a number from 1 to 65535")
    return _host(host), int(port)


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise ValueError("the broker's url holds no IPv6 address between its brackets") from None
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"the broker's url holds no host name or address that can be used: {_FORM}")
    return text
