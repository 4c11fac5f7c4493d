"""The trial: a gateway of its own is cut off, killed in the middle of draining, and started again."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.cli.selftest.cable import Cable
from gateway.cli.selftest.verdict import Evidence, Life, Verdict

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

    from gateway.cli.selftest.child import Orders
    from gateway.publish.settings import BrokerSettings

_CHILD: Final = "from gateway.cli.selftest.child import main; raise SystemExit(main())"
_LIVE_S: Final = 3.0
_CUT_S: Final = 5.0
"""Well beyond a second, after which what waits goes to disk."""

_BACK_S: Final = 20.0
"""Most until something arrives after the cable is plugged in: a pause of 10 s, and a busy machine."""

_STOP_S: Final = 15.0
_STEP_S: Final = 0.05


class TrialError(Exception):
    """The trial could not go on. The text is for a technician."""


class Trial:
    """One trial against one broker.

    Args:
        orders: for the gateway that is killed.
        broker: where it is to be reached.
        evidence: what the witness has heard.
        say: tells whoever waits what happens.
    """

    def __init__(self, orders: Orders, broker: BrokerSettings, evidence: Evidence, say: Callable[[str], None]) -> None:
        self._orders = orders
        self._broker = broker
        self._evidence = evidence
        self._say = say

    async def run(self) -> Verdict:
        """Takes half a minute to a minute.

        Raises:
            TrialError: the gateway did not come up, or nothing arrived.
        """
        begun = time.monotonic()
        async with Cable(self._broker.host, self._broker.port) as cable:
            self._orders.cable = cable.port
            first = await self._first_life(cable)
            second = await self._second_life(first)
        return self._evidence.verdict((first, second), time.monotonic() - begun)

    async def _first_life(self, cable: Cable) -> Life:
        async with self._alive(1) as (process, life):
            await self._until(lambda: self._evidence.newest(life) > 0, "arrives")
            await asyncio.sleep(_LIVE_S)
            await self._cut(cable)
            said = life.told
            await self._until(lambda: self._evidence.misses(life, said) == 0, "comes back after the cut")
            await self._cut(cable)
            heard = self._evidence.history
            await self._until(lambda: self._evidence.history > heard, "comes back after the second cut")
            self._say("killing the gateway while it sends what waited")
            process.kill()
            life.killed_at = time.monotonic()
        return life

    async def _second_life(self, first: Life) -> Life:
        self._say("starting it again")
        async with self._alive(2) as (process, life):
            await self._until(lambda: self._evidence.newest(life) > 0, "arrives after the restart")
            await asyncio.sleep(_LIVE_S)
            await self._drained(first)
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                raise TrialError(f"the gateway did not stop within {_STOP_S:.0f} s") from None
        return life

    async def _drained(self, first: Life) -> None:
        """Wait for what the first life left on disk. What has not come by then is missed in the verdict."""
        deadline = time.monotonic() + _BACK_S
        while self._evidence.misses(first, first.safe) and time.monotonic() < deadline:  # noqa: ASYNC110 - as `_until`
            await asyncio.sleep(_STEP_S)

    async def _cut(self, cable: Cable) -> None:
        self._say(f"cutting the link for {_CUT_S:.0f} s")
        await cable.pull()
        await asyncio.sleep(_CUT_S)
        cable.plug()

    @asynccontextmanager
    async def _alive(self, run: int) -> AsyncIterator[tuple[Process, Life]]:
        """A gateway as a process of its own, and what it says of itself."""
        self._orders.run = run
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _CHILD, stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(self._orders) + b"\n")
        life = Life(run)
        following = asyncio.create_task(_follow(process, life))
        try:
            yield process, life
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await following

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _BACK_S
        while not condition():
            if time.monotonic() > deadline:
                raise TrialError(
                    f"nothing {what} within {_BACK_S:.0f} s; look at the messages above, then at the broker"
                )
            await asyncio.sleep(_STEP_S)


async def _follow(process: Process, life: Life) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        said = msgspec.json.decode(line)
        life.progress.append((said["at"], said["seq"]))
