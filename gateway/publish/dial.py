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
        self._is_dialling = False

    async def dial(self, connect: Callable[[], object], abandon: Callable[[], None], timeout_s: float) -> None:
        """Run `connect` in the thread. Where it succeeds after we gave up waiting, `abandon` is called in the loop.

        Raises:
            StillDialling: an earlier call that was given up still hangs.
            TimeoutError: it took longer than `timeout_s`.
            Exception: what `connect` raised.
        """
        if self._is_dialling:
            raise StillDialling
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def deliver(error: Exception | None) -> None:
            self._is_dialling = False
            _deliver(error, done, abandon)

        self._is_dialling = True
        threading.Thread(target=_call, args=(connect, loop, deliver), name="mqtt-dial", daemon=True).start()
        async with asyncio.timeout(timeout_s):
            await done


def _deliver(error: Exception | None, done: asyncio.Future[None], abandon: Callable[[], None]) -> None:
    """Tell the outcome to the one who waits, or clear up after the one who has left. Runs in the loop."""
    if done.done():
        if error is None:
            abandon()
    elif error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _call(
    connect: Callable[[], object], loop: asyncio.AbstractEventLoop, deliver: Callable[[Exception | None], None]
) -> None:
    error: Exception | None = None
    try:
        connect()
    except Exception as caught:  # noqa: BLE001 - it is raised again where the call is awaited
        error = caught
    with suppress(RuntimeError):  # the loop is closed: the process ends and its sockets with it
        loop.call_soon_threadsafe(deliver, error)
