"""Lets a session begin only with a server that has proved who it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
)

from drivers.opcua.causes import ServerError
from drivers.opcua.client import end_points
from drivers.opcua.errors import NO_POLICY, OWN_FILES
from drivers.opcua.expiry import Expiry, now_of
from drivers.opcua.login import Login, read_login
from drivers.opcua.own import key_file, own_certificate, public_file
from drivers.opcua.pki import Pki
from drivers.opcua.verdict import Expected, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncua.client.client import Client
    from asyncua.crypto.security_policies import SecurityPolicy
    from cryptography import x509

    from drivers.opcua.config import OpcuaConnection
    from drivers.opcua.own import Own
    from gateway.clock import Clock

POLICIES: Final[dict[str, type[SecurityPolicy]]] = {
    "Aes256_Sha256_RsaPss": SecurityPolicyAes256Sha256RsaPss,
    "Basic256Sha256": SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": SecurityPolicyAes128Sha256RsaOaep,
}
"""By the names that end their URIs; the best first."""

_MODES: Final = {"sign": ua.MessageSecurityMode.Sign, "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt}


class Choice(NamedTuple):
    """What the server's end points came down to."""

    policy: str
    certificate: bytes
    application_uri: str


class Guard:
    """The security of one connection, over all its sessions."""

    def __init__(self, config: OpcuaConnection, clock: Clock) -> None:
        self.login = Login()
        self._config = config
        self._clock = clock
        self._pki = Pki(config.security.folder)
        self._expiry = Expiry(config.end_point.url, clock)
        self._own: Own | None = None
        self._server: x509.Certificate | None = None
        self._policy: str | None = None

    @property
    def insecure(self) -> bool:
        """Whether the technician wants neither proof nor encryption."""
        return self._config.insecure

    async def prepare(self) -> None:
        """Read what the gateway proves itself with; make its certificate where there is none.

        Raises:
            ServerError: a file cannot be used; the text names it.
        """
        self.login = await asyncio.to_thread(read_login, self._config)
        if not self.insecure:
            self._own = await asyncio.to_thread(self._read_own)

    async def secure(self, client: Client, timeout_s: float) -> None:
        """Find the server's end point, judge its certificate, and give the client the keys.

        Raises:
            OSError: the network failed.
            ua.UaError: the server is not to be believed, or lacks what is asked; the text says what to do.
        """
        if self.insecure:
            return
        assert self._own is not None, "prepare comes first"
        choice = self._choose(await end_points(self._config.end_point.url, timeout_s, self._config.interface))
        self._server = await asyncio.to_thread(self._judge, choice)
        self._policy = choice.policy
        client.application_uri = self._own.uri
        mode = _MODES[self._config.security.mode]
        policy = POLICIES[choice.policy](self._server, self._own.certificate, self._own.key, mode)
        client.security_policy = policy  # type: ignore[assignment]  # asyncua declares the class of the first one
        client.uaclient.set_security(policy)

    def confirm(self, session: ua.CreateSessionResult) -> None:
        """Compare what was told in the open with what is told now, signed.

        Only the policy: a server leaves the rest out of the second list (Part 4, 5.6.2.2), and the certificate says it.

        Raises:
            ServerError: somebody between has changed the list.
        """
        if self._policy is not None and self._choose(session.ServerEndpoints).policy != self._policy:
            raise ServerError(
                "the server tells other end points over the secured connection than it did before. Somebody between "
                "may have changed the list to weaken it; find out what stands between gateway and server.",
                NO_POLICY,
            )

    async def watch(self) -> None:
        """Tell, for ever, of certificates that run out."""
        if self._own is None or self._server is None:
            return
        renew = f"run: {self._pki.command('certs --renew')}, then trust {public_file(self._pki)} in each server"
        await self._expiry.watch(
            {
                "gateway": (self._own.certificate, renew),
                "server": (self._server, "give the server a new certificate, and trust it here when it is used"),
            }
        )

    def _read_own(self) -> Own:
        path = key_file(self._pki)
        try:
            return own_certificate(self._pki, now_of(self._clock))
        except OSError as error:
            text = f"the gateway's own certificate {path} cannot be read or made: {error.strerror}. Look at the folder."
            raise ServerError(text, OWN_FILES) from None
        except (ValueError, TypeError) as error:
            text = f"the gateway's own certificate {path} is damaged ({error})."
            raise ServerError(f"{text} Run: {self._pki.command('certs --renew')}", OWN_FILES) from None

    def _judge(self, choice: Choice) -> x509.Certificate:
        host = self._config.security.server_name or self._config.end_point.host
        try:
            return judge(choice.certificate, Expected(host, choice.application_uri), self._pki, now_of(self._clock))
        except OSError as error:
            text = f"the folder of certificates {self._pki.folder} cannot be used: {error.strerror}."
            raise ServerError(text, OWN_FILES) from None

    def _choose(self, offered: Sequence[ua.EndpointDescription]) -> Choice:
        """The best end point that fits.

        Raises:
            ServerError: none does; the text lists those that are there.
        """
        wanted = self._config.security
        by_policy = {_name(one): one for one in offered if one.SecurityMode == _MODES[wanted.mode]}
        for policy in POLICIES if wanted.policy is None else [wanted.policy]:
            if policy in by_policy:
                found = by_policy[policy]
                return Choice(policy, found.ServerCertificate or b"", found.Server.ApplicationUri or "")
        there = ", ".join(sorted({f"{_name(one)} {_mode(one)}".strip() for one in offered})) or "nothing"
        raise ServerError(
            f"the server has no end point with policy {wanted.policy or 'of today'} and mode {wanted.mode}; it offers: "
            f"{there}. Switch one on at the server, or write one of these into `security`.",
            NO_POLICY,
        )


def _name(offered: ua.EndpointDescription) -> str:
    return (offered.SecurityPolicyUri or "").rpartition("#")[2]


def _mode(offered: ua.EndpointDescription) -> str:
    return next((name for name, mode in _MODES.items() if mode == offered.SecurityMode), "")
