"""What a reload does to virtual devices, told as for connections."""

from __future__ import annotations

from typing import Any

from gateway.collect.changes import Effect, derived_changes
from tests.gateway.collect.test_virtual import FORMULA, WINDOW, configuration

HALL = {"hall": {"tags": {"t": FORMULA}}}


def effects(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[tuple[str, Effect]]:
    return [(one.connection, one.effect) for one in derived_changes(configuration(before), configuration(after))]


def test_without_derived_tags_on_either_side_there_is_nothing_to_tell() -> None:
    """Most gateways have none."""
    assert effects(None, None) == []


def test_derived_yaml_may_come_stay_change_and_go() -> None:
    """Under its own name, so that nobody looks for a connection of it."""
    other = {"hall": {"tags": {"t": {**FORMULA, "value": "p - s"}}}}
    assert effects(None, HALL) == [("derived.yaml", Effect.NEW)]
    assert effects(HALL, HALL) == [("derived.yaml", Effect.SAME)]
    assert effects(HALL, other) == [("derived.yaml", Effect.CHANGED)]
    assert effects(HALL, None) == [("derived.yaml", Effect.GONE)]


def test_tags_that_differ_are_named() -> None:
    """New ones, those that are gone, and those with another formula."""
    before = {"hall": {"tags": {"t": FORMULA, "u": FORMULA}, "windows": {"w": WINDOW}}}
    after = {"hall": {"tags": {"t": {**FORMULA, "value": "p - s"}, "v": FORMULA}, "windows": {"w": WINDOW}}}
    (change,) = derived_changes(configuration(before), configuration(after))
    (device,) = change.devices
    assert (device.device, device.new, device.gone, device.changed) == ("hall", ("v",), ("u",), ("t",))
