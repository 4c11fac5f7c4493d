"""Notices a server that has gone silent although the connection looks alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncua.ua.object_ids import ObjectIds

from drivers.opcua.causes import ServerError
from drivers.opcua.session import standard_node

if TYPE_CHECKING:
    from drivers.opcua.session import Session
    from drivers.opcua.subscription import Subscription
    from gateway.clock import Clock

CHECK_S: Final = 2.0
"""Time between two checks. After so long a silence the server's state is read."""

KEEP_ALIVES: Final = 3
"""So many signs of life in a row may stay away."""


class Watchdog:
    """Compares what the server promised with what came."""

    def __init__(self, session: Session, subscription: Subscription, clock: Clock) -> None:
        self._session = session
        self._subscription = subscription
        self._clock = clock

    async def check(self) -> None:
        """Return if the server is alive.

        Raises:
            ServerError: the subscription is silent.
            OSError, ua.UaError: the server's state cannot be read.
        """
        silent_s = self._clock.monotonic_s() - self._subscription.heard_at
        promised_s = self._subscription.keep_alive_s
        if silent_s > KEEP_ALIVES * promised_s:
            raise ServerError(
                f"nothing came for {silent_s:.0f} s, though the server promised a sign of life every "
                f"{promised_s:g} s. The subscription is made anew."
            )
        if silent_s > CHECK_S:
            await self._session.read([standard_node(ObjectIds.Server_ServerStatus_State)])
