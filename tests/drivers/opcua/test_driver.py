"""The driver against a server in the same process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from structlog.testing import capture_logs

import drivers.opcua.listening
import drivers.opcua.session
import drivers.opcua.subscription
import drivers.opcua.watchdog
from drivers.opcua.status import NO_NODE
from gateway.driver import LinkError, ListeningDriver
from gateway.model import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ear, Press

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = {
    "temperature": "nsu=urn:acme:press;s=Press1.Temperature",
    "pressure": "nsu=urn:acme:press;s=Press1.Pressure",
    "running": "nsu=urn:acme:press;s=Press1.Running",
    "strokes": "nsu=urn:acme:press;s=Press1.Strokes",
    "recipe": "nsu=urn:acme:press;s=Press1.Recipe",
}
TEMPERATURE = {"temperature": ALL["temperature"]}


async def test_the_first_batch_holds_the_present_value_of_every_tag(press: Press, ear: Callable[..., Ear]) -> None:
    """One batch, all tags, each in the type that the server sends."""
    first = (await ear(press.url, ALL).hear()).batches[0]

    assert first.values == [71.3, 182.5, True, 1004, "Döner 7"]
    assert {quality.value for quality in first.quality} == {"good"}
    assert first.source_times is not None
    assert None not in first.source_times


async def test_a_change_is_a_batch_of_that_tag_alone(press: Press, ear: Callable[..., Ear]) -> None:
    """What has not changed is absent."""
    heard = await ear(press.url, ALL).hear()

    await press.set("Strokes", 1005)
    await heard.until(lambda e: e.last("strokes") == (1005, "good", None))

    assert [value for value in heard.batches[-1].values if value is not ABSENT] == [1005]


async def test_two_changes_of_a_tag_are_two_batches_in_order_with_their_own_times(
    press: Press, ear: Callable[..., Ear]
) -> None:
    """Nothing between two publish responses is merged; the earlier one carries the larger age."""
    heard = await ear(press.url, ALL, publishing_interval_ms=500).hear()

    await press.set("Strokes", 1)
    await asyncio.sleep(0.1)
    await press.set("Strokes", 2)
    await heard.until(lambda e: e.last("strokes") == (2, "good", None))

    first, second = heard.batches[-2:]
    position = first.plan.positions["strokes"]
    assert [first.values[position], second.values[position]] == [1, 2]
    assert first.stamp == second.stamp
    assert first.offsets is not None
    later = second.offsets[position] if second.offsets else 0
    assert first.offsets[position] <= later - 90


async def test_one_bad_node_among_a_hundred_harms_itself_alone(press: Press, ear: Callable[..., Ear]) -> None:
    """It is BAD once, with the status' name; a missing namespace too; the others are GOOD from the first batch on."""
    good = {f"t{n}": ALL["temperature"] for n in range(98)}
    bad = {"typo": "nsu=urn:acme:press;s=Press1.Nope", "ghost": "nsu=urn:nobody;i=1"}
    heard = await ear(press.url, bad | good).hear()

    await press.set("Temperature", 50.0)
    await heard.until(lambda e: e.last("t97") == (50.0, "good", None))

    assert heard.said("typo") == [(None, "bad:config", "BadNodeIdUnknown")]
    assert heard.said("ghost") == [(None, "bad:config", NO_NODE)]
    assert all(heard.last(name) == (50.0, "good", None) for name in good)


async def test_people_are_told_once_which_tag_cannot_be_read_and_where_to_look(
    press: Press, ear: Callable[..., Ear]
) -> None:
    """The log names device, tag and address; of a namespace it lists those that the server has."""
    with capture_logs() as logs:
        await ear(press.url, TEMPERATURE | {"ghost": "nsu=urn:nobody;i=1"}).hear()

    (told,) = [entry for entry in logs if entry["event"] == "tag cannot be read"]
    assert (told["device"], told["tag"], told["address"]) == ("press", "ghost", "nsu=urn:nobody;i=1")
    assert told["status"] == NO_NODE
    assert "urn:acme:press" in told["look_at"]


async def test_statuses_that_are_not_good_become_qualities_with_their_name(
    press: Press, ear: Callable[..., Ear]
) -> None:
    """Bad has no value, Uncertain has one, Good comes back."""
    heard = await ear(press.url, TEMPERATURE).hear()

    await press.set("Temperature", 70.0, status=0x808C0000)
    await press.set("Temperature", 69.0, status=0x40900000)
    await press.set("Temperature", 68.0)
    await heard.until(lambda e: e.last("temperature") == (68.0, "good", None))

    assert heard.said("temperature")[1:] == [
        (None, "bad:device_error", "BadSensorFailure"),
        (69.0, "uncertain:stale", "UncertainLastUsableValue"),
        (68.0, "good", None),
    ]


async def test_a_type_that_does_not_fit_is_bad_and_told(press: Press, ear: Callable[..., Ear]) -> None:
    """Nothing is narrowed to fit: a Double is no bool."""
    with capture_logs() as logs:
        heard = await ear(press.url, {"p": {"address": ALL["pressure"], "type": "bool"}}).hear()

    assert heard.last("p") == (None, "bad:config", "BadTypeMismatch")
    assert [entry["look_at"] for entry in logs if entry["event"] == "tag cannot be read"] == [
        "the tag says type: bool, but the server sends a Double"
    ]


async def test_a_value_that_the_server_does_not_send_by_itself_is_read(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that keeps its initial notifications to itself cannot hold back the first batch."""

    async def keep_it(*_: object) -> None: ...

    service = "asyncua.server.monitored_item_service.MonitoredItemService.trigger_datachange"
    monkeypatch.setattr(service, keep_it)

    first = (await ear(press.url, ALL).hear()).batches[0]

    assert first.values == [71.3, 182.5, True, 1004, "Döner 7"]


async def test_a_node_that_appears_later_is_found(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A starting server grows its nodes; nobody has to restart the gateway."""
    monkeypatch.setattr(drivers.opcua.listening, "FIRST_RETRY_S", 0.1)
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.05)
    tags = {"late": "nsu=urn:acme:press;s=Press1.Late", "later": "nsu=urn:late;s=Press1.Later"}
    heard = await ear(press.url, tags).hear()

    await press.add("Late", ua.Variant(1.5, ua.VariantType.Double))
    index = await press.server.register_namespace("urn:late")
    await press.server.nodes.objects.add_variable(ua.NodeId("Press1.Later", index), "Later", 2.5)
    await heard.until(lambda e: e.last("late") == (1.5, "good", None) and e.last("later") == (2.5, "good", None))

    assert heard.said("late") == [(None, "bad:config", NO_NODE), (1.5, "good", None)]


async def test_a_node_that_went_and_came_is_not_told_of_twice(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server kept the item of a node that it called unknown; the new item takes the place of that one."""
    monkeypatch.setattr(drivers.opcua.listening, "FIRST_RETRY_S", 0.1)
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.05)
    heard = await ear(press.url, TEMPERATURE).hear()

    await press.set("Temperature", 20.0, status=ua.StatusCodes.BadNodeIdUnknown)
    await heard.until(lambda e: len(e.said("temperature")) == 3)
    await press.set("Temperature", 21.0)
    await heard.until(lambda e: e.last("temperature") == (21.0, "good", None))
    await press.set("Temperature", 22.0)
    await heard.until(lambda e: e.last("temperature") == (22.0, "good", None))

    gone = (None, "bad:config", "BadNodeIdUnknown")
    assert [said for said in heard.said("temperature") if said != gone] == [
        (71.3, "good", None),
        (21.0, "good", None),
        (22.0, "good", None),
    ]
    assert len(press.subscriptions[-1].monitored_item_srv._monitored_items) == 1


async def test_samples_that_the_server_lost_are_counted_and_told(
    press: Press, ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch, settled: Callable[..., Any]
) -> None:
    """The value itself is good; the log says how often, and what to change."""
    monkeypatch.setattr(drivers.opcua.listening, "CHECK_S", 0.05)
    heard = await ear(press.url, TEMPERATURE).hear()

    with capture_logs() as logs:
        await press.set("Temperature", 60.0, status=0x00000480)
        await heard.until(lambda e: e.last("temperature") == (60.0, "good", None))
        await settled(lambda: any(entry["event"] == "server lost samples" for entry in logs))

    assert next(entry["times"] for entry in logs if entry["event"] == "server lost samples") == 1


async def test_other_devices_replace_the_items_without_a_new_connection(press: Press, ear: Callable[..., Ear]) -> None:
    """A reload keeps connection, session and subscription; the items of before are gone from the server."""
    heard = await ear(press.url, ALL).hear()
    await heard.stop_listening()
    subscription = press.subscriptions[-1]
    connected = set(press.server.bserver.clients)

    other = ear(press.url, {"strokes": ALL["strokes"]})
    heard.config, heard.batches = other.config, []
    heard.listen()
    await heard.until(lambda e: bool(e.batches))

    assert heard.batches[0].values == [1004]
    assert set(press.server.bserver.clients) == connected
    assert press.subscriptions[-1] is subscription
    assert len(subscription.monitored_item_srv._monitored_items) == 1


async def test_what_happens_between_two_listenings_leaves_no_trace_but_the_present_value(
    press: Press, ear: Callable[..., Ear], settled: Callable[..., Any]
) -> None:
    """A notification for items of before is not mistaken for one of now."""
    heard = await ear(press.url, TEMPERATURE).hear()
    await heard.stop_listening()
    before = len(heard.batches)

    await press.set("Temperature", 12.0)
    ours = press.subscriptions[-1]
    await settled(lambda: not (ours._triggered_datachanges or ours._not_acknowledged_results))
    assert len(heard.batches) == before
    heard.listen()
    await heard.until(lambda e: len(e.batches) > before)

    assert heard.said("temperature")[1:] == [(12.0, "good", None)]


async def test_a_failure_behind_the_outlet_is_not_taken_for_one_of_the_link(
    press: Press, ear: Callable[..., Ear]
) -> None:
    """What the core raises in `emit` reaches the core as it is."""
    heard = ear(press.url, ALL)
    await heard.driver.open()

    def emit(_batch: object) -> None:
        raise RuntimeError("full")

    heard.emit = emit
    with pytest.raises(RuntimeError, match="full"):
        async with asyncio.timeout(20):
            await heard.listen()


async def test_listening_needs_an_open_connection(ear: Callable[..., Ear]) -> None:
    """It says so instead of waiting."""
    heard = ear("opc.tcp://127.0.0.1:4840", ALL)
    with pytest.raises(LinkError, match="not open"):
        await heard.listen()
    assert isinstance(heard.driver, ListeningDriver)


async def test_it_opens_again_after_closing_and_closes_twice(press: Press, ear: Callable[..., Ear]) -> None:
    """Open, close, close, open: as the core may do."""
    heard = await ear(press.url, ALL).hear()
    await heard.stop_listening()
    await heard.driver.close()
    await heard.driver.close()

    await heard.hear()

    assert heard.batches[0].values[-1] == "Döner 7"


async def test_other_tags_may_come_at_any_moment(press: Press, ear: Callable[..., Ear]) -> None:
    """Whenever the first listening is cut short, the next one works, on a new session where nobody knows of the items.

    Never does the server tell of more than the tags of now.
    """
    heard = ear(press.url, ALL)
    await heard.driver.open()
    reopened: list[str] = []
    for step in range(60):
        heard.listen()
        for _ in range(step):
            await asyncio.sleep(0)
        await heard.stop_listening()
        heard.batches.clear()
        heard.listen()
        try:
            await heard.until(lambda e: bool(e.batches))
        except LinkError as error:
            reopened.append(str(error))
            await heard.hear()
        await heard.stop_listening()
        assert heard.batches[0].values == [71.3, 182.5, True, 1004, "Döner 7"]
        assert len(press.subscriptions[-1].monitored_item_srv._monitored_items) == len(ALL)

    assert 0 < len(reopened) < 60
    assert all("other tags came while the server was being told of the last ones" in text for text in reopened)
