"""Why an encrypted link did not come about, in words for a technician.

The failed check is OpenSSL's number for it (x509_vfy.h), all else its reason, which Python passes on as a word.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from gateway.model import iso_time
from gateway.publish.endings import SessionEnd, SessionLost, SessionRefused, sentence
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.publish.settings import BrokerSettings

NOT_YET_VALID: Final = 9
"""Most often our own clock is behind, as that of a Pi without battery after a start; it will be set."""

_CA = "look at `ca` under `broker: tls:` in gateway.yaml"
_UNKNOWN_AUTHORITY = f"shows a certificate of an authority that is not trusted here; {_CA}"
_CHECKS: Final = {
    NOT_YET_VALID: "shows a certificate that is not valid yet; this machine's clock says {now}: is it right?",
    10: "shows a certificate that has expired; renew it at the broker (this machine's clock says {now})",
    18: f"shows a certificate that it signed itself and that is not trusted here; {_CA}",
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    23: "shows a certificate that was revoked",
    24: f"shows a certificate that an authority may not sign; {_CA}",
    26: "shows a certificate that is not for servers; issue one with the extended key usage serverAuth",
    62: "shows a certificate for another name than {host}; look at `url` in gateway.yaml, which must use the name that "
    "stands in the certificate (subject alternative name)",
    64: "shows a certificate without the address {host}; look at `url` in gateway.yaml, which must use the name that "
    "stands in the certificate (subject alternative name)",
    66: "shows a certificate whose key is too weak",
    68: "shows a certificate whose signature is too weak",
}

_TOO_OLD = "speaks no TLS newer than 1.1, which is not safe; switch on TLS 1.2 or 1.3 at the broker"
_NO_TLS = "does not speak TLS on this port; is 8883 the port, or should `url` in gateway.yaml say mqtt://?"
_OWN = "look at `certificate` and `key` under `broker: tls:` in gateway.yaml"
_REASONS: Final = {
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "WRONG_SSL_VERSION": _TOO_OLD,
    "NO_PROTOCOLS_AVAILABLE": _TOO_OLD,
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": f"wants a certificate of ours; {_OWN}",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": f"broke off the handshake: it wants our certificate, or other ciphers; {_OWN}",
    "SSLV3_ALERT_BAD_CERTIFICATE": f"does not accept our certificate; {_OWN}",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": f"says that our certificate has expired; {_OWN}",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": f"says that our certificate was revoked; {_OWN}",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": f"does not accept our certificate; {_OWN}",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": f"does not accept certificates of this kind; {_OWN}",
    "TLSV1_ALERT_UNKNOWN_CA": f"does not know the authority that signed our certificate; {_OWN}, and at its list",
    "TLSV1_ALERT_ACCESS_DENIED": f"does not let the holder of our certificate in; {_OWN}, and at its access list",
    "TLSV1_UNRECOGNIZED_NAME": "knows no certificate for the name {host}; look at `url` in gateway.yaml",
}
_HANDSHAKE_CUT: Final = "UNEXPECTED_EOF_WHILE_READING"


def not_trusted(settings: BrokerSettings, error: ssl.SSLError, clock: Clock) -> SessionEnd:
    """The TLS layer refused the broker, or the broker refused us in it."""
    check = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    words = _CHECKS.get(check) or _REASONS.get(error.reason or "") or _unknown(error)
    kind = SessionLost if check == NOT_YET_VALID or error.reason == _HANDSHAKE_CUT else SessionRefused
    return kind(sentence(settings, words, now=iso_time(clock.now().time)), Code.BROKER_TLS)


def files_unusable(settings: BrokerSettings, error: OSError) -> SessionEnd:
    """The files under `broker: tls:` were good when they were checked, and are not any more."""
    what = f"{error.filename}: {error.strerror}" if error.filename else getattr(error, "reason", None) or str(error)
    words = f"cannot be dialled: the files under `broker: tls:` fail ({what})"
    return SessionRefused(sentence(settings, words), Code.BROKER_TLS)


def _unknown(error: ssl.SSLError) -> str:
    if error.reason == _HANDSHAKE_CUT:
        return "hung up during the TLS handshake; does this port speak TLS 1.2 or newer? Look at the broker's log"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not good: {error.verify_message}"
    return f"cannot be spoken to over TLS ({(error.reason or str(error)).lower()}); look at the broker's log"
