"""The broker that the demo brings along: amqtt, in the same process, on a free loopback port. It speaks MQTT 3.1.1."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from amqtt.broker import Broker  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ANONYMOUS = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[str]:
    """A running broker; yields its URL."""
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port: int = finder.getsockname()[1]
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": _ANONYMOUS})
    await broker.start()
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        await broker.shutdown()
