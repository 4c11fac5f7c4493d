"""An OPC UA server on loopback that has the nodes of one connection and moves their values."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.server.server import Server

from drivers.opcua.client import quieten
from gateway.signals import analog, digital

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from drivers.opcua.config import OpcuaConnection, OpcuaTag
    from drivers.opcua.nodeid import NodeAddress

TICK_S: Final = 0.1
"""How often the nodes are looked at whose value is due; each moves once in its tag's `period_s`."""

_TYPES: Final = {
    "bool": ua.VariantType.Boolean,
    "int": ua.VariantType.Int64,
    "text": ua.VariantType.String,
}
"""The server's type of each of the tag's; Double for the others."""

_OPEN: Final = {
    "insecure": True,
    "username": None,
    "password_file": None,
    "user_certificate": None,
    "user_key": None,
}
"""The server on loopback asks for no proof and gives none."""


@dataclass(slots=True)
class Signal:
    """One node and what it shows."""

    node: ua.NodeId
    key: str
    tag: OpcuaTag
    period_s: float
    due_s: float = 0.0
    """When it moves next, since the start."""

    def value(self, t: float) -> ua.Variant:
        """The raw value at `t` seconds, from which the tag's scale and offset make the engineering value."""
        kind = _TYPES.get(self.tag.type, ua.VariantType.Double)
        match self.tag.type:
            case "bool":
                return ua.Variant(digital(self.key, t), kind)
            case "text":
                return ua.Variant("running" if digital(self.key, t) else "stopped", kind)
            case "int":
                return ua.Variant(round(self._raw(t)), kind)
            case _:
                return ua.Variant(self._raw(t), kind)

    def _raw(self, t: float) -> float:
        tag = self.tag
        return (analog(self.key, tag.unit, tag.range, t) - tag.offset) / (tag.scale or 1.0)


@asynccontextmanager
async def simulate(config: OpcuaConnection) -> AsyncIterator[OpcuaConnection]:
    """Play the devices of this connection; yields the connection to use instead, which reaches the server."""
    quieten()
    server = await _server()
    signals = await _build(server, config)
    async with server:
        assert server.bserver is not None
        moving = asyncio.create_task(_move(server, signals))
        try:
            yield config.model_copy(update=_OPEN | {"url": f"opc.tcp://127.0.0.1:{server.bserver.port}"})
        finally:
            moving.cancel()
            with suppress(asyncio.CancelledError):
                await moving


async def _server() -> Server:
    server = Server()
    await server.init()
    server.set_server_name("edge-gateway simulator")
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    return server


async def _build(server: Server, config: OpcuaConnection) -> list[Signal]:
    """Make every node once. Nodes of the standard's own namespace are there already."""
    built: dict[NodeAddress, Signal] = {}
    for device, described in config.devices.items():
        folder = await server.nodes.objects.add_folder(ua.NodeId(f"simulator/{device}", 1), device)  # type: ignore[arg-type]  # asyncua takes plain text
        for name, tag in described.tags.items():
            if tag.node.namespace != 0 and tag.node not in built:
                period_s = tag.period_s or described.period_s or config.defaults.period_s or config.TIMING.period_s
                signal = Signal(await _node_id(server, tag.node), f"{device}.{name}", tag, period_s or TICK_S)
                await folder.add_variable(signal.node, name, signal.value(0))
                built[tag.node] = signal
    return list(built.values())


async def _node_id(server: Server, address: NodeAddress) -> ua.NodeId:
    if isinstance(address.namespace, str):
        index = await server.register_namespace(address.namespace)
    else:
        index = address.namespace
        for number in range(len(await server.get_namespace_array()), index + 1):
            await server.register_namespace(f"urn:edge-gateway:simulator:{number}")
    return ua.NodeId(address.identifier, index)  # type: ignore[arg-type]  # asyncua takes all four kinds


async def _move(server: Server, signals: Iterable[Signal]) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        t = loop.time() - start
        for signal in signals:
            if signal.due_s <= t:
                signal.due_s = t + signal.period_s
                await server.write_attribute_value(signal.node, _now(signal.value(t)))
        await asyncio.sleep(TICK_S)


def _now(value: ua.Variant) -> ua.DataValue:
    now = datetime.now(UTC)
    return ua.DataValue(value, SourceTimestamp=now, ServerTimestamp=now)  # type: ignore[arg-type]  # asyncua takes any datetime
