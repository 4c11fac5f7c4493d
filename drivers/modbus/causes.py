"""Why an end point cannot be reached or a serial port not opened, and what to look at."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import Final

from gateway.interface import NoInterface

_NO_ROUTE: Final = (
    "there is no route to it: check the network cable, this machine's IP address and mask, and the router"
)
_SILENT: Final = "it does not answer: check its power, its network cable, the IP address and a firewall in between"
_REFUSED: Final = (
    "it refuses the connection: check that Modbus is switched on there and on this port, that this machine is "
    "allowed in, and that other programs leave it a free connection"
)
_UNKNOWN_NAME: Final = "the name is unknown: check its spelling and the DNS server, or write the IP address"

_BY_ERRNO: Final = {
    errno.ECONNREFUSED: _REFUSED,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.ENETUNREACH: _NO_ROUTE,
    errno.ETIMEDOUT: _SILENT,
}
_ERRNO_IN_TEXT: Final = re.compile(r"\[Errno ([0-9]+)\]|\(([0-9]+), '")
"""As asyncio writes it, and as termios does."""

_PORT_BY_ERRNO: Final = {
    errno.ENOENT: "there is no such port: check that the adapter is plugged in; ls /dev/serial/by-id names all there "
    "are",
    errno.ENXIO: "there is nothing behind it: check that the adapter is plugged in, and that the port is switched on",
    errno.EACCES: "this user may not use it: it must be in the group dialout",
    errno.EPERM: "this user may not use it: it must be in the group dialout",
    errno.EBUSY: "another program uses it: fuser names its process",
    errno.EAGAIN: "another program uses it: fuser names its process",
    errno.ENOTTY: "it is not a serial port",
    errno.EINVAL: "it does not take these settings: check baudrate, parity and stop_bits",
    errno.EIO: "it does not work: check the adapter and its cable",
}

_TLS_CHECKS: Final = {
    9: "its certificate is not valid yet: check the clocks of both",
    10: "its certificate has expired: the device needs a new one, or one of the clocks is wrong",
    18: "its certificate is signed by itself: give that certificate as tls.ca",
    19: "its certificate was signed by an authority that is not trusted here: give the right certificate as tls.ca",
    20: "its certificate was signed by an authority that is not trusted here: give the right certificate as tls.ca",
    21: "its certificate was signed by an authority that is not trusted here: give the right certificate as tls.ca",
    62: "its certificate is for another name: write that name as tls.server_name",
    64: "its certificate is for another IP address: write the name in the certificate as tls.server_name",
}
"""By OpenSSL's verification result, X509_V_ERR_* (openssl-verification-options(1))."""

_TLS_ENDS: Final = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port: 802 is usual for it",
    "UNSUPPORTED_PROTOCOL": "it speaks only an old form of TLS, older than 1.2, which proves nothing any more",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks only an old form of TLS, older than 1.2, which proves nothing any more",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a certificate: give tls.certificate and tls.key",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it breaks off: it may ask for a certificate (tls.certificate and tls.key)",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the authority that signed tls.certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept tls.certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it finds tls.certificate expired",
}


def why_unreachable(error: OSError) -> str:
    """Cause and remedy of a connection that could not be made."""
    if isinstance(error, ssl.SSLError):
        return why_not_trusted(error)
    if isinstance(error, NoInterface):
        return str(error)
    if isinstance(error, socket.gaierror):
        return _UNKNOWN_NAME
    if isinstance(error, TimeoutError):
        return _SILENT
    return _BY_ERRNO.get(_errno_of(error), f"{error}")


def why_not_trusted(error: ssl.SSLError) -> str:
    """Which check of TLS failed, and what to look at."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _TLS_CHECKS.get(error.verify_code, f"its certificate is refused: {error.verify_message}")
    reason = error.reason or str(error)
    return _TLS_ENDS.get(reason, f"TLS failed: {reason}")


def why_no_port(error: Exception) -> str:
    """Cause and remedy of a serial port that could not be opened: of an OSError, a termios.error or a ValueError."""
    if isinstance(error, ValueError):
        return "it cannot be switched by RTS: leave out rs485 where the adapter switches by itself"
    return _PORT_BY_ERRNO.get(_errno_of(error), f"it does not take these settings: {error}")


def why_no_files(error: OSError, *paths: str | None) -> str:
    """Which of the certificate files cannot be used, and why."""
    named = error.filename or " or ".join(path for path in paths if path)
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    if reason == "KEY_VALUES_MISMATCH":
        return f"the files for TLS cannot be used: {paths[-1]} is not the key of the certificate beside it"
    return f"the files for TLS cannot be used: {named}: {reason}"


def _errno_of(error: Exception) -> int:
    """A name with several addresses gives one error with the texts of all; the first one speaks."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    first = _ERRNO_IN_TEXT.search(str(error))
    return int(first[1] or first[2]) if first else 0
