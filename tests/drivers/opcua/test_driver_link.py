"""The link to a server in the same process: cut, frozen, silent, restarted, given up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

import drivers.opcua.client
import drivers.opcua.listening
import drivers.opcua.subscription
import drivers.opcua.watchdog
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ear, Press, Proxy

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = {
    "temperature": "nsu=urn:acme:press;s=Press1.Temperature",
    "pressure": "nsu=urn:acme:press;s=Press1.Pressure",
    "running": "nsu=urn:acme:press;s=Press1.Running",
    "strokes": "nsu=urn:acme:press;s=Press1.Strokes",
    "recipe": "nsu=urn:acme:press;s=Press1.Recipe",
}


async def test_cancelled_means_stopped_and_closed_within_a_second(press: Press, ear: Callable[..., Ear]) -> None:
    """Also the server is told: neither session nor subscription is left there."""
    sessions, subscriptions = press.sessions, len(press.subscriptions)
    heard = await ear(press.url, ALL).hear()
    assert press.sessions == sessions + 1

    start = time.monotonic()
    await heard.stop_listening()
    await heard.driver.close()

    assert time.monotonic() - start < 1
    assert press.sessions == sessions
    assert len(press.subscriptions) == subscriptions


async def test_a_half_open_connection_is_noticed_and_let_go_of(
    proxy: Proxy, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cable that is pulled breaks no socket: the state that cannot be read does it, and closing waits for nobody."""
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.1)
    monkeypatch.setattr(drivers.opcua.watchdog, "CHECK_S", 0.1)
    heard = await ear(proxy.url, ALL, defaults={"timeout_s": 0.5}).hear()
    tasks, files = resources()
    proxy.freeze()

    error = await heard.lost()
    start = time.monotonic()
    await heard.driver.close()

    assert str(error).startswith(proxy.url)
    assert "no answer within 0.5 s" in str(error)
    assert time.monotonic() - start < 1
    listening, renewal, publishing, socket = 1, 1, 1, 1
    assert resources() == (tasks - listening - renewal - publishing, files - socket)


async def test_a_silent_subscription_is_noticed_within_three_signs_of_life(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers reads, so all looks well; only the promise that it breaks gives it away."""
    monkeypatch.setattr(drivers.opcua.subscription, "KEEP_ALIVE_S", 0.5)
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.1)
    heard = await ear(press.url, ALL).hear()
    await press.subscriptions[-1].stop()

    start = time.monotonic()
    error = await heard.lost()

    assert 1.0 < time.monotonic() - start < 6
    assert "nothing came for" in str(error)
    assert "every 0.5 s" in str(error)


async def test_a_quiet_press_is_no_reason_to_give_up(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life without a change keep the subscription well beyond three of them."""
    monkeypatch.setattr(drivers.opcua.subscription, "KEEP_ALIVE_S", 0.2)
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.1)
    heard = await ear(press.url, ALL).hear()

    await asyncio.wait({heard.task}, timeout=1.5)

    assert not heard.task.done()


async def test_an_end_that_the_server_announces_is_an_end(press: Press, ear: Callable[..., Ear]) -> None:
    """A StatusChangeNotification names the status."""
    heard = await ear(press.url, ALL).hear()
    await press.subscriptions[-1].enqueue_statuschange(ua.StatusCode(ua.StatusCodes.BadShutdown))
    await press.set("Strokes", 3)

    assert "ended the subscription with BadShutdown" in str(await heard.lost())


async def test_the_channel_is_renewed_unnoticed(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tokens of 0.4 s the values of 2 s all arrive."""
    monkeypatch.setattr(drivers.opcua.client, "CHANNEL_LIFETIME_S", 0.4)
    heard = await ear(press.url, ALL).hear()
    assert heard.driver._session is not None
    channel = heard.driver._session._client.uaclient.protocol
    assert channel is not None
    first_token = channel._connection.security_token.TokenId

    for number in range(20):
        await press.set("Strokes", number)
        await asyncio.sleep(0.1)
    await heard.until(lambda e: e.last("strokes") == (19, "good", None))

    assert channel._connection.security_token.TokenId >= first_token + 3
    assert [value for value, _, _ in heard.said("strokes")] == [1004, *range(20)]


async def test_twenty_restarts_of_the_server_leave_nothing_behind(
    press: Press, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]]
) -> None:
    """Each time all tags come back; tasks and open files are as many as before."""
    heard = ear(press.url, ALL)
    counts: list[tuple[int, int]] = []
    for _ in range(20):
        await heard.hear()
        assert heard.batches[0].values[:1] == [71.3]
        counts.append(resources())
        async with press.away():
            error = await heard.lost()
            await heard.driver.close()
            with pytest.raises(LinkError, match="connection refused"):
                await heard.driver.open()
        assert "the connection broke" in str(error)

    assert max(tasks for tasks, _ in counts) <= counts[1][0]
    assert max(files for _, files in counts) <= counts[1][1]


async def test_an_opening_that_is_cancelled_at_any_moment_leaves_nothing_behind(
    press: Press, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]], settled: Callable[..., Any]
) -> None:
    """From before the first byte to after the last answer: no task and no file more, and it ends at once."""
    heard = ear(press.url, ALL)
    before = resources()
    completed = 0
    for step in range(200):
        opening = asyncio.create_task(heard.driver.open())
        for _ in range(step):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait({opening}, timeout=1)
        completed += not opening.cancelled() and opening.exception() is None
        await heard.driver.close()

    assert 0 < completed < 200
    await settled(lambda: resources() <= before)
