"""The encrypted link to a broker: what paho needs for it, and what is to be learned from it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gateway.publish.certificates import Expiry, not_after_s

if TYPE_CHECKING:
    from gateway.config.tls_files import TlsFiles


class SecureSocket(ssl.SSLSocket):
    """A socket that remembers why it failed, since paho keeps to itself what it catches."""

    failure: ssl.SSLError | None = None
    """The first error of the TLS layer after the handshake, such as the server's refusal of our certificate."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        """Like the base class; closes the socket when it fails, since nobody else would."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Like the base class; notes the error that is not just a wish to read on."""
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.failure = self.failure or error
            raise


def secure_context(files: TlsFiles) -> ssl.SSLContext:
    """The context whose sockets are `SecureSocket`.

    Raises:
        OSError: a file cannot be read or used.
    """
    context = files.context()
    context.sslsocket_class = SecureSocket
    return context


def expiries(sock: SecureSocket, files: TlsFiles) -> list[Expiry]:
    """Until when the broker's certificate is valid, and our own."""
    told = sock.getpeercert() or {}
    until = str(told.get("notAfter", ""))
    known = [Expiry("broker", ssl.cert_time_to_seconds(until))] if until else []
    if files.certificate is not None:
        known.append(Expiry("own", not_after_s(files.certificate.read_bytes())))
    return known
