from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.outbox.entry import Entry
from gateway.publish.endings import SessionLost
from gateway.publish.memory import Memory
from gateway.publish.message import Message
from gateway.publish.tray import Item, Parcel, Tray
from gateway.testing import sample_batch, sample_plan

if TYPE_CHECKING:
    from gateway.testing import ManualClock

RUN = "000042-8c1f9a3e"
META = Message("acme/press-12/meta", b"meta", retain=True)
STATUS = Message("acme/press-12/status", b"online", retain=True)


@pytest.fixture
def memory(clock: ManualClock) -> Memory:
    memory = Memory(clock)
    memory.retained.put(META)
    memory.retained.put(STATUS)
    return memory


def items(seq: int, parts: int = 1) -> list[Item]:
    """The messages of one entry."""
    parcel = Parcel(Entry("press-12", RUN, seq, sample_batch(sample_plan(), [1.0, True, 2]), history=False), parts)
    return [Item(Message("acme/press-12/data", b"%d/%d" % (seq, part)), parcel) for part in range(1, parts + 1)]


def suspect(memory: Memory, *names: tuple[str, str, int] | str) -> None:
    """Make these messages suspect."""
    memory.suspicion.ended(SessionLost("hung up", blames_message=True), names, took_others=False)


def drain(tray: Tray, *, alone: bool = True) -> list[bytes]:
    """Everything that may go now, in its order."""
    found = []
    while (item := tray.next(alone=alone)) is not None:
        found.append(item.message.payload)
    return found


def test_retained_messages_go_before_entries(memory: Memory) -> None:
    """Whoever gets a value has been told what it is."""
    tray = Tray(memory)
    tray.add(items(1, 2))
    tray.add(items(2))
    assert drain(tray) == [b"meta", b"online", b"1/1", b"1/2", b"2/1"]
    assert not tray


def test_a_retained_message_goes_once_and_as_it_is_by_then(memory: Memory) -> None:
    """Announced three times while there was no room, it is sent once, with its newest text."""
    tray = Tray(memory)
    assert drain(tray) == [b"meta", b"online"]
    for text in (b"a", b"b", b"c"):
        memory.retained.put(Message(META.topic, text, retain=True))
        tray.announce(META.topic)
    assert drain(tray) == [b"c"]


def test_a_withheld_message_does_not_go(memory: Memory) -> None:
    """The broker ends every session over it."""
    memory.retained.withhold(META.topic)
    assert drain(Tray(memory)) == [b"online"]


def test_what_is_left_of_a_refused_entry_does_not_go(memory: Memory) -> None:
    """Its other parts would be of no use to anybody."""
    tray = Tray(memory)
    refused = items(1, 3)
    tray.add(refused)
    tray.add(items(2))
    assert refused[0].parcel is not None
    refused[0].parcel.is_over = True
    assert drain(tray) == [b"meta", b"online", b"2/1"]


def test_a_suspect_entry_waits_until_nothing_is_under_way(memory: Memory) -> None:
    """If the session ends now, it was this one."""
    suspect(memory, ("press-12", RUN, 1))
    tray = Tray(memory)
    tray.add(items(1))
    tray.add(items(2))
    assert drain(tray, alone=False) == [b"meta", b"online"]
    assert drain(tray, alone=True) == [b"1/1", b"2/1"]


def test_a_retained_suspect_goes_last_and_alone(memory: Memory) -> None:
    """So the others get through, and their acknowledgement shows that the broker takes messages at all."""
    suspect(memory, META.topic)
    tray = Tray(memory)
    tray.add(items(1))
    assert drain(tray, alone=False) == [b"online", b"1/1"]
    assert tray
    assert drain(tray, alone=True) == [b"meta"]


def test_a_message_has_the_name_of_its_entry_or_topic(memory: Memory) -> None:
    """By it, it is known again in the next session."""
    assert items(7)[0].name == ("press-12", RUN, 7)
    assert Item(META).name == META.topic
