"""The driver against node-opcua, a server that nobody of this project wrote, in a process that can be killed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

import drivers.opcua.listening
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ear, ForeignPress

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def at(name: str) -> str:
    return f"nsu=urn:acme:press;s=Press1.{name}"


TEMPERATURE = {"temperature": at("OilTemperature")}


async def test_each_type_arrives_as_what_it_is(foreign_press: ForeignPress, ear: Callable[..., Ear]) -> None:
    """Encoded by somebody else's hand."""
    names = "OilTemperature OilPressure Running Strokes Energy Small Recipe Started Blob Profile NotANumber"
    await foreign_press.start()
    heard = await ear(foreign_press.url, {name: at(name) for name in names.split()}).hear()

    said = {name: heard.said(name)[0] for name in names.split()}
    assert said == {
        "OilTemperature": (71.3, "good", None),
        "OilPressure": (182.5, "good", None),
        "Running": (True, "good", None),
        "Strokes": (1004, "good", None),
        "Energy": (2**32 + 5, "good", None),
        "Small": (-5, "good", None),
        "Recipe": ("Döner 7", "good", None),
        "Started": ("2026-11-24T10:15:00.250Z", "good", None),
        "Blob": (None, "bad:config", "BadTypeMismatch"),
        "Profile": (None, "bad:config", "BadTypeMismatch"),
        "NotANumber": (None, "bad:not_available", None),
    }


async def test_changes_and_statuses_arrive(foreign_press: ForeignPress, ear: Callable[..., Ear]) -> None:
    """A value, a fault, a doubt, and a value again."""
    await foreign_press.start()
    heard = await ear(foreign_press.url, TEMPERATURE).hear()

    for command, expected in (
        (("set", "OilTemperature", "55.5"), (55.5, "good", None)),
        (("status", "OilTemperature", "BadNoCommunication"), (None, "bad:no_reply", "BadNoCommunication")),
        (("status", "OilTemperature", "UncertainInitialValue"), (55.5, "uncertain:restart", "UncertainInitialValue")),
        (("set", "OilTemperature", "12.5"), (12.5, "good", None)),
    ):
        await foreign_press.tell(*command)
        await heard.until(lambda e, expected=expected: e.last("temperature") == expected)


async def test_a_server_that_is_killed_and_started_again_is_heard_again(
    foreign_press: ForeignPress, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]]
) -> None:
    """Three times: noticed at once, refused while it is away, and all values back from the first batch on."""
    heard = ear(foreign_press.url, {"temperature": at("OilTemperature"), "strokes": at("Strokes")})
    counts = []
    for _ in range(3):
        await foreign_press.start()
        await heard.hear()
        assert heard.batches[0].values == [71.3, 1004]
        counts.append(resources())

        await foreign_press.kill()
        start = time.monotonic()
        assert "the connection broke" in str(await heard.lost())
        assert time.monotonic() - start < 2
        await heard.driver.close()
        with pytest.raises(LinkError, match="connection refused"):
            await heard.driver.open()

    assert len(set(counts)) == 1


async def test_a_tag_keeps_its_value_when_the_namespaces_change_places(
    foreign_press: ForeignPress, ear: Callable[..., Ear]
) -> None:
    """Another namespace with the same names takes the index of before; the tag must not take its value."""
    heard = ear(foreign_press.url, TEMPERATURE)
    for namespaces in (["urn:acme:press", "urn:other"], ["urn:other", "urn:acme:press"]):
        await foreign_press.start(namespaces=namespaces)
        await heard.hear()
        assert heard.batches[0].values == [71.3], namespaces
        await foreign_press.kill()
        await heard.lost()


async def test_a_node_that_vanishes_harms_itself_alone_and_comes_back(
    foreign_press: ForeignPress, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BAD with the status' name while it is away, and heard again without a new connection."""
    monkeypatch.setattr(drivers.opcua.listening, "FIRST_RETRY_S", 0.5)
    monkeypatch.setattr(drivers.opcua.listening, "LAST_RETRY_S", 0.5)
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.1)
    await foreign_press.start()
    heard = await ear(foreign_press.url, TEMPERATURE | {"pressure": at("OilPressure")}).hear()

    await foreign_press.tell("delete", "OilPressure")
    await heard.until(lambda e: (e.last("pressure") or "??")[1] == "bad:config")
    await foreign_press.tell("set", "OilTemperature", "33.5")
    await heard.until(lambda e: e.last("temperature") == (33.5, "good", None))

    await foreign_press.tell("add", "OilPressure", "17.5")
    await heard.until(lambda e: e.last("pressure") == (17.5, "good", None))
    await foreign_press.tell("set", "OilPressure", "18.5")
    await heard.until(lambda e: e.last("pressure") == (18.5, "good", None))
    assert [value for value, _, _ in heard.said("pressure") if value is not None] == [182.5, 17.5, 18.5]


async def test_one_bad_node_among_many_harms_itself_alone(foreign_press: ForeignPress, ear: Callable[..., Ear]) -> None:
    """250 tags in three requests, one of them misspelt."""
    await foreign_press.start()
    tags = {f"t{n}": at("Strokes") for n in range(249)} | {"typo": at("Strokse")}
    first = (await ear(foreign_press.url, tags).hear()).batches[0]

    assert first.values == [1004] * 249 + [None]
    assert first.source_status == {249: "BadNodeIdUnknown"}


async def test_closing_gives_the_session_back(foreign_press: ForeignPress, ear: Callable[..., Ear]) -> None:
    """A server with room for one session is opened five times in a row; a second gateway is told why it must wait."""
    await foreign_press.start(maxSessions=1)
    heard = ear(foreign_press.url, TEMPERATURE)
    for _ in range(5):
        await heard.hear()
        await heard.stop_listening()
        await heard.driver.close()

    await heard.driver.open()
    with pytest.raises(LinkError, match="BadTooManySessions: all its sessions are taken"):
        await ear(foreign_press.url, TEMPERATURE).driver.open()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"anonymous": False}, "it does not let this user in"),
        (
            {"securityMode": "SignAndEncrypt", "securityPolicy": "Basic256Sha256"},
            "refuses a channel with security None: it asks for certificates",
        ),
    ],
)
async def test_a_server_that_wants_more_than_is_configured_says_what(
    foreign_press: ForeignPress, ear: Callable[..., Ear], options: dict[str, Any], says: str
) -> None:
    """The message tells what to change at the server."""
    await foreign_press.start(**options)
    with pytest.raises(LinkError, match=says):
        await ear(foreign_press.url, TEMPERATURE).driver.open()
