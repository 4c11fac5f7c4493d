"""What a technician writes in gateway.yaml, and what the checked files become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from gateway.config.broker_url import BrokerAddress, broker_address
from gateway.connection import ConnectionConfig, Strict

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.driver import DriverSpec

TopicLevel = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00-\x1f\s]{1,64}$")]
"""One level of an MQTT topic: no wildcard, no slash, no space."""


class Location(Strict):
    """Where the gateway stands, as an ISA-95 path. A level that is left out is left out of the topics."""

    enterprise: TopicLevel | None = Field(None, description="First level of the topics.")
    site: TopicLevel | None = Field(None, description="Second level of the topics.")
    area: TopicLevel | None = Field(None, description="Third level of the topics.")
    line: TopicLevel | None = Field(None, description="Fourth level of the topics.")

    def levels(self) -> list[str]:
        """The levels that are given, from the enterprise down."""
        return [level for level in (self.enterprise, self.site, self.area, self.line) if level is not None]


class Identity(Strict):
    """Who this gateway is."""

    id: TopicLevel = Field(
        description="Name of this gateway, unlike any other on the same broker; also its MQTT client id."
    )
    location: Location = Field(Location(), description="Where it stands; the beginning of every topic.")


class Secret(Strict):
    """A secret is never written in the configuration, only its name."""

    secret: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Name of a systemd credential, or of a file of mode 0600 in `secrets` beside gateway.yaml.",
    )


class Broker(Strict):
    """The MQTT broker that the values go to."""

    url: str = Field(description="mqtt://host or mqtt://host:port.")
    username: str | None = Field(None, description="User name at the broker.")
    password: Secret | None = Field(None, description="Password, by the name of its secret.")
    protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version; 3.1.1 for brokers that know no other.")
    keepalive_s: int = Field(15, ge=5, le=3600, description="Time between signs of life to the broker, s.")

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        broker_address(url)
        return url

    @property
    def address(self) -> BrokerAddress:
        """Host and port of the url."""
        return broker_address(self.url)


class Publish(Strict):
    """How values are published."""

    encoder: Literal["json"] = Field("json", description="Payload format.")
    layout: Literal["device"] = Field("device", description="`device`: one message a batch.")
    history_topic: Literal["history", "same"] = Field(
        "history",
        description="Where batches go that waited on disk: `<device>/history`, or `same` for `<device>/data`.",
    )


class OutboxConfig(Strict):
    """What waits for the broker, and where."""

    spill_after_s: float = Field(
        1.0, gt=0, le=60, description="Unacknowledged for longer than this, a batch goes to disk, s."
    )
    max_mb: int = Field(
        2000, ge=1, description="Most that waits on disk, MB; then the oldest is dropped and a gap recorded."
    )
    keep_free_mb: int = Field(200, ge=0, description="Free space that the outbox leaves to others on its disk, MB.")


class GatewayConfig(Strict):
    """gateway.yaml, whole."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    gateway: Identity = Field(description="Who this gateway is and where it stands.")
    broker: Broker = Field(description="The broker that the values go to.")
    publish: Publish = Field(Publish(), description="How values are published.")
    outbox: OutboxConfig = Field(OutboxConfig(), description="What waits for the broker.")


@dataclass(frozen=True)
class Connection:
    """One checked connection file."""

    name: str
    """The file's name without `.yaml`."""
    file: Path
    spec: DriverSpec
    config: ConnectionConfig


@dataclass(frozen=True)
class Configuration:
    """All files of a configuration folder, checked. A connection whose file has an error is not among `connections`."""

    folder: Path
    gateway: GatewayConfig
    connections: tuple[Connection, ...]
    digest: str = ""
    """Twelve hex digits over the bytes of all files, so that two gateways can be compared."""
