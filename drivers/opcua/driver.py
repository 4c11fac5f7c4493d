"""The OPC UA driver: a session and a subscription as long as the link holds, one listening at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.opcua.causes import ServerError, as_link_errors
from drivers.opcua.guard import Guard
from drivers.opcua.listening import Listening
from drivers.opcua.session import Session
from drivers.opcua.subscription import Subscription
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.opcua.config import OpcuaConnection
    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch


class OpcuaDriver:
    """Listens to one OPC UA server. See `gateway.driver.ListeningDriver`."""

    def __init__(self, config: OpcuaConnection, clock: Clock) -> None:
        self._url = config.end_point.url
        self._interface = config.interface
        self._interval_s = config.publishing_interval_ms / 1000
        self._timeout_s = config.defaults.timeout_s or config.TIMING.timeout_s or 5.0
        self._clock = clock
        self._guard = Guard(config, clock)
        self._session: Session | None = None
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Connect and open a session, within twice the time-out; four times with certificates.

        Raises:
            LinkError: it cannot be opened, or the server is not to be believed; the text names the url and the cause.
        """
        await self.close()
        session = Session(self._url, self._timeout_s, self._guard, self._interface)
        with as_link_errors(self._url, self._timeout_s):
            await self._guard.prepare()
            await session.open()
        self._session = session

    async def close(self) -> None:
        """Close the session; never raises, and does nothing where it is closed already."""
        session, self._session, self._subscription = self._session, None, None
        if session is not None:
            await session.close()

    async def listen(self, devices: Sequence[Device], emit: Callable[[Batch], None]) -> None:
        """Emit a batch of all tags of each device, then one for each change.

        The subscription stays from one call to the next; the monitored items of the former devices are replaced.

        Raises:
            LinkError: the session broke, or the server went silent.
        """
        if self._session is None:
            raise LinkError(f"{self._url}: the connection is not open.")
        with as_link_errors(self._url, self._timeout_s):
            subscription = self._subscription or await self._subscribe(self._session)
            if not subscription.is_settled:
                raise ServerError("other tags came while the server was being told of the last ones. It is told anew.")
            await Listening(self._session, subscription, devices, emit, self._clock).run()

    async def _subscribe(self, session: Session) -> Subscription:
        self._subscription = await Subscription.create(session, self._interval_s, self._clock)
        return self._subscription
