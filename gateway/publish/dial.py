"""A blocking call in a thread that can be walked away from."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class StillDialling(Exception):  # noqa: N818 - says what is the matter
    """The thread of an earlier call has not come back yet."""


class Dialler:
    """Name look-up and TCP block, for as long as the system pleases. There is never more than one thread for them.

    The thread is a daemon: a look-up that hangs holds up neither the loop nor the end of the process.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    async def dial(self, connect: Callable[[], object], abandon: Callable[[], None], timeout_s: float) -> None:
        """Run `connect` in the thread. Where it succeeds after we gave up waiting, `abandon` is called in the loop.

        Raises:
            StillDialling: an earlier call that was given up still hangs.
            TimeoutError: it took longer than `timeout_s`.
            Exception: what `connect` raised.
        """
        if self._thread is not None and self._thread.is_alive():
            raise StillDialling
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(
            target=_call, args=(connect, loop, _Delivery(done, abandon)), name="mqtt-dial", daemon=True
        )
        self._thread.start()
        async with asyncio.timeout(timeout_s):
            await done


class _Delivery:
    """Takes the outcome from the thread to the one who waits, or has left."""

    def __init__(self, done: asyncio.Future[None], abandon: Callable[[], None]) -> None:
        self._done = done
        self._abandon = abandon

    def __call__(self, error: Exception | None) -> None:
        if self._done.done():
            if error is None:
                self._abandon()
        elif error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


def _call(connect: Callable[[], object], loop: asyncio.AbstractEventLoop, deliver: _Delivery) -> None:
    error: Exception | None = None
    try:
        connect()
    except Exception as caught:  # noqa: BLE001 - it is raised again where the call is awaited
        error = caught
    with suppress(RuntimeError):  # the loop is closed: the process ends and its sockets with it
        loop.call_soon_threadsafe(deliver, error)
