"""What a technician writes of an OPC UA server and of its nodes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from drivers.opcua.endpoint import EndPoint, parse_url
from drivers.opcua.nodeid import NodeAddress, parse_node_id
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig, Timing

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
    insecure: bool = Field(
        False,
        validate_default=True,
        description="true: values travel unencrypted, from a server that has not proved who it is. This release knows "
        "nothing else.",
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

    @field_validator("insecure")
    @classmethod
    def _is_meant(cls, insecure: bool) -> bool:  # noqa: FBT001 - the signature of a pydantic validator
        if not insecure:
            raise ValueError(
                "this release speaks to OPC UA servers with security None only, unencrypted and unproved: "
                "write `insecure: true` to say that this is known and meant"
            )
        return insecure

    @property
    def end_point(self) -> EndPoint:
        """The URL, parsed."""
        return parse_url(self.url)
