"""How one broker is reached and how long it is waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gateway.config.schema import Broker
    from gateway.config.tls_files import TlsFiles


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """One broker, every default filled in. Times in seconds."""

    host: str
    port: int
    client_id: str
    """The gateway's id. A broker ends the session of the first client when a second one comes with the same id."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: Literal["5", "3.1.1"] = "5"
    tls: TlsFiles | None = None
    """By what the broker is known, and the gateway to it; None leaves the link unencrypted."""
    keepalive_s: int = 15
    """Silence after which a ping is sent; the broker may shorten it. Silence of 1.5 of these ends the session."""
    connect_timeout_s: float = 10.0
    """For name look-up and TCP together, and once more for the broker's answer."""
    ack_timeout_s: float = 20.0
    """Messages under way and none acknowledged for so long ends the session."""
    window: int = 16
    """Most messages under way, and so the most that arrive twice after the link was lost."""
    retry_s: float = 1.0
    """First pause before a message that was refused for now is sent again; it doubles up to 60 s."""
    tick_s: float = 1.0
    """How often silence and overdue acknowledgements are looked for."""
    look_s: float = 30.0
    """How often certificates and better brokers are looked for."""

    @property
    def where(self) -> str:
        """`host:port`, for people."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, broker: Broker, client_id: str, password: str | None, tls: TlsFiles) -> list[BrokerSettings]:
        """The settings of each broker in gateway.yaml, the preferred one first.

        Args:
            broker: the part of gateway.yaml.
            client_id: the gateway's id.
            password: the secret's value.
            tls: used where the url says mqtts://.
        """
        return [
            cls(
                host=address.host,
                port=address.port,
                client_id=client_id,
                username=broker.username,
                password=password,
                protocol=broker.protocol,
                tls=tls if address.tls else None,
                keepalive_s=broker.keepalive_s,
            )
            for address in broker.addresses
        ]
