"""Why a server cannot be reached, or was lost, in words for a technician."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from drivers.opcua.errors import NO_LOGIN, NO_POLICY, NOT_TRUSTED_THERE
from drivers.opcua.status import name_of
from gateway.driver import LinkError
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator


class ServerError(UaError):
    """The server does not do what it must. The text says what, and what to look at."""

    def __init__(self, text: str, code: str = Code.LINK) -> None:
        super().__init__(text)
        self.code = code


_LOGIN: Final = (
    "it does not let this user in; compare username and password with the server's list of users, or allow anonymous "
    "users where none is given"
)
WANTS_CERTIFICATES: Final = "it asks for certificates; take `insecure: true` out of the connection"
NOT_BELIEVED: Final = (
    "it does not trust the gateway's certificate; move that from rejected to trusted in the server's own list "
    "(`edge-gateway opcua certs` shows it)"
)
_FULL: Final = "all its sessions are taken; close other clients, or wait a minute until it forgets dead ones"

_HINTS: Final = {
    "BadTcpEndpointUrlInvalid": "it does not answer to this url; write host and path as its manual names them",
    "BadTcpServerTooBusy": _FULL,
    "BadTcpNotEnoughResources": _FULL,
    "BadTooManySessions": _FULL,
    "BadMaxConnectionsReached": _FULL,
    "BadTooManySubscriptions": "all its subscriptions are taken; close other clients",
    "BadSecurityPolicyRejected": WANTS_CERTIFICATES,
    "BadSecurityModeRejected": WANTS_CERTIFICATES,
    "BadSecurityModeInsufficient": WANTS_CERTIFICATES,
    "BadSecurityChecksFailed": NOT_BELIEVED,
    "BadCertificateInvalid": NOT_BELIEVED,
    "BadCertificateUntrusted": NOT_BELIEVED,
    "BadCertificateTimeInvalid": "it finds the gateway's certificate out of its time; look at both clocks",
    "BadCertificateUriInvalid": NOT_BELIEVED,
    "BadIdentityTokenInvalid": _LOGIN,
    "BadIdentityTokenRejected": _LOGIN,
    "BadUserAccessDenied": _LOGIN,
    "BadUserSignatureInvalid": _LOGIN,
    "BadNoSubscription": "it has dropped the subscription; a new one is made",
    "BadSubscriptionIdInvalid": "it has dropped the subscription; a new one is made",
    "BadSessionIdInvalid": "it has dropped the session; a new one is made",
    "BadSessionClosed": "it has closed the session; a new one is made",
    "BadSecureChannelClosed": "it has closed the channel; a new one is made",
    "BadSecureChannelIdInvalid": "it has dropped the channel; a new one is made",
    "BadServerHalted": "it has stopped; look at its state",
    "BadShutdown": "it is shutting down",
    "BadServiceUnsupported": "it does not offer what this driver needs: sessions, subscriptions and reading",
}
"""What to look at, by the name of the StatusCode."""

_CODES: Final = {WANTS_CERTIFICATES: NO_POLICY, NOT_BELIEVED: NOT_TRUSTED_THERE, _LOGIN: NO_LOGIN}
"""Entry of the vocabulary, by the hint."""

_UNREACHABLE: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})


@contextmanager
def as_link_errors(url: str, timeout_s: float) -> Iterator[None]:
    """Turn whatever breaks a connection into a `LinkError` that names the url, the cause and what to look at.

    Also a cancellation that the library makes up: only one of the task itself goes on as such.
    """
    asked = stop_requests()
    try:
        yield
    except asyncio.CancelledError:
        if stop_requests() > asked:
            raise
        raise LinkError(f"{url}: the connection was given up half-way; it is opened anew") from None
    except (OSError, UaError) as error:
        link_error = LinkError(f"{url}: {cause_of(error, timeout_s)}")
        link_error.code = _code_of(error)
        raise link_error from error


def stop_requests() -> int:
    """How often the running task has been asked to stop, time-outs around it included."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def cause_of(error: OSError | UaError, timeout_s: float) -> str:
    """What happened and what to look at, without the url."""
    return _library_cause(error) if isinstance(error, UaError) else _network_cause(error, timeout_s)


def _code_of(error: OSError | UaError) -> str:
    match error:
        case ServerError():
            return error.code
        case UaStatusCodeError():
            return _CODES.get(_HINTS.get(name_of(error.code), ""), Code.LINK)
        case _:
            return Code.LINK


def _library_cause(error: UaError) -> str:
    match error:
        case ServerError():
            return str(error)
        case UaStatusCodeError():
            return _refusal(name_of(error.code))
        case _ if str(error).startswith("No matching endpoints"):
            return f"the server has no end point with security None: {WANTS_CERTIFICATES}."
        case _:
            return f"the server answered what cannot be understood ({error}). Look at its log."


def _refusal(status: str) -> str:
    hint = _HINTS.get(status, "look at its log")
    return f"the server says {status}: {hint}."


def _network_cause(error: OSError, timeout_s: float) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {timeout_s:g} s. Look at the cable, the address, a firewall, and the server."
        case ConnectionRefusedError():
            return "connection refused. Nothing listens on this port: does the server run, and is the port right?"
        case socket.gaierror():
            return "this host name is not known. Look at its spelling and the name server, or write the IP address."
        case OSError(errno=int(number)) if number in _UNREACHABLE:
            return "there is no way to this host. Look at the cable, the address, the gateway's network settings."
        case ConnectionError():
            return "the connection broke. The server restarted, or something between it and the gateway did."
        case _:
            return f"the network failed: {error}"
