"""What a technician writes in gateway.yaml, and what the checked files become."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gateway.config.broker_url import BrokerAddress, broker_address
from gateway.connection import ConnectionConfig, Strict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.derived import DerivedConfig
    from gateway.config.problems import Problem
    from gateway.driver import DriverSpec

TopicLevel = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00-\x1f\s]{1,64}$")]
"""One level of an MQTT topic: no wildcard, no slash, no space."""


def _reachable(url: str) -> str:
    broker_address(url)
    return url


BrokerUrl = Annotated[str, AfterValidator(_reachable)]
"""`mqtt://host[:port]` or `mqtts://host[:port]`."""


def _no_pem(name: str) -> str:
    if "-----" in name or "\n" in name:
        raise ValueError("write the name of the file here, not what stands in it")
    return name


FileName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_no_pem)]
"""A file, relative to the folder of gateway.yaml unless it begins with a slash."""


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


class Tls(Strict):
    """How the broker proves who it is, and how the gateway does. Each file is PEM, and may also be a secret."""

    ca: FileName | Secret | None = Field(
        None, description="Certificates of the authority that signed the broker's; without it those of the system."
    )
    certificate: FileName | Secret | None = Field(
        None, description="The gateway's own certificate with the chain behind it, for brokers that ask for one."
    )
    key: FileName | Secret | None = Field(None, description="Private key of the certificate; without a passphrase.")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        return self


class Broker(Strict):
    """The MQTT broker that the values go to."""

    url: BrokerUrl | Annotated[list[BrokerUrl], Field(min_length=1, max_length=8)] = Field(
        description="mqtts://host[:port], or mqtt:// without TLS; a list names brokers to fall back to, the preferred "
        "one first."
    )
    tls: Tls = Field(Tls(), description="Certificates for mqtts://.")
    username: str | None = Field(None, description="User name at the broker.")
    password: Secret | None = Field(None, description="Password, by the name of its secret.")
    protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version; 3.1.1 for brokers that know no other.")
    keepalive_s: int = Field(15, ge=5, le=3600, description="Time between signs of life to the broker, s.")

    @model_validator(mode="after")
    def _tls_has_a_use(self) -> Self:
        if self.tls != Tls() and not any(address.tls for address in self.addresses):
            raise ValueError("the files under tls have no effect on mqtt://: write mqtts:// in url")
        return self

    @property
    def addresses(self) -> list[BrokerAddress]:
        """Host and port of each url, the preferred one first."""
        return [broker_address(url) for url in ([self.url] if isinstance(self.url, str) else self.url)]


class Template(Strict):
    """Topic and payload in the user's own form, as Jinja templates without assignments, calls and nested loops."""

    topic: str = Field(min_length=1, max_length=1000, description="Template of the topic, such as plant/{{ device }}.")
    payload: str = Field(min_length=1, max_length=16_384, description="Template of the payload; several lines after |.")
    each: Literal["batch", "tag"] = Field(
        "batch", description="`batch`: one message for all that was read together; `tag`: one for each value."
    )
    content_type: str = Field(
        "", max_length=64, pattern=r"^[\x20-\x7e]*$", description="Told to MQTT 5 subscribers, such as text/csv."
    )
    retain: bool = Field(False, description="Whether the broker keeps the newest live message of each topic.")


class Publish(Strict):
    """How values are published."""

    encoder: Literal["json", "template"] = Field(
        "json", description="`json`: as gateway/publish/README.md describes; `template`: in your own form."
    )
    layout: Literal["device", "tag"] = Field(
        "device", description="`device`: one message a batch; `tag`: one message a value (Unified Namespace)."
    )
    retain: bool = Field(
        False, description="With `layout: tag`: the broker keeps the newest live value of each tag, for 3 heartbeats."
    )
    history_topic: Literal["history", "same"] = Field(
        "history",
        description="Where batches go that waited on disk: `<device>/history`, or `same` for `<device>/data`.",
    )
    template: Template | None = Field(None, description="With `encoder: template`: the form of the messages.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.encoder == "template") != (self.template is not None):
            raise ValueError("encoder: template and the group template belong together")
        if self.layout == "tag" and self.encoder == "template":
            raise ValueError("layout is for encoder: json; in a template write each: tag")
        if self.retain and self.layout != "tag":
            raise ValueError("retain is for layout: tag; what is retained of a device is its meta and status")
        return self


class OutboxConfig(Strict):
    """What waits for the broker, and where."""

    spill_after_s: float = Field(
        1.0, gt=0, le=60, description="Unacknowledged for longer than this, a batch goes to disk, s."
    )
    max_mb: int = Field(
        2000, ge=1, description="Most that waits on disk, MB; then the oldest is dropped and a gap recorded."
    )
    keep_free_mb: int = Field(200, ge=0, description="Free space that the outbox leaves to others on its disk, MB.")
    max_age_h: float | None = Field(
        None, gt=0, description="Longest that a batch waits on disk, hours; then it is dropped and a gap recorded."
    )
    replay_rate: float | None = Field(
        None,
        gt=0,
        description="Messages of history a second, behind live data; without it 20 times the live rate, at least 600.",
    )
    card_endurance_tb: float = Field(
        16.0, gt=0, description="What the SD card may be written in its life, TB (TBW in its data sheet)."
    )


class ClockConfig(Strict):
    """What happens while the wall clock of the machine is not synchronised."""

    before_sync: Literal["mark", "hold"] = Field(
        "mark",
        description="Values from before the first synchronisation since the machine started: `mark` sends them at once"
        " as free_running, `hold` keeps them until their true time is known.",
    )
    hold_s: float = Field(
        600.0, gt=0, le=86_400, description="Longest that `hold` waits; then values are sent as with `mark`, s."
    )
    policy: Literal["untouched", "uncertain"] = Field(
        "untouched",
        description="Quality of good values that are sent without a synchronised clock: `untouched`, or"
        " `uncertain` with the reason clock.",
    )


class GatewayConfig(Strict):
    """gateway.yaml, whole."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    gateway: Identity = Field(description="Who this gateway is and where it stands.")
    broker: Broker = Field(description="The broker that the values go to.")
    publish: Publish = Field(Publish(), description="How values are published.")
    outbox: OutboxConfig = Field(OutboxConfig(), description="What waits for the broker.")
    clock: ClockConfig = Field(ClockConfig(), description="What happens while the clock is not synchronised.")


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
    derived: DerivedConfig | None = None
    """Tags that are calculated from others; None where there is no derived.yaml, or it has an error."""
    digest: str = ""
    """Twelve hex digits over the bytes of all files, so that two gateways can be compared."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """What stood in the files, by their path in the folder."""
    errors: tuple[Problem, ...] = field(default=(), compare=False)
    """What keeps some of the files from being used."""

    def unused(self) -> str:
        """`connections/oven.yaml:8:21 and 2 more errors` for a status line; empty where all files are used."""
        if not self.errors:
            return ""
        first = self.errors[0]
        place = f"{first.file}:{first.line}:{first.column}" if first.line else first.file
        more = len(self.errors) - 1
        return place + (f" and {more} more error{'s' if more > 1 else ''}" if more else "")
