from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gpio.contact import Contact
from gateway.model import ClockState, Stamp

PULSES = st.lists(st.integers(0, 30), max_size=40)
STABLE = st.integers(0, 20)


def at(time: int) -> Stamp:
    return Stamp(1_000_000 + time, time, ClockState.SYNCED)


def waveform(pulses: list[int]) -> list[tuple[bool, int]]:
    """Edges of a pin that begins low: level and time, one after each pulse."""
    time = 0
    edges = []
    for n, width in enumerate(pulses):
        time += width
        edges.append((n % 2 == 0, time))
    return edges


def expected(edges: list[tuple[bool, int]], stable: int, end: int) -> list[tuple[bool, int]]:
    """The same by another way: of the stretches of one level, those that last long enough and bring a new level."""
    believed = False
    changes = []
    for (level, begin), (_, until) in pairwise([*edges, (False, end)]):
        if level != believed and until - begin >= stable:
            believed = level
            changes.append((level, begin))
    return changes


@settings(deadline=None)
@given(PULSES, STABLE)
def test_exactly_the_stable_levels_are_believed(pulses: list[int], stable: int) -> None:
    """For any train of pulses each stable level is told once, with the time at which it began, and no other."""
    edges = waveform(pulses)
    end = sum(pulses) + 1000
    contact = Contact(level=False, stable_ns=stable)
    told = []
    for level, time in edges:
        since = contact.edge(level, at(time))
        told += [(contact.level, since.monotonic)] if since else []
    last = edges[-1][0] if edges else False
    since = contact.reading(last, at(end))
    told += [(contact.level, since.monotonic)] if since else []
    assert told == expected(edges, stable, end)


@settings(deadline=None)
@given(PULSES, STABLE, st.data())
def test_lost_edges_heal_with_two_readings(pulses: list[int], stable: int, data: st.DataObject) -> None:
    """Whichever edges are lost, two readings a stable time apart leave the contact at the true level."""
    edges = waveform(pulses)
    contact = Contact(level=False, stable_ns=stable)
    for level, time in edges:
        if data.draw(st.booleans()):
            contact.edge(level, at(time))
    true_level = edges[-1][0] if edges else False
    contact.reading(true_level, at(sum(pulses) + 100))
    contact.reading(true_level, at(sum(pulses) + 100 + stable))
    assert contact.level == true_level
    assert contact.due_ns is None


@settings(deadline=None)
@given(PULSES, STABLE, st.data())
def test_what_is_told_alternates(pulses: list[int], stable: int, data: st.DataObject) -> None:
    """With any edges lost or doubled, no level is told twice in a row and no time runs backwards."""
    contact = Contact(level=False, stable_ns=stable)
    told = []
    for level, time in waveform(pulses):
        for _ in range(data.draw(st.integers(0, 2))):
            since = contact.edge(level, at(time))
            told += [(contact.level, since.monotonic)] if since else []
    assert [level for level, _ in told] == [n % 2 == 0 for n in range(len(told))]
    assert told == sorted(told, key=lambda change: change[1])


def test_a_level_is_believed_only_when_its_time_is_up() -> None:
    """One nanosecond before the stable time the old level still stands."""
    contact = Contact(level=False, stable_ns=10)
    assert contact.edge(level=True, stamp=at(100)) is None
    assert contact.due_ns == 110
    assert contact.reading(level=True, stamp=at(109)) is None
    assert contact.reading(level=True, stamp=at(110)) == at(100)
    assert contact.level


def test_a_reading_that_finds_the_old_level_ends_the_doubt() -> None:
    """A pulse whose second edge was lost is not believed when its time is up."""
    contact = Contact(level=False, stable_ns=10)
    contact.edge(level=True, stamp=at(100))
    assert contact.reading(level=False, stamp=at(110)) is None
    assert contact.due_ns is None
    assert not contact.level


def test_a_repeated_edge_begins_the_stable_time_anew() -> None:
    """Two rising edges in a row mean that a falling one was lost between them."""
    contact = Contact(level=False, stable_ns=10)
    contact.edge(level=True, stamp=at(100))
    assert contact.edge(level=True, stamp=at(111)) is None
    assert contact.reading(level=True, stamp=at(120)) is None
    assert contact.reading(level=True, stamp=at(121)) == at(111)
