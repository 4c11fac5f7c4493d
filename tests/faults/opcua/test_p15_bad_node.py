"""A node id that the server does not have, among many that it has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from drivers.opcua.config import OpcuaConnection
from drivers.opcua.spec import SPEC
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of

if TYPE_CHECKING:
    from gateway.model import Batch

DEADLINE_S = 30.0

BAD = "t41"


def _connection(names: list[str]) -> OpcuaConnection:
    tags: dict[str, Any] = {name: {"address": f"nsu=urn:acme:press;s={name}"} for name in names}
    written = {"version": 1, "driver": "opcua", "url": "opc.tcp://127.0.0.1", "insecure": True}
    return OpcuaConnection.model_validate(written | {"devices": {"press": {"tags": tags}}})


async def test_p15_one_bad_node_id_among_a_hundred_harms_one_tag() -> None:
    """That tag is BAD and says the server's own status; 99 are GOOD, in the very first batch."""
    names = [f"t{number}" for number in range(100)]
    batches: asyncio.Queue[Batch] = asyncio.Queue(10)
    async with SPEC.simulate(_connection([name for name in names if name != BAD])) as played:
        config = _connection(names).model_copy(update={"url": played.url})
        driver = SPEC.build(config, SystemClock())
        await driver.open()
        listening = asyncio.create_task(driver.listen(devices_of(config), batches.put_nowait))
        try:
            async with asyncio.timeout(DEADLINE_S):
                batch = await batches.get()
        finally:
            listening.cancel()
            await asyncio.wait({listening})
            await driver.close()
    by_quality = {name: quality.value for name, quality in zip(names, batch.quality, strict=True)}
    assert by_quality.pop(BAD).startswith("bad")
    assert batch.source_status == {names.index(BAD): "BadNodeIdUnknown"}
    assert batch.values[names.index(BAD)] is None
    assert set(by_quality.values()) == {"good"}
