"""The orders of technicians: a small file that is only ever whole."""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from gateway.maintenance import (
    FILE,
    MOST_KEPT,
    Acknowledgement,
    Orders,
    OrdersError,
    Outage,
    new_id,
    read_orders,
    rewriting,
)
from gateway.model import ClockState, Stamp
from gateway.testing import SAMPLE_TIME

if TYPE_CHECKING:
    from pathlib import Path

HOUR_NS = 3_600_000_000_000


def outage(what: str = "press-12", **changes: Any) -> Outage:
    """An hour out of service."""
    said: dict[str, Any] = {
        "id": new_id(),
        "what": what,
        "reason": "sensor replaced",
        "by": "anna",
        "since": SAMPLE_TIME,
        "until": SAMPLE_TIME + HOUR_NS,
        "boot": "boot-1",
        "until_monotonic": 2 * HOUR_NS,
    }
    return Outage(**(said | changes))


def test_without_a_file_nothing_is_ordered(tmp_path: Path) -> None:
    """As on the first start."""
    assert read_orders(tmp_path) == Orders()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Both kinds of orders, exactly."""
    orders = Orders().with_outage(outage("ölpumpe.level"))
    orders = orders.with_acknowledgement(Acknowledgement(id="1", what="press-12", by="anna"))
    with rewriting(tmp_path) as held:
        held[0] = orders
    assert read_orders(tmp_path) == orders
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_the_gateway_may_read_what_root_wrote(tmp_path: Path) -> None:
    """It runs as another user; the folder keeps everybody else out. A narrow umask changes nothing."""
    before = os.umask(0o077)
    try:
        with rewriting(tmp_path) as held:
            held[0] = Orders()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"[]", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b'{"version": 2}', "is of version 2; this release reads 1"),
        (b'{"out_of_service": [{"what": "x"}]}', "missing required field"),
        (b'{"out_of_service": [{"what": 3}]}', "Expected `str`, got `int`"),
        (b'{"acknowledgements": 7}', "Expected `array`, got `int`"),
        (b" " * 1_000_001, "is larger than 1000000 bytes"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(tmp_path: Path, content: bytes, text: str) -> None:
    """The technician reads which file, what, and what to do."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(OrdersError, match=text) as told:
        read_orders(tmp_path)
    assert str(tmp_path / FILE) in str(told.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Most often --state names the wrong one."""
    with pytest.raises(OrdersError, match="cannot be opened: No such file"), rewriting(tmp_path / "nothing"):
        pass


def test_a_refusal_in_between_changes_nothing(tmp_path: Path) -> None:
    """The file is exchanged at the very end only."""
    with rewriting(tmp_path) as held:
        held[0] = Orders().with_outage(outage())
    before = (tmp_path / FILE).read_bytes()

    def refuse() -> None:
        with rewriting(tmp_path) as held:
            held[0] = Orders()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        refuse()
    assert (tmp_path / FILE).read_bytes() == before


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    """The second waits for the first: forty orders by four hands are forty orders."""

    def write() -> None:
        for _ in range(10):
            with rewriting(tmp_path) as held:
                held[0] = held[0].with_acknowledgement(Acknowledgement(id=new_id(), what="press-12", by="anna"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_orders(tmp_path).acknowledgements) == 40


def test_an_order_holds_until_its_time_in_its_own_boot_by_the_monotonic_clock() -> None:
    """A clock that is set, to 1970 or by ten years, neither ends nor prolongs it."""
    order = outage()
    for time in (0, SAMPLE_TIME, SAMPLE_TIME + 10**18):
        assert order.holds(Stamp(time, 2 * HOUR_NS - 1, ClockState.SYNCED), "boot-1")
        assert not order.holds(Stamp(time, 2 * HOUR_NS, ClockState.SYNCED), "boot-1")


@pytest.mark.parametrize("boot", ["boot-2", ""])
def test_after_a_reboot_an_order_holds_by_the_wall_clock(boot: str) -> None:
    """Nothing else is left of its end."""
    order = outage()
    assert order.holds(Stamp(SAMPLE_TIME + HOUR_NS - 1, 0, ClockState.SYNCED), boot)
    assert not order.holds(Stamp(SAMPLE_TIME + HOUR_NS, 0, ClockState.SYNCED), boot)


def test_a_new_order_for_the_same_thing_replaces_the_old_one() -> None:
    """Two reasons and two ends for one pump would be one too many."""
    orders = Orders().with_outage(outage(reason="a")).with_outage(outage("other")).with_outage(outage(reason="b"))
    assert [(one.what, one.reason) for one in orders.out_of_service] == [
        ("other", "sensor replaced"),
        ("press-12", "b"),
    ]


def test_an_ended_order_stays_for_the_gateway_to_see_who_ended_it() -> None:
    """It does not hold, and a second end changes nothing."""
    orders = Orders().with_outage(outage()).without_outage("press-12", "bert").without_outage("press-12", "carl")
    (ended,) = orders.out_of_service
    assert ended.ended_by == "bert"
    assert not ended.holds(Stamp(SAMPLE_TIME, 0, ClockState.SYNCED), "boot-1")


def test_orders_that_are_done_with_are_bounded() -> None:
    """Ten years of maintenance do not make a large file."""
    orders = Orders()
    for number in range(3 * MOST_KEPT):
        orders = orders.with_acknowledgement(Acknowledgement(id=str(number), what="x", by="anna"))
        orders = orders.with_outage(outage()).without_outage("press-12", "bert")
    assert len(orders.acknowledgements) == MOST_KEPT
    assert len(orders.out_of_service) <= MOST_KEPT + 1
    assert orders.acknowledgements[-1].id == str(3 * MOST_KEPT - 1)


def test_a_person_can_read_the_file(tmp_path: Path) -> None:
    """Indented JSON."""
    with rewriting(tmp_path) as held:
        held[0] = Orders().with_outage(outage())
    text = (tmp_path / FILE).read_text()
    assert json.loads(text)["out_of_service"][0]["reason"] == "sensor replaced"
    assert text.count("\n") > 5
