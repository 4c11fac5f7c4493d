"""What a technician writes of an OPC UA server and of its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from drivers.opcua.endpoint import EndPoint, parse_url
from drivers.opcua.nodeid import NodeAddress, parse_node_id
from drivers.opcua.security_config import OpcuaSecurity, whole_path
from gateway.connection import ConnectionConfig, DeviceConfig, Doubt, Name, TagConfig, Timing
from gateway.interface import InterfaceName

if TYPE_CHECKING:
    from collections.abc import Iterable

DataType = Literal["auto", "bool", "int", "float", "text"]
"""What a tag holds; `auto` takes what the server sends."""


class OpcuaTag(TagConfig):
    """One variable of the server."""

    address: str = Field(
        description="Node id with the URI of its namespace, such as nsu=urn:acme:press;s=Press1.OilTemperature; "
        "i=, g= and b= as well as s=."
    )
    type: DataType = Field(
        "auto", description="bool, int, float or text; without it, what the server sends. Another type is BAD."
    )
    period_s: float | None = Field(None, gt=0, description="Time between two looks of the server at this tag, s.")

    @field_validator("address")
    @classmethod
    def _is_a_node_id(cls, address: str) -> str:
        parse_node_id(address)
        return address

    @property
    def node(self) -> NodeAddress:
        """The address, parsed."""
        return parse_node_id(self.address)

    def doubts(self) -> Iterable[Doubt]:
        """A namespace by its index, which can belong to another namespace after the server's next start."""
        index = self.node.namespace
        if isinstance(index, int) and index > 0:
            text = f"ns={index} is a place in the server's list, which can change when it restarts"
            yield Doubt("address", text, "write nsu= and the URI that stands at this place in node i=2255")

    def data_type(self) -> str:
        """`auto`, `bool`, `int`, `float` or `text`."""
        return self.type


class OpcuaDevice(DeviceConfig):
    """One machine among those that the server speaks for."""

    tags: dict[Name, OpcuaTag] = Field(min_length=1, description="The variables of this device, by name.")  # type: ignore[assignment]  # narrowed by each driver


class OpcuaConnection(ConnectionConfig):
    """One OPC UA server."""

    TIMING: ClassVar[Timing] = Timing(period_s=0.5, timeout_s=5.0, retries=0, bad_after=2, heartbeat_s=60.0)
    """`period_s` is the sampling interval asked of the server; `timeout_s` is for one answer of it. Small PLCs take
    seconds to open a session."""

    driver: Literal["opcua"] = Field(description="opcua: an OPC UA server, by subscription.")
    url: str = Field(
        description="opc.tcp://host, opc.tcp://host:port or opc.tcp://host:port/path, as the server's manual names it."
    )
    interface: InterfaceName | None = Field(
        None, description="Network interface to leave by, such as eth1, whatever the routes say."
    )
    insecure: bool = Field(
        False,
        description="true: values travel unencrypted, from a server that has not proved who it is.",
    )
    security: OpcuaSecurity = Field(
        OpcuaSecurity(), description="Certificates and encryption; without it, the best that the server offers."
    )
    username: str | None = Field(None, min_length=1, description="User of the server; without one, anonymous.")
    password_file: str | None = Field(
        None,
        validate_default=True,
        description="File with nothing but the user's password, mode 0600, such as /etc/edge-gateway/secrets/press-12.",
    )
    user_certificate: str | None = Field(
        None, description="File with the certificate of a user, PEM or DER, in the place of username."
    )
    user_key: str | None = Field(
        None,
        validate_default=True,
        description="File with the private key of user_certificate, PEM, without a passphrase, mode 0600.",
    )
    publishing_interval_ms: float = Field(
        500, ge=10, le=60_000, description="How often the server sends what has changed, ms."
    )
    devices: dict[Name, OpcuaDevice] = Field(min_length=1, description="The devices behind this server, by name.")  # type: ignore[assignment]  # narrowed by each driver

    @field_validator("url")
    @classmethod
    def _is_an_end_point(cls, url: str) -> str:
        parse_url(url)
        return url

    @field_validator("security")
    @classmethod
    def _is_secure(cls, security: OpcuaSecurity, info: ValidationInfo) -> OpcuaSecurity:
        if info.data.get("insecure"):
            raise ValueError("this contradicts `insecure: true`: leave one of them out")
        return security

    @field_validator("password_file", "user_certificate", "user_key")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        return None if path is None else whole_path(path)

    @field_validator("password_file")
    @classmethod
    def _belongs_to_a_user(cls, path: str | None, info: ValidationInfo) -> str | None:
        if "username" in info.data and (path is None) != (info.data["username"] is None):
            raise ValueError("username and password_file belong together: give both or none")
        return path

    @field_validator("user_certificate")
    @classmethod
    def _is_one_user(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is not None and info.data.get("username") is not None:
            raise ValueError("a user is named by username or by user_certificate: leave one of them out")
        return path

    @field_validator("user_key")
    @classmethod
    def _is_a_pair(cls, path: str | None, info: ValidationInfo) -> str | None:
        if "user_certificate" in info.data and (path is None) != (info.data["user_certificate"] is None):
            raise ValueError("user_certificate and user_key belong together: give both or none")
        return path

    def doubts(self) -> Iterable[Doubt]:
        """A password that everybody on the network can read, or is given to whoever answers."""
        if self.insecure and self.username is not None:
            text = "with `insecure: true` a stranger on the network may read the password, or be given it"
            yield Doubt("username", text, "leave out `insecure`, and trust the server's certificate")

    @property
    def end_point(self) -> EndPoint:
        """The URL, parsed."""
        return parse_url(self.url)
