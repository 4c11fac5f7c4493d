"""The read plan of a connection for people: what `edge-gateway plan` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.modbus.address import Address
from drivers.modbus.cost import link_cost
from drivers.modbus.plan import requests_of
from gateway.driver import LinkPlan, PlannedRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.cost import LinkCost
    from drivers.modbus.plan import Block
    from gateway.driver import Cut, Device, Request


def planned(config: ModbusConnection, devices: Sequence[Device], cuts: Mapping[str, Collection[Cut]]) -> LinkPlan:
    """Every request that reads these devices."""
    link = link_cost(config)
    requests = [
        _planned(device, request, link)
        for device in devices
        for request in requests_of(device, link, cuts.get(device.name, ()))
    ]
    return LinkPlan(requests, config.connections)


def _planned(device: Device, request: Request, link: LinkCost) -> PlannedRequest:
    block: Block = request.detail
    last = Address(block.start.table, block.start.number + block.count - 1)
    return PlannedRequest(
        device=device.name,
        asks=str(request.span),
        documented=block.start.documented + (f"-{last.documented}" if block.count > 1 else ""),
        tags=tuple(device.plan.tags[position].name for position in request.positions),
        period_s=request.period_s,
        frame_bytes=link.frame_bytes + block.data_bytes,
        busy_s=link.time_s(block.data_bytes),
    )
