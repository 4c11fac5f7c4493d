"""The server that plays a connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import drivers.opcua
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.simulator import simulate
from drivers.opcua.spec import SPEC

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ear

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = Path(drivers.opcua.__file__).with_name("example.yaml")

KINDS = {
    "by_index": "ns=5;i=1",
    "number": "nsu=urn:a;i=1",
    "guid": "nsu=urn:b;g=09087e75-8e5e-499b-954f-f2a9603db28a",
    "bytes": "nsu=urn:b;b=M/RbKBsRVkePCePcx24oRA==",
    "scaled": {"address": "nsu=urn:a;i=2", "unit": "bar", "scale": 0.1, "offset": -5.0, "range": [0, 300]},
    "counted": {"address": "nsu=urn:a;i=3", "unit": "pcs", "type": "int"},
    "contact": {"address": "nsu=urn:a;i=4", "type": "bool"},
    "words": {"address": "nsu=urn:a;i=5", "type": "text"},
    "same": {"address": "nsu=urn:a;i=5", "type": "text"},
}


async def test_every_tag_of_the_example_has_a_good_value(ear: Callable[..., Ear]) -> None:
    """The driver reaches the simulated server through the connection that it yields."""
    config = OpcuaConnection.model_validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))
    async with SPEC.simulate(config) as reachable:
        heard = ear(config.url, {"unused": "i=2258"})
        heard = type(heard)(reachable)
        await heard.hear()
        await heard.until(lambda e: {batch.plan.device for batch in e.batches} == set(config.devices))
        await heard.stop_listening()
        await heard.driver.close()

    assert reachable.url.startswith("opc.tcp://127.0.0.1:")
    assert {q.value for batch in heard.batches for q in batch.quality} == {"good"}


async def test_every_kind_of_node_is_played_and_moves(
    connection: Callable[..., OpcuaConnection], ear: Callable[..., Ear]
) -> None:
    """Raw values, so that scale and offset lead to an engineering value within the limits."""
    config = connection("opc.tcp://plc", KINDS)
    async with simulate(config) as reachable:
        heard = await ear(reachable.url, KINDS).hear()
        await heard.until(lambda e: len(e.said("scaled")) > 3)
        await heard.stop_listening()
        await heard.driver.close()

    def values(tag: str) -> list[Any]:
        assert {quality for _, quality, _ in heard.said(tag)} == {"good"}
        return [value for value, _, _ in heard.said(tag)]

    for name in KINDS:
        assert values(name)
    engineering = [0.1 * raw - 5.0 for raw in values("scaled")]
    assert len(set(engineering)) > 1
    assert all(60 <= value <= 240 for value in engineering)
    assert {type(value) for value in values("counted")} == {int}
    assert {type(value) for value in values("contact")} == {bool}
    assert set(values("words")) <= {"running", "stopped"}
    assert values("same")[0] == values("words")[0]


async def test_nothing_of_it_is_left_afterwards(
    connection: Callable[..., OpcuaConnection], resources: Callable[[], tuple[int, int]], settled: Callable[..., Any]
) -> None:
    """Also when what runs inside fails."""
    before = resources()
    with pytest.raises(ZeroDivisionError):
        async with simulate(connection("opc.tcp://plc", {"t": "nsu=urn:a;i=1"})):
            raise ZeroDivisionError
    await settled(lambda: resources() <= before)
