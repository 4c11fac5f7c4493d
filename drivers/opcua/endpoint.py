"""Where a server is: the parts of an `opc.tcp` URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

STANDARD_PORT: Final = 4840
"""Port of OPC UA over TCP, registered with IANA."""

_HOST: Final = re.compile(r"[^\s\x00-\x1f/@]{1,253}")
"""253 characters are the most a name can have (RFC 1035)."""

_MAX_LABEL: Final = 63
"""Longest part of a name between two dots (RFC 1035)."""


@dataclass(frozen=True, slots=True)
class EndPoint:
    """Host, port and path of one server."""

    host: str
    """Name or address, lower case, an IPv6 address without its brackets."""
    port: int
    path: str
    """As written; empty, or beginning with a slash."""

    @property
    def url(self) -> str:
        """The URL to connect to, always with its port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"opc.tcp://{host}:{self.port}{self.path}"

    @property
    def claim(self) -> str:
        """Equal for two URLs of one server: without a slash at the end."""
        return self.url.rstrip("/")


def parse_url(url: str) -> EndPoint:
    """The end point that `url` names.

    Raises:
        ValueError: it is no URL of an OPC UA server; the message says why.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if parts.scheme != "opc.tcp" or parts.query or parts.fragment or not _is_host(host):
        raise ValueError(f"{url!r} is not the URL of an OPC UA server: write it as opc.tcp://192.168.0.10:4840")
    if parts.username is not None:
        raise ValueError("take the user out of the url: write username and password_file")
    return EndPoint(host, _port(url, parts), parts.path)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None


def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None and max(map(len, host.split("."))) <= _MAX_LABEL


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = STANDARD_PORT if parts.port is None else parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"the port in {url!r} is not a number from 1 to 65535")
    return port
