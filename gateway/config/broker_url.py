"""The url of the broker, taken apart."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 1883
"""IANA's port for MQTT without TLS."""

_MOST_PORT = 65_535
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_FORM = "write mqtt://host or mqtt://host:port"


class BrokerAddress(NamedTuple):
    """Where the broker listens."""

    host: str
    port: int


def broker_address(url: str) -> BrokerAddress:
    """Host and port of `mqtt://host[:port]`; an IPv6 address stands in brackets.

    Raises:
        ValueError: this is no such url. The text never repeats the url: it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"the broker's url must begin with mqtt://: {_FORM}")
    _check_scheme(scheme)
    if "@" in rest:
        raise ValueError("the broker's url must not hold a user or password: use the keys username and password")
    if any(character in rest.rstrip("/") for character in "/?#"):
        raise ValueError(f"nothing may follow the port in the broker's url: {_FORM}")
    return _host_and_port(rest.rstrip("/"))


def _check_scheme(scheme: str) -> None:
    if scheme.lower() in {"mqtts", "ssl", "tls", "wss"}:
        raise ValueError("this release speaks to the broker without TLS only: write mqtt://, on a network you trust")
    if scheme.lower() != "mqtt":
        raise ValueError(f"the broker's url must begin with mqtt://: {_FORM}")


def _host_and_port(text: str) -> BrokerAddress:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        return BrokerAddress(_host(text), DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= _MOST_PORT):
        raise ValueError("the port in the broker's url must be a number from 1 to 65535")
    return BrokerAddress(_host(host), int(port))


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise ValueError("the broker's url holds no IPv6 address between its brackets") from None
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"the broker's url holds no host name or address that can be used: {_FORM}")
    return text
