"""How the two ends of a connection are written: hosts on a network, and files of this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBERS_ONLY: Final = re.compile(r"[0-9.]+")


def checked_host(host: str) -> str:
    """The text, where it is a host name or an IP address.

    Raises:
        ValueError: it is neither.
    """
    if "://" in host:
        raise ValueError(f"{host!r}: write the host name or IP address alone, without {host.partition('://')[0]}://")
    if not _is_host_name(host) and not _is_ip_address(host):
        raise ValueError(f"{host!r} is neither a host name nor an IP address; the port number goes into `port`")
    return host


def checked_path(path: str) -> str:
    """The text, where it is the whole path of a file.

    Raises:
        ValueError: it is none, or begins in the middle.
    """
    if not path.startswith("/") or "\n" in path or "\0" in path:
        raise ValueError(f"{path.partition(chr(10))[0]!r}: write the whole path, beginning with /")
    return path


def _is_host_name(text: str) -> bool:
    return _HOST_NAME.fullmatch(text) is not None and _NUMBERS_ONLY.fullmatch(text) is None


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
