"""Devices with tags of every type, order, table and part, as a technician could write them; and their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.cost import link_cost
from drivers.modbus.plan import requests_of
from drivers.modbus.tag import ModbusTag, TypeName
from gateway.collect.plan import devices_of

if TYPE_CHECKING:
    from random import Random

    from drivers.modbus.plan import Block

ORDERS: Final = ("ABCD", "CDAB", "BADC", "DCBA")
WHOLE_TYPES: Final = tuple(name for name in get_args(TypeName) if name not in {"bool", "uint8", "int8"})
PARTS: Final = (".0", ".7", ".15", ".0-3", ".4-11", ".8-15", ".0-15", ".low", ".high")


def random_tag(rng: Random, table: str, address: int) -> dict[str, Any]:
    """The keys of one tag."""
    if table in {"coil", "discrete"}:
        return {"address": f"{table}:{address}"}
    if rng.random() < 0.2:
        part = rng.choice(PARTS)
        tag: dict[str, Any] = {"address": f"{table}:{address}{part}"}
        signed = rng.random() < 0.3 and part not in {".0", ".7", ".15"}
        return tag | ({"type": "int16"} if signed else {})
    name = rng.choice(WHOLE_TYPES)
    tag = {"address": f"{table}:{address}", "type": name}
    if name in {"string", "bytes"}:
        tag["length"] = rng.randint(1, 12)
    if name == "string":
        tag["encoding"] = rng.choice(("ascii", "latin-1", "utf-8"))
    if name in {"cp56time2a", "s7_dtl"} and rng.random() < 0.5:
        tag["utc_offset"] = rng.choice(("+00:00", "+01:00", "-03:30"))
    if name.startswith(("int", "uint")) and rng.random() < 0.3:
        tag["not_available"] = [rng.choice(("sunspec", "highest", "lowest", 0))]
    return tag


def random_blocks(rng: Random) -> list[Block]:
    """The requests of one device; tags stand side by side with gaps, so that none overlap in part."""
    tags: dict[str, Any] = {}
    for table in rng.sample(("holding", "input", "coil", "discrete"), rng.randint(1, 4)):
        address = rng.randint(0, 60_000)
        for _ in range(rng.randint(1, 25)):
            tag = random_tag(rng, table, address)
            tags[f"t{len(tags)}"] = tag
            address += ModbusTag.model_validate(tag).span + rng.choice((0, 0, 0, 1, 7))
    device = {"unit_id": rng.randint(0, 255), "order": rng.choice(ORDERS), "tags": tags}
    file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"press": device}}
    config = ModbusConnection.model_validate(file)
    (press,) = devices_of(config)
    return [request.detail for request in requests_of(press, link_cost(config))]
