from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.cost import NETWORK_ANSWER_S, SERIAL_ANSWER_S, link_cost

if TYPE_CHECKING:
    from drivers.modbus.cost import LinkCost
    from tests.drivers.modbus.conftest import MakeConnection

TAGS = {"devices": {"meter": {"tags": {"t": {"address": "holding:1"}}}}}


@pytest.fixture
def cost_of(make_connection: MakeConnection) -> Any:
    """The cost of a connection from its keys."""

    def cost(**keys: Any) -> LinkCost:
        return link_cost(make_connection(**TAGS, **keys))

    return cost


def serial(baudrate: int, **keys: Any) -> dict[str, Any]:
    """The keys of a serial port."""
    return {"transport": "rtu", "host": None, "port": "/dev/ttyAMA0", "baudrate": baudrate, **keys}


def test_a_request_over_a_network_costs_137_bytes_and_a_millisecond_or_two(cost_of: Any) -> None:
    """A request of 12 bytes, the head of a reply of 9, and Ethernet, IP and TCP around both."""
    link = cost_of()
    assert link.of(0) == 137
    assert link.of(250) == 387
    assert NETWORK_ANSWER_S < link.time_s(250) < NETWORK_ANSWER_S + 0.0001


@pytest.mark.parametrize(("baudrate", "registers"), [(9600, 14), (19_200, 18), (115_200, 77)])
def test_on_a_serial_line_a_gap_is_worth_a_request_by_its_speed(cost_of: Any, baudrate: int, registers: int) -> None:
    """By hand: 13 bytes of frames, two silences and 10 ms of waiting, in characters of 11 bits."""
    link = cost_of(**serial(baudrate))
    character_s = 11 / baudrate
    silences_s = 2 * (3.5 * character_s if baudrate <= 19_200 else 0.00175)
    assert link.of(0) == pytest.approx(13 + (silences_s + SERIAL_ANSWER_S) / character_s)
    assert int(link.of(0) // 2) == registers


def test_the_time_of_a_reading_is_that_of_its_characters_and_pauses(cost_of: Any) -> None:
    """50 registers at 9600 baud: 113 characters of 1.146 ms, and 18 ms of silence and waiting."""
    link = cost_of(**serial(9600))
    assert link.time_s(100) == pytest.approx(113 * 11 / 9600 + 7 * 11 / 9600 + 0.010)


def test_a_pause_that_the_device_needs_counts_as_time_of_the_link(cost_of: Any) -> None:
    """On both kinds of links."""
    for keys in ({}, serial(19_200)):
        paused_s = cost_of(request_gap_ms=20.0, **keys).time_s(10)
        assert paused_s == pytest.approx(cost_of(**keys).time_s(10) + 0.020)
