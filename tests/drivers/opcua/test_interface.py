"""A session that leaves by a named network interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.opcua.spec import SPEC
from gateway.driver import LinkError
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from drivers.opcua.config import OpcuaConnection


@pytest.fixture
def config() -> OpcuaConnection:
    """A server with one variable."""
    tags = {"oil": {"address": "nsu=urn:acme:press;s=Oil", "type": "float"}}
    file = {"version": 1, "driver": "opcua", "url": "opc.tcp://127.0.0.1:4840", "insecure": True}
    connection = SPEC.connection.model_validate({**file, "devices": {"press": {"tags": tags}}})
    assert isinstance(connection, SPEC.connection)
    return connection  # type: ignore[return-value]  # the specification knows it as a connection


async def test_it_connects_by_the_interface_that_is_named(config: OpcuaConnection) -> None:
    """By lo there is a way to a server on loopback."""
    async with SPEC.simulate(config) as simulated:
        driver = SPEC.build(simulated.model_copy(update={"interface": "lo"}), ManualClock())
        await driver.open()
        await driver.close()


async def test_an_interface_that_is_not_there_is_named(config: OpcuaConnection) -> None:
    """With the command that lists those there are."""
    driver = SPEC.build(config.model_copy(update={"interface": "eth77"}), ManualClock())
    with pytest.raises(LinkError, match="there is no interface eth77; `ip link` lists them"):
        await driver.open()
    await driver.close()


def test_two_servers_of_one_address_are_told_apart_by_their_interfaces(config: OpcuaConnection) -> None:
    """Each machine with the same addresses behind an interface of its own."""
    assert SPEC.claims(config.model_copy(update={"interface": "eth1"})) == {"opc.tcp://127.0.0.1:4840 by eth1"}
