from __future__ import annotations

import pytest

from gateway.publish.endings import SessionEnd, SessionLost
from gateway.publish.suspicion import MAX_SUSPECTS, STRIKES, Name, Suspicion

BLAMED = SessionLost("hung up", blames_message=True)
LOST = SessionLost("cable cut")
BAD = ("press-12", "000042-8c1f9a3e", 7)
GOOD = ("press-12", "000042-8c1f9a3e", 8)


@pytest.fixture
def suspicion() -> Suspicion:
    return Suspicion()


def end(suspicion: Suspicion, *names: Name, how: SessionEnd = BLAMED, took_others: bool = True) -> Name | None:
    """End a session with these messages under way."""
    return suspicion.ended(how, names, took_others=took_others)


def test_nobody_is_suspected_at_first(suspicion: Suspicion) -> None:
    """The full window is in use."""
    assert not suspicion
    assert not suspicion.falls_on(BAD)


def test_a_lost_link_makes_nobody_suspect(suspicion: Suspicion) -> None:
    """A cut cable ends a hundred sessions over whatever is under way."""
    assert [end(suspicion, BAD, how=LOST) for _ in range(100)] == [None] * 100
    assert not suspicion


def test_all_that_was_under_way_is_suspect(suspicion: Suspicion) -> None:
    """Which one it was shows only when each goes alone."""
    assert end(suspicion, BAD, GOOD) is None
    assert suspicion.falls_on(BAD)
    assert suspicion.falls_on(GOOD)


def test_the_third_end_over_the_same_message_names_it(suspicion: Suspicion) -> None:
    """One end may be chance, and two; after the third the message is given up, and nothing is suspect any more."""
    assert [end(suspicion, BAD) for _ in range(STRIKES)] == [None] * (STRIKES - 1) + [BAD]
    assert not suspicion


def test_parts_of_one_entry_are_one_message(suspicion: Suspicion) -> None:
    """An entry that was sent in parts has one name."""
    assert [end(suspicion, BAD, BAD) for _ in range(STRIKES)][-1] == BAD


def test_ends_over_different_messages_name_none(suspicion: Suspicion) -> None:
    """The broker has another illness than a message."""
    assert [end(suspicion, BAD if number % 2 else GOOD) for number in range(20)] == [None] * 20


def test_a_broker_that_takes_nothing_judges_nothing(suspicion: Suspicion) -> None:
    """Hanging up at the first message of every session is no verdict on that message."""
    assert [end(suspicion, BAD, took_others=False) for _ in range(20)] == [None] * 20
    assert suspicion.falls_on(BAD)


def test_a_broker_that_was_away_in_between_starts_the_count_anew(suspicion: Suspicion) -> None:
    """A broker that crashes over and over is not there for a while each time; it judged no message."""
    for _ in range(20):
        assert [end(suspicion, BAD) for _ in range(STRIKES - 1)] == [None] * (STRIKES - 1)
        suspicion.unreachable()


def test_a_lost_link_in_between_starts_the_count_anew(suspicion: Suspicion) -> None:
    """The ends have to come in a row."""
    for _ in range(20):
        assert [end(suspicion, BAD) for _ in range(STRIKES - 1)] == [None] * (STRIKES - 1)
        end(suspicion, BAD, how=LOST)


def test_a_message_that_arrives_is_cleared(suspicion: Suspicion) -> None:
    """Two ends and a delivery: it was something else."""
    for _ in range(5):
        assert [end(suspicion, BAD) for _ in range(STRIKES - 1)] == [None] * (STRIKES - 1)
        suspicion.settled(BAD)
        assert not suspicion


def test_an_end_with_nothing_under_way_counts_for_nothing(suspicion: Suspicion) -> None:
    """Then no message can have been the cause."""
    assert end(suspicion) is None
    assert not suspicion


def test_a_retained_message_can_be_the_culprit(suspicion: Suspicion) -> None:
    """It is known by its topic."""
    assert [end(suspicion, "acme/press-12/meta") for _ in range(STRIKES)][-1] == "acme/press-12/meta"


def test_suspects_do_not_pile_up(suspicion: Suspicion) -> None:
    """What left the outbox without a word, because the disk was full, is acquitted in the end."""
    for number in range(1000):
        end(suspicion, ("press-12", "000042-8c1f9a3e", number), BAD)
    suspects = [n for n in range(1000) if suspicion.falls_on(("press-12", "000042-8c1f9a3e", n))]
    assert len(suspects) <= MAX_SUSPECTS
    assert suspicion.falls_on(BAD) or len(suspects) == MAX_SUSPECTS
    assert 999 in suspects
