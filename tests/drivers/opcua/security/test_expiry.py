"""Warnings before a certificate runs out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from drivers.opcua.expiry import Expiry, now_of
from gateway.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.opcua.security.conftest import Identity

NOW = datetime.now(UTC)


def _told(expiry: Expiry, one: Identity) -> list[tuple[str, int, str]]:
    with capture_logs() as log:
        expiry.look("gateway", one.certificate, "make a new one")
    return [(entry["event"], entry["days_left"], entry["do"]) for entry in log]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (61, []),
        (60, [("certificate runs out", 59, "make a new one")]),
        (30, [("certificate runs out", 29, "make a new one")]),
        (7, [("certificate runs out", 6, "make a new one")]),
        (-1, [("certificate has run out", 0, "make a new one")]),
    ],
)
def test_it_is_told_sixty_thirty_and_seven_days_before(
    identity: Callable[..., Identity], days: int, told: list[tuple[str, int, str]]
) -> None:
    """And once it has happened."""
    one = identity(begin=NOW - timedelta(days=400), end=NOW + timedelta(days=days))
    assert _told(Expiry("opc.tcp://plc:4840", SystemClock()), one) == told


def test_each_mark_is_told_once(identity: Callable[..., Identity]) -> None:
    """A link that is opened a hundred times a day repeats nothing; another certificate and the next mark do."""
    expiry = Expiry("opc.tcp://plc:4840", SystemClock())
    far, near = (identity(end=NOW + timedelta(days=days)) for days in (50, 20))
    assert [len(_told(expiry, one)) for one in (far, far, near, near)] == [1, 0, 1, 0]


async def test_the_calendar_is_looked_at_again_while_a_session_lasts(
    identity: Callable[..., Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session can last for months."""
    monkeypatch.setattr("drivers.opcua.expiry.LOOK_S", 0.01)
    expiry = Expiry("opc.tcp://plc:4840", SystemClock())
    whose = {"server": (identity(end=NOW + timedelta(days=90)).certificate, "")}
    with capture_logs() as log:
        watching = asyncio.create_task(expiry.watch(whose))
        await asyncio.sleep(0)
        assert log == []
        whose["server"] = (identity(end=NOW + timedelta(days=5)).certificate, "")
        async with asyncio.timeout(20):
            while not log:  # noqa: ASYNC110 - the log tells nobody
                await asyncio.sleep(0.01)
        watching.cancel()
    assert log[0]["of"] == "server"


def test_the_day_is_that_of_the_wall_clock() -> None:
    """In UTC."""
    assert abs(now_of(SystemClock()) - datetime.now(UTC)) < timedelta(minutes=1)
